"""One trace: what a collector gets of each kind of command, judged by the conventions' own names."""

import dataclasses
import secrets
from collections.abc import Sequence

from opentelemetry.semconv._incubating.attributes import cloudevents_attributes, messaging_attributes, rpc_attributes
from opentelemetry.semconv.attributes import error_attributes, server_attributes

from tests.acceptance import commands
from tests.acceptance.producer import Command
from tests.telemetry.conftest import GROUP, Traced
from tests.telemetry.receiver import Span

BRIDGE, WORKERS = "kafka-temporal-bridge", "kafka-temporal-bridge-workers"


@dataclasses.dataclass(frozen=True)
class Trace:
    """A trace that a producer began with its own span."""

    id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(16))
    span_id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))

    def on(self, command: Command) -> Command:
        """Return the command as that producer sends it."""
        extensions = {**command.extensions, "traceparent": f"00-{self.id}-{self.span_id}-01"}
        return dataclasses.replace(command, extensions=extensions)


def named(spans: Sequence[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def one(spans: Sequence[Span], name: str) -> Span:
    (found,) = named(spans, name)
    return found


def has(*names: str) -> "Waited":
    return Waited(names)


@dataclasses.dataclass(frozen=True)
class Waited:
    """Whether a trace has spans of these names, each as often as it is given."""

    names: tuple[str, ...]

    def __call__(self, spans: Sequence[Span]) -> bool:
        there = [span.name for span in spans]
        return all(there.count(name) >= self.names.count(name) for name in self.names)


def assert_connected(spans: Sequence[Span], trace: Trace) -> None:
    """Each span's parent is there, or is the producer's own; and no two have one id."""
    ids = {span.span_id for span in spans}
    assert len(ids) == len(spans)
    assert [span for span in spans if span.parent_id not in ids | {trace.span_id}] == []
    assert [span.name for span in spans if span.parent_id == trace.span_id] == ["process " + _topic(spans)]


def _topic(spans: Sequence[Span]) -> str:
    return next(span.name for span in spans if span.kind == "CONSUMER").removeprefix("process ")


def span_id(traceparent: str) -> str:
    return traceparent.split("-")[2]


def test_a_start_is_one_tree_from_the_producer_to_the_last_event(traced: Traced) -> None:
    trace = Trace()
    sent = traced.producer.send(trace.on(commands.invoice(commands.fresh("traced"))))
    ended = traced.journal.one("workflow.completed", cause=sent.id)
    spans = traced.collector.wait_for(
        trace.id, has("process invoice.process", "CompleteWorkflow:InvoiceProcessing", *["send invoice.events"] * 3)
    )
    assert_connected(spans, trace)
    process, start = one(spans, "process invoice.process"), one(spans, "StartWorkflow:InvoiceProcessing")
    run = one(spans, "RunWorkflow:InvoiceProcessing")
    assert (process.parent_id, start.parent_id, run.parent_id) == (trace.span_id, process.span_id, start.span_id)
    assert [span.name for span in spans if span.service == BRIDGE] == [start.name, process.name]
    by_id = {span.span_id: span for span in spans}
    for event in traced.journal.events(cause=sent.id):
        told = by_id[span_id(event.header("traceparent"))]
        if event.topic == "invoice.events":
            assert (told.name, by_id[told.parent_id].name) == ("send invoice.events", "RunActivity:announce")
        else:
            assert told is process
    assert ended.header("traceparent") == f"00-{trace.id}-{process.span_id}-01"


def test_the_bridges_spans_say_what_the_conventions_ask_for(traced: Traced) -> None:
    trace = Trace()
    sent = traced.producer.send(trace.on(commands.invoice(commands.fresh("traced"))))
    reply = traced.journal.one("command.accepted", cause=sent.id)
    spans = traced.collector.wait_for(trace.id, has("process invoice.process"))
    process, start = one(spans, "process invoice.process"), one(spans, "StartWorkflow:InvoiceProcessing")
    assert (process.kind, start.kind) == ("CONSUMER", "CLIENT")
    assert process.links == ((trace.id, trace.span_id),)
    messaging, rpc = messaging_attributes, rpc_attributes
    said = process.attributes
    assert said.pop(messaging.MESSAGING_MESSAGE_BODY_SIZE) > 0
    assert said.pop(server_attributes.SERVER_PORT) > 0
    assert said == {
        messaging.MESSAGING_SYSTEM: messaging.MessagingSystemValues.KAFKA.value,
        messaging.MESSAGING_OPERATION_NAME: "process",
        messaging.MESSAGING_OPERATION_TYPE: messaging.MessagingOperationTypeValues.PROCESS.value,
        messaging.MESSAGING_DESTINATION_NAME: "invoice.process",
        messaging.MESSAGING_DESTINATION_PARTITION_ID: str(sent.partition),
        messaging.MESSAGING_KAFKA_OFFSET: sent.offset,
        messaging.MESSAGING_CONSUMER_GROUP_NAME: GROUP,
        messaging.MESSAGING_MESSAGE_ID: sent.id,
        server_attributes.SERVER_ADDRESS: "127.0.0.1",
        cloudevents_attributes.CLOUDEVENTS_EVENT_SOURCE: sent.source,
        cloudevents_attributes.CLOUDEVENTS_EVENT_TYPE: "invoice.process",
        "bridge.outcome": "accepted",
        "bridge.attempts": 1,
    }
    assert start.attributes.pop(server_attributes.SERVER_PORT) > 0
    assert start.attributes == {
        rpc.RPC_SYSTEM_NAME: rpc.RpcSystemNameValues.GRPC.value,
        rpc.RPC_METHOD: "temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution",
        server_attributes.SERVER_ADDRESS: "127.0.0.1",
        "temporalWorkflowID": sent.command.workflow_id,
        "temporalRunID": reply.data["run_id"],
    }


def test_a_signal_has_a_trace_of_its_own_that_the_runs_is_linked_with(traced: Traced) -> None:
    start, approval, number = Trace(), Trace(), commands.fresh("traced")
    traced.producer.send(start.on(commands.invoice(number, commands.LARGE)))
    traced.journal.one("invoice.approval_requested", key=number)
    sent = traced.producer.send(approval.on(commands.approve("invoice", number)))
    approved = traced.journal.one("invoice.approved", cause=sent.id)
    spans = traced.collector.wait_for(approval.id, has("process invoice.approve", "send invoice.events"))
    assert_connected(spans, approval)
    signal, told = one(spans, "SignalWorkflow:approve"), one(spans, "send invoice.events")
    assert told.span_id == span_id(approved.header("traceparent"))
    handled = one(traced.collector.wait_for(start.id, has("HandleSignal:approve")), "HandleSignal:approve")
    assert handled.links == ((approval.id, signal.span_id),)
    assert [trace_id for trace_id, _ in told.links] == [start.id]


def test_a_signal_with_start_of_a_run_that_is_there_is_linked_both_ways(traced: Traced) -> None:
    first, second, number = Trace(), Trace(), commands.fresh("traced")
    begun = traced.producer.send(first.on(commands.lead(number)))
    traced.journal.one("lead.scored", cause=begun.id)
    sent = traced.producer.send(second.on(commands.lead(number)))
    scored = traced.journal.one("lead.scored", cause=sent.id)

    spans = traced.collector.wait_for(second.id, has("process lead.score", "send lead.events"))
    assert_connected(spans, second)
    told = one(spans, "send lead.events")
    assert (told.span_id, told.parent_id) == (
        span_id(scored.header("traceparent")),
        one(spans, "process lead.score").span_id,
    )
    theirs = traced.collector.wait_for(first.id, has("RunWorkflow:LeadScoring", *["HandleSignal:score"] * 2))
    assert_connected(theirs, first)
    assert [trace_id for trace_id, _ in told.links] == [first.id]
    calls = {one(theirs, "SignalWithStartWorkflow:score").span_id, one(spans, "SignalWithStartWorkflow:score").span_id}
    assert {link[1] for span in named(theirs, "HandleSignal:score") for link in span.links} == calls


def test_a_dead_letter_that_is_replayed_names_its_first_try(traced: Traced) -> None:
    trace, number = Trace(), commands.fresh("traced")
    bad = trace.on(Command("invoice.process", {"invoice_id": number}))
    sent = traced.producer.send(bad)
    traced.journal.one("command.rejected", cause=sent.id)
    letter = traced.journal.dead_letter(sent.place)
    first = one(traced.collector.wait_for(trace.id, has("process invoice.process")), "process invoice.process")
    assert (first.is_error, first.attributes[error_attributes.ERROR_TYPE]) == (True, "invalid")
    assert first.attributes["bridge.reason"] == "invalid"

    done = traced.bridge.run("dlq", "replay", f"{letter.topic}/{letter.partition}/{letter.offset}", "--yes")
    assert done.code == 0, done.err
    spans = traced.collector.wait_for(trace.id, has(*["process invoice.process"] * 2))
    again = next(span for span in spans if span.span_id != first.span_id)
    assert again.parent_id == first.parent_id == trace.span_id
    assert again.links == ((trace.id, trace.span_id), (trace.id, first.span_id))


def test_a_command_without_a_trace_begins_one(traced: Traced) -> None:
    sent = traced.producer.send(commands.invoice(commands.fresh("untraced")))
    reply = traced.journal.one("command.accepted", cause=sent.id)
    _, trace_id, parent, flags = reply.header("traceparent").split("-")
    spans = traced.collector.wait_for(trace_id, has("process invoice.process"))
    process = one(spans, "process invoice.process")
    assert (process.parent_id, process.links, process.span_id, flags) == ("", (), parent, "01")


def test_what_a_producer_does_not_record_nobody_records(traced: Traced) -> None:
    trace = Trace()
    command = commands.invoice(commands.fresh("unsampled"))
    sent = traced.producer.send(
        dataclasses.replace(command, extensions={"traceparent": f"00-{trace.id}-{trace.span_id}-00"})
    )
    ended = traced.journal.one("workflow.completed", cause=sent.id)
    marker = _marker(traced)
    traced.collector.wait_for(marker, has("process invoice.process", "CompleteWorkflow:InvoiceProcessing"))
    assert traced.collector.of_trace(trace.id) == []
    assert ended.header("traceparent").split("-")[1::2] == [trace.id, "00"]


def _marker(traced: Traced) -> str:
    """Return a trace that was begun later."""
    trace = Trace()
    traced.producer.send(trace.on(commands.invoice(commands.fresh("marker"))))
    return trace.id
