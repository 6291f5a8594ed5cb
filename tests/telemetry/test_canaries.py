"""No payload and no secret is told anywhere: canaries, planted wherever one could be, are found in none of it."""

import base64
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.acceptance import commands, program
from tests.acceptance.producer import Command
from tests.cli.command_line import CommandLine
from tests.telemetry.conftest import Traced
from tests.telemetry.test_one_trace import Trace, has
from workers.spans import Wordless

CANARY = "canary-5f1c9e"
SECRETS = {
    "KAFKA_SASL_PASSWORD": f"{CANARY}-password",
    "TEMPORAL_API_KEY": f"{CANARY}-token",
    "BRIDGE_ADMIN_TOKEN": f"{CANARY}-admin",
    "BRIDGE_CALLBACK_SECRET": f"{CANARY}-callback-secret-that-is-long-enough",
    "WORKERS_CONTENT_API_KEY": f"{CANARY}-content",
    "WORKERS_SMTP_URL": f"smtp://somebody:{CANARY}-smtp@127.0.0.1:25",
    "WORKERS_DATABASE_URL": f"postgresql://somebody:{CANARY}-database@127.0.0.1/workers",
}


def _told(traced: Traced) -> dict[str, bytes]:
    """Return everything that operators are told."""
    return {
        "the daemon's log": traced.daemon.text.encode(),
        "the workers' log": traced.worker.text.encode(),
        "spans and metrics": b"".join(traced.collector.raw),
        "metrics": program.get(f"{traced.admin}/metrics")[1].encode(),
    }


def test_no_payload_is_told(traced: Traced) -> None:
    good, bad, worse, never = (Trace() for _ in range(4))
    number = commands.fresh("canary")
    kept: dict[str, Any] = {
        "note": f"{CANARY} note",
        "customer": {"name": f"{CANARY} name", "email": f"{CANARY}@example.com"},
    }
    sent = traced.producer.send(good.on(commands.invoice(number, **kept)))
    wrong = commands.invoice(commands.fresh("canary"), **kept, due_on=f"{CANARY}-date", currency=CANARY)
    invalid = traced.producer.send(bad.on(wrong))
    broken = traced.producer.send_raw("invoice.process", f"{CANARY}-key".encode(), f'{{"{CANARY}'.encode(), ())
    unknown = traced.producer.send(worse.on(Command("invoice.process", {"invoice_id": f"{CANARY} {CANARY}"})))
    traced.journal.one("workflow.completed", cause=sent.id)
    letters = [traced.journal.dead_letter(place) for place in (invalid.place, broken, unknown.place)]
    for trace, name in ((good, "CompleteWorkflow:InvoiceProcessing"), (bad, "process invoice.process")):
        traced.collector.wait_for(trace.id, has(name))
    traced.producer.send(never.on(commands.invoice(commands.fresh("marker"))))
    traced.collector.wait_for(never.id, has("CompleteWorkflow:InvoiceProcessing"))
    assert [where for where, text in _told(traced).items() if CANARY.encode() in text] == []
    for letter in letters:
        told = b"".join(value or b"" for name, value in letter.headers if name.startswith("dlq."))
        assert CANARY.encode() not in told


def test_no_text_of_an_error_is_in_a_workers_span() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(Wordless(kept)))
    tracer = provider.get_tracer("t")
    with pytest.raises(ValueError, match=CANARY), tracer.start_as_current_span("RunActivity:send_invoice"):
        raise ValueError(f"refused: {CANARY}@example.com")
    (span,) = kept.get_finished_spans()
    (event,) = span.events
    assert (span.status.status_code, dict(event.attributes or {})["exception.type"]) == (StatusCode.ERROR, "ValueError")
    assert CANARY not in span.to_json()


def test_no_secret_is_shown(traced: Traced) -> None:
    bridge = CommandLine(traced.folder, {**traced.bridge.env, **SECRETS})
    shown = bridge.run("config", "show", "-o", "json")
    told = bridge.run("doctor", KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT", KAFKA_SASL_USERNAME="somebody")
    for ended in (shown, told):
        assert CANARY not in ended.out + ended.err
    masked = {row["name"] for row in shown.rows if "***" in str(row["value"])}
    assert masked >= SECRETS.keys() - {"TEMPORAL_API_KEY"}


def test_no_header_of_an_exporter_is_told(traced: Traced) -> None:
    credentials = base64.b64encode(CANARY.encode()).decode()
    ended = traced.bridge.run(*("config", "show"), OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Basic {credentials}")
    assert (ended.code, credentials in ended.out + ended.err) == (0, False)
