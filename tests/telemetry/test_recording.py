"""How spans are made: what is recorded at all, the bytes that are sent, and what an absent collector costs."""

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from structlog.testing import capture_logs

from bridge import tracecontext
from bridge.command import Command
from bridge.errors import ConfigurationError
from bridge.outcome import Accepted, DeadLettered, TargetMissing
from bridge.telemetry import exporting, sampling, wire
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Attribute, Kind, Metric
from bridge.telemetry.recorded import Recorded, Shape, Value
from bridge.telemetry.sampling import Sampling
from bridge.telemetry.shapes import Address, Shapes
from bridge.telemetry.spans import UNRECORDED
from bridge.telemetry.tracing import CALLS_MAX, Tracing
from tests.engine import records
from tests.engine.records import binary, record
from tests.telemetry import receiver
from topics.environment import otlp
from topics.environment.otlp import Signal
from topics.replies import DeadLetterReason

TRACE_ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACED = f"00-{TRACE_ID}-{PARENT}-01"
SHAPES = Shapes("g", Address("kafka", 9092), Address("temporal", 7233))
WORKED = Accepted("r", began=True)


def command(traceparent: str | None = TRACED, **attributes: str) -> Command:
    plain = () if traceparent is None else (("traceparent", traceparent.encode()),)
    found = records.decode(record(headers=(*binary(**attributes), *plain)))
    assert isinstance(found, Command)
    return found


def made(sampling: Sampling = Sampling()) -> tuple[Tracing, list[Recorded]]:  # noqa: B008 - it is frozen
    kept: list[Recorded] = []
    return Tracing(sampling, kept.append, SHAPES), kept


def test_only_a_sampled_command_that_a_histogram_has_counted_is_an_exemplar_of_it() -> None:
    metrics = Metrics()
    tracing = Tracing(Sampling(), lambda _: None, SHAPES, metrics)
    for traceparent in (TRACED, f"00-{'1' * 32}-{PARENT}-00"):
        span, known = tracing.begin(command(traceparent))
        took = time.time() - known.record.timestamp_ms / 1000
        metrics.observe(Metric.EVENT_AGE, took, known.record.topic)
        span.ends(WORKED, 1)
    found = dict(metrics.histograms())
    (ages,) = found[Metric.EVENT_AGE].values()
    assert [each.trace_id for each in ages.exemplars.values()] == [TRACE_ID]
    assert found[Metric.PROCESS_DURATION] == {}


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_a_ratio_takes_the_traces_that_the_sdk_takes(ratio: float) -> None:
    ids = [f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128:032x}" for number in range(1, 1000)]
    judge = TraceIdRatioBased(ratio)
    ours = Sampling(follows_parent=False, ratio=ratio)
    assert [ours.takes(f"00-{one}-{PARENT}-00") for one in ids] == [
        judge.should_sample(None, int(one, 16), "n").decision is Decision.RECORD_AND_SAMPLE for one in ids
    ]


def test_of_the_traces_that_begin_here_a_ratio_takes_its_share() -> None:
    begun = [tracecontext.trace_id(command(None, id=f"c-{number}").traceparent) for number in range(2000)]
    for ratio in (0.1, 0.6):
        assert abs(sum(map(Sampling(ratio=ratio).takes_new, begun)) / len(begun) - ratio) < 0.05


@pytest.mark.parametrize("name", ["always_on", "always_off", "traceidratio"])
def test_the_standard_samplers_are_known_with_and_without_a_parent(name: str) -> None:
    environment = {"OTEL_TRACES_SAMPLER_ARG": "0.25"}
    ratio = {"always_on": 1.0, "always_off": 0.0, "traceidratio": 0.25}[name]
    assert sampling.read(environment | {"OTEL_TRACES_SAMPLER": name}) == Sampling(follows_parent=False, ratio=ratio)
    followed = sampling.read(environment | {"OTEL_TRACES_SAMPLER": f"parentbased_{name}"})
    assert followed == Sampling(follows_parent=True, ratio=ratio)


@pytest.mark.parametrize("wrong", [{"OTEL_TRACES_SAMPLER": "xray"}, {"OTEL_TRACES_SAMPLER_ARG": "2"}])
def test_a_sampler_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        sampling.read({"OTEL_TRACES_SAMPLER": "traceidratio"} | wrong)


def test_what_is_not_sampled_records_nothing_and_says_so() -> None:
    tracing, kept = made(Sampling(follows_parent=False, ratio=0.0))
    span, known = tracing.begin(command())
    assert (span, known.traceparent, known.span, kept) == (UNRECORDED, f"00-{TRACE_ID}-{PARENT}-00", None, [])


def test_a_copy_of_a_record_has_the_same_span_and_another_record_another() -> None:
    tracing, _ = made()
    first, copy = (tracing.begin(command())[1].span for _ in range(2))
    other = records.decode(record(headers=binary(), offset=42))
    assert isinstance(other, Command)
    assert first == copy != tracing.begin(other)[1].span


def test_a_try_that_fails_is_a_span_and_an_outage_bounds_them() -> None:
    tracing, kept = made()
    told = command()
    span, _ = tracing.begin(told)
    for _ in range(CALLS_MAX + 5):
        span.asks(told)
        span.fails("temporal")
    span.asks(told)
    span.answered(WORKED)
    span.ends(WORKED, CALLS_MAX + 6)
    assert [one.error for one in kept] == ["temporal"] * CALLS_MAX + [None, None]
    assert len({one.span_id for one in kept}) == CALLS_MAX + 2
    assert {one.parent_id for one in kept[:-1]} == {kept[-1].span_id}


def test_a_look_that_finds_no_target_is_a_try() -> None:
    tracing, kept = made()
    told = command()
    span, _ = tracing.begin(told)
    span.asks(told)
    span.answered(TargetMissing())
    assert [one.error for one in kept] == ["target_missing"]


def test_a_dead_letter_is_an_error_and_names_no_detail() -> None:
    tracing, kept = made()
    span, _ = tracing.begin(command())
    span.ends(DeadLettered(DeadLetterReason.INVALID, "secret"), 1)
    (one,) = kept
    assert (one.error, "secret" in str(one.attributes)) == ("invalid", False)


def test_the_bytes_are_what_the_published_classes_read() -> None:
    shape = Shape("process ü" * 40, Kind.CONSUMER, {Attribute.SYSTEM: "kafka", Attribute.SERVER_PORT: 9092})
    attributes: list[tuple[Attribute, Value]] = [
        (Attribute.OFFSET, 2**62),
        (Attribute.ATTEMPTS, -1),
        (Attribute.MESSAGE_ID, "i" * 300),
    ]
    one = Recorded(shape, TRACED, "1" * 16, PARENT, "a=1,b=2", 1, 2**60, attributes, [TRACED], "invalid")
    found = ExportTraceServiceRequest.FromString(wire.request([one, one], {"service.name": "s", "n": 7}, "scope"))
    (resource,) = found.resource_spans
    assert {pair.key for pair in resource.resource.attributes} == {"service.name", "n"}
    (scope,) = resource.scope_spans
    span, _ = scope.spans
    assert (scope.scope.name, span.name, span.trace_state) == ("scope", shape.name, "a=1,b=2")
    assert (span.start_time_unix_nano, span.end_time_unix_nano, span.flags) == (1, 2**60, 0x301)
    assert [(link.trace_id.hex(), link.span_id.hex(), link.flags) for link in span.links] == [(TRACE_ID, PARENT, 0x301)]
    (read,) = list(receiver._spans(ExportTraceServiceRequest(resource_spans=[resource])))[:1]
    assert (read.kind, read.trace_id, read.span_id, read.parent_id) == ("CONSUMER", TRACE_ID, "1" * 16, PARENT)
    assert read.is_error
    assert read.attributes == {
        "messaging.system": "kafka",
        "server.port": 9092,
        "messaging.kafka.offset": 2**62,
        "bridge.attempts": -1,
        "messaging.message.id": "i" * 300,
        "error.type": "invalid",
    }


def test_the_kinds_are_the_protocols() -> None:
    for kind in Kind:
        one = Recorded(Shape("n", kind, {}), TRACED, "1" * 16, None, None, 1, 2, [])
        (read,) = receiver._spans(ExportTraceServiceRequest.FromString(wire.request([one], {}, "s")))
        assert (read.kind, read.parent_id) == (kind, "")


EXPORTED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
SETTINGS: dict[str, tuple[dict[str, str], bool]] = {
    "nothing": ({}, False),
    "an endpoint": (EXPORTED, True),
    "one of the signal": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, True),
    "one of another signal": ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c/x"}, False),
    "an exporter that is none": (EXPORTED | {"OTEL_TRACES_EXPORTER": "none"}, False),
    "an sdk that is off": (EXPORTED | {"OTEL_SDK_DISABLED": "true"}, False),
    "http": (EXPORTED | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
}


@pytest.mark.parametrize(("environment", "expected"), SETTINGS.values(), ids=SETTINGS.keys())
def test_spans_go_out_where_there_is_an_endpoint(environment: dict[str, str], expected: bool) -> None:
    problems: list[str] = []
    assert (otlp.is_exported(environment, Signal.TRACES, problems), problems) == (expected, [])


@pytest.mark.parametrize("wrong", [{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"OTEL_TRACES_EXPORTER": "zipkin"}])
def test_what_cannot_be_followed_is_named(wrong: dict[str, str]) -> None:
    problems: list[str] = []
    assert not otlp.is_exported(EXPORTED | wrong, Signal.TRACES, problems)
    assert [problem.startswith(next(iter(wrong))) for problem in problems] == [True]


@pytest.fixture
def refusing() -> Iterator[str]:
    """Give the address of a collector that takes nothing."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(400)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_collector_that_takes_nothing_costs_one_line_and_holds_nobody(
    refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refusing)
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    one = Recorded(Shape("n", Kind.CLIENT, {}), TRACED, "1" * 16, None, None, 1, 2, [])
    with capture_logs() as lines:
        async with exporting.spans("s") as queue:
            for _ in range(100):
                queue.keep(one)
    assert [(line["event"], line["what"]) for line in lines] == [("telemetry not taken", "spans")]


async def test_a_collector_that_is_not_there_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody answers at this address: it is kept for documentation.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://192.0.2.1:4318")
    monkeypatch.setattr(exporting, "LEFT_WITHIN", exporting.TOLD_EVERY / 120)
    began = time.monotonic()
    async with asyncio.timeout(20), exporting.spans("s") as queue:
        queue.keep(Recorded(Shape("n", Kind.CLIENT, {}), TRACED, "1" * 16, None, None, 1, 2, []))
    assert time.monotonic() - began < 5
