"""No payload and no secret is told anywhere: canaries, planted wherever one could be, are found in none of it."""

import base64

from tests.acceptance import commands, program
from tests.acceptance.producer import Command
from tests.telemetry.conftest import Traced
from tests.telemetry.test_one_trace import Trace, has

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
    good, bad, worse, never, failing = (Trace() for _ in range(5))
    number = commands.fresh("canary")
    kept = {"note": f"{CANARY} note", "customer": {"name": f"{CANARY} name", "email": f"{CANARY}@example.com"}}
    sent = traced.producer.send(good.on(commands.invoice(number, **kept)))
    wrong = commands.invoice(commands.fresh("canary"), **kept, due_on=f"{CANARY}-date", currency=CANARY)
    invalid = traced.producer.send(bad.on(wrong))
    broken = traced.producer.send_raw("invoice.process", f"{CANARY}-key".encode(), f'{{"{CANARY}'.encode(), ())
    unknown = traced.producer.send(worse.on(Command("invoice.process", {"invoice_id": f"{CANARY} {CANARY}"})))
    # Its mail is refused as often as it is tried: the error's text names the address.
    refused = {"customer": {"name": CANARY, "email": f"{CANARY}@no-such-domain.invalid"}}
    tried = traced.producer.send(failing.on(commands.invoice(commands.fresh("canary"), **refused)))
    traced.journal.one("workflow.completed", cause=sent.id)
    traced.journal.one("invoice.validated", cause=tried.id)
    letters = [traced.journal.dead_letter(place) for place in (invalid.place, broken, unknown.place)]
    for trace, name in ((good, "CompleteWorkflow:InvoiceProcessing"), (bad, "process invoice.process")):
        traced.collector.wait_for(trace.id, has(name))
    traced.producer.send(never.on(commands.invoice(commands.fresh("marker"))))
    traced.collector.wait_for(never.id, has("CompleteWorkflow:InvoiceProcessing"))
    assert [where for where, text in _told(traced).items() if CANARY.encode() in text] == []
    for letter in letters:
        told = b"".join(value or b"" for name, value in letter.headers if name.startswith("dlq."))
        assert CANARY.encode() not in told


def test_no_secret_is_shown(traced: Traced) -> None:
    shown = traced.bridge.run("config", "show", "-o", "json", **SECRETS)
    told = traced.bridge.run(
        "doctor", **SECRETS, KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT", KAFKA_SASL_USERNAME="somebody"
    )
    for ended in (shown, told):
        assert CANARY not in ended.out + ended.err
    masked = {row["name"] for row in shown.rows if "***" in str(row["value"])}
    assert masked >= SECRETS.keys() - {"TEMPORAL_API_KEY"}


def test_no_header_of_an_exporter_is_told(traced: Traced) -> None:
    credentials = base64.b64encode(CANARY.encode()).decode()
    ended = traced.bridge.run(*("config", "show"), OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Basic {credentials}")
    assert (ended.code, credentials in ended.out + ended.err) == (0, False)
