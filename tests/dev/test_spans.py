"""The spans that `bridge dev` keeps: bounded, told by trace, sent on, and shown by `bridge trace`."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from bridge.admin.guard import Door
from bridge.dev import keeper, spans
from bridge.dev.keeper import Keeper
from bridge.dev.spans import Span, Spans
from tests.dev import stack
from tests.telemetry import receiver

TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "f" * 32
LEAD = '{"lead_id": "traced-lead", "activities": [{"kind": "page_view", "occurred_at": "2026-01-01T12:00:00Z"}]}'
ADDRESS = "127.0.0.1:4318"


def span(number: int, trace_id: str = TRACE, **more: Any) -> Span:
    own_id = f"{number:016x}"
    plain = Span("s", "n", "client", trace_id, own_id, "", number, number + 1, is_error=False, attributes=(), links=())
    return dataclasses.replace(plain, **more)


def request(*ids: int) -> bytes:
    found = [
        trace_pb2.Span(
            name="work", trace_id=bytes.fromhex(TRACE), span_id=number.to_bytes(8), kind=trace_pb2.Span.SPAN_KIND_SERVER
        )
        for number in ids
    ]
    named = KeyValue(key="service.name", value=AnyValue(string_value="ours"))
    resource = trace_pb2.ResourceSpans(
        resource=Resource(attributes=[named]), scope_spans=[trace_pb2.ScopeSpans(spans=found)]
    )
    return ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()


def asking(sent: list[bytes]) -> httpx.AsyncClient:
    application = Keeper(Door(ADDRESS, None), sent.append).application()
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=f"http://{ADDRESS}")


def test_the_trace_that_was_added_to_least_lately_goes_first_when_there_are_too_many() -> None:
    kept = Spans()
    for number in range(spans.SPANS_MAX + 1):
        kept.keep(span(number, f"{number // 100:032x}"))
    assert (kept.of(f"{0:032x}"), len(kept.of(f"{1:032x}")), kept.count) == ([], 100, spans.SPANS_MAX - 99)


def test_a_trace_has_no_more_spans_than_its_bound_and_a_span_that_comes_again_replaces_the_first() -> None:
    kept = Spans()
    for number in range(2 * spans.OF_A_TRACE_MAX):
        kept.keep(span(number))
    kept.keep(span(0, name="again"))
    assert (kept.count, kept.of(TRACE)[0].name) == (spans.OF_A_TRACE_MAX, "again")


def test_a_trace_is_told_with_the_spans_of_others_that_link_to_it() -> None:
    kept = Spans()
    kept.keep(span(1))
    kept.keep(span(2, OTHER, links=((TRACE, f"{1:016x}"),)))
    kept.keep(span(3, OTHER))
    assert [each.span_id for each in kept.of(TRACE)] == [f"{1:016x}", f"{2:016x}"]


async def test_what_is_sent_is_kept_told_and_sent_on() -> None:
    sent: list[bytes] = []
    async with asking(sent) as client:
        taken = await client.post(keeper.PATH, content=request(1, 2))
        told = (await client.get(f"{keeper.PATH}/{TRACE}")).json()["spans"]
    assert (taken.status_code, sent) == (200, [request(1, 2)])
    assert [(each["service"], each["name"], each["kind"]) for each in told] == [("ours", "work", "server")] * 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff no protobuf", {}, 400),
        (b"x" * (keeper.BODY_BYTES_MAX + 1), {}, 413),
        (b"", {"Origin": "https://elsewhere.example"}, 403),
        (b"", {"Host": "rebound.example"}, 403),
    ],
)
async def test_what_is_no_batch_of_this_machine_is_refused(body: bytes, headers: dict[str, str], status: int) -> None:
    async with asking([]) as client:
        assert (await client.post(keeper.PATH, content=body, headers=headers)).status_code == status


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_who_turns_traces_off_has_none(off: dict[str, str]) -> None:
    assert keeper.environment(ADDRESS, off) == {}


@pytest.mark.timeout(300)
def test_a_command_s_spans_are_shown_and_a_collector_gets_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver.receiving() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with stack.running(tmp_path / "data") as dev:
            dev.wait_for("Publish from a second terminal")
            env = dict(os.environ) | {
                "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{dev.ports['kafka']}",
                "TEMPORAL_ADDRESS": f"127.0.0.1:{dev.ports['temporal']}",
                "BRIDGE_ADMIN_ADDRESS": f"127.0.0.1:{dev.ports['admin']}",
            }
            (tmp_path / "lead.json").write_text(LEAD)
            _bridge(env, "publish", "lead.score", str(tmp_path / "lead.json"), "--id", "traced-command")
            accounts: list[dict[str, Any]] = []

            def is_whole() -> bool:
                accounts[:] = [json.loads(_bridge(env, "trace", "traced-command", "-o", "json") or "{}")]
                names = {each["name"] for each in accounts[0].get("spans", ())}
                return {"process lead.score", "send lead.events"} <= names

            stack.wait_until(is_whole, 30, "the spans of the bridge and of its workers")
            tree = _bridge(env, "trace", "traced-command")
            found = accounts[0]["spans"]
            assert {each["service"] for each in found} == {"kafka-temporal-bridge", "kafka-temporal-bridge-workers"}
            assert "process lead.score, " in tree.partition("spans")[2]
            ids = {each["span_id"] for each in found}
            stack.wait_until(lambda: ids <= {each.span_id for each in collector.spans}, 30, "the collector has them")


def _bridge(env: dict[str, str], *words: str) -> str:
    """Return what a command prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "bridge.cli", *words], env=env, capture_output=True, text=True, check=False
    )
    return ended.stdout
