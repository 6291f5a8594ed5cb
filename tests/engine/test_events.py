"""Replies and lifecycle events: the same bytes twice, with all that the contract names, readable by others."""

import dataclasses
import uuid
from typing import Any

import jiter
import pytest
from cloudevents.core.bindings import kafka as judge
from cloudevents.core.formats.json import JSONFormat

from bridge import mark
from bridge.command import BadRecord, Command
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, Settled
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import End, RunFacts
from bridge.routes import Replies, Route, Verb
from tests.engine import records
from tests.engine.records import RECORDED, RECORDED_MS, binary, record
from topics.lifecycle import Failure, State, WorkflowEnded, WorkflowStarted
from topics.replies import DeadLetterReason, DoneReply, RejectReason, Reply

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DEAD = DeadLettered(DeadLetterReason.INVALID, "by: is missing")


def sent(**attributes: str) -> Command:
    headers = [*binary(**attributes), ("traceparent", TRACE.encode()), ("tracestate", b"a=1")]
    return records.command(record(headers=headers), reply_topics=["answers"])


def reply(settled: Settled, content: Command | BadRecord | None = None) -> OutRecord:
    written = replies.reply(content or sent(), settled, "g")
    assert written is not None
    return written


def attributes(written: OutRecord) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in written.headers}


def own_id(kind: str, *parts: str) -> str:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"kafka-temporal-bridge/{kind}")
    return str(uuid.uuid5(namespace, "\x1f".join(parts)))


OUTCOMES: dict[str, tuple[Settled, dict[str, Any]]] = {
    "accepted": (Accepted("r", began=True), {"run_id": "r", "reason": None, "detail": None}),
    "duplicate": (Duplicate(None), {"run_id": None, "reason": None, "detail": None}),
    "rejected": (
        Rejected(RejectReason.ALREADY_DONE, "closed", "r"),
        {"run_id": "r", "reason": "already_done", "detail": "closed"},
    ),
}


@pytest.mark.parametrize(("settled", "told"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_a_reply_says_all_that_the_contract_names(
    settled: Settled, told: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    outcome = request.node.callspec.id
    written = reply(settled)
    assert jiter.from_json(written.value or b"") == {
        "command_id": "c-1",
        "command_source": "/shop",
        "command_type": "invoice.approve",
        "topic": "invoice.approve",
        "partition": 2,
        "offset": 41,
        "time": RECORDED,
        "outcome": outcome,
        "workflow_id": "invoice-I-1",
        **told,
    }
    event_id = own_id("reply", "/shop", "c-1", outcome, "invoice.approve", "2", "41")
    child = f"{TRACE[:36]}{event_id.replace('-', '')[:16]}-01"
    assert attributes(written) == {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/bridge/g",
        "ce_type": f"command.{outcome}",
        "ce_subject": "invoice-I-1",
        "ce_time": RECORDED,
        "ce_correlationid": "c-1",
        "ce_causationid": "c-1",
        "ce_partitionkey": "c-1",
        "ce_traceparent": child,
        "ce_tracestate": "a=1",
        "content-type": "application/json",
        "traceparent": child,
        "tracestate": "a=1",
    }
    assert (written.topic, written.key, written.timestamp_ms) == ("bridge.replies", b"c-1", RECORDED_MS)


def test_a_reply_made_twice_has_the_same_bytes() -> None:
    assert reply(Accepted("r")) == reply(Accepted("r"))


def test_a_reply_goes_where_the_command_asks() -> None:
    assert reply(Accepted("r"), sent(replyto="answers")).topic == "answers"


def test_a_reply_carries_the_commands_own_correlation_id() -> None:
    assert attributes(reply(Accepted("r"), sent(correlationid="x")))["ce_correlationid"] == "x"


def test_a_bad_command_is_answered_with_its_reason() -> None:
    bad = records.decode(record(b"{}", binary()))
    assert isinstance(bad, BadRecord)
    data = jiter.from_json(reply(DEAD, bad).value or b"")
    assert (data["outcome"], data["reason"], data["workflow_id"], data["run_id"]) == ("rejected", "invalid", None, None)


def test_a_command_with_two_content_types_is_answered() -> None:
    types = (("content-type", b"text/plain"), ("content-type", b"application/json"))
    bad = records.decode(record(headers=(*binary(), *types)))
    assert isinstance(bad, BadRecord)
    assert reply(DEAD, bad).key == b"c-1"


def test_a_record_without_an_id_is_not_answered() -> None:
    bad = records.decode(record(b"{", binary(id=None)))
    assert isinstance(bad, BadRecord)
    assert replies.reply(bad, DEAD, "g") is None


def test_the_second_reply_says_how_the_chain_of_runs_ended() -> None:
    end = End(State.FAILED, RECORDED_MS, RECORDED_MS + 1500, None, Failure(type="T", message="m"))
    written = replies.done(mark.of(sent(replyto="answers"), "g"), RUN, end, "answers")
    assert jiter.from_json(written.value or b"") == {
        "command_id": "c-1",
        "command_source": "/shop",
        "command_type": "invoice.approve",
        "topic": "invoice.approve",
        "partition": 2,
        "offset": 41,
        "time": RECORDED,
        "outcome": "done",
        "workflow_id": "invoice-I-1",
        "run_id": "run-1",
        "reason": None,
        "detail": None,
        "state": "failed",
        "closed_at": "2026-11-21T10:00:01.623Z",
        "failure": {"type": "T", "message": "m"},
        "result": None,
    }
    event_id = own_id("reply", "/shop", "c-1", "done", "invoice.approve", "2", "41")
    told = attributes(written)
    assert (told["ce_id"], told["ce_type"], told["ce_subject"]) == (event_id, "command.done", "invoice-I-1")
    assert (told["ce_time"], written.timestamp_ms) == (RECORDED, RECORDED_MS + 1500)
    assert (written.topic, written.key, told["ce_causationid"]) == ("answers", b"c-1", "c-1")
    assert told["traceparent"] == f"{TRACE[:36]}{event_id.replace('-', '')[:16]}-01"


def test_the_result_in_the_second_reply_is_as_the_workflow_returned_it() -> None:
    end = End(State.COMPLETED, RECORDED_MS, RECORDED_MS, result=b'{"total": 12.50, "n": 18446744073709551616}')
    written = replies.done(mark.of(sent(), "g"), RUN, end, "answers")
    assert (written.value or b"").endswith(b'"result":{"total": 12.50, "n": 18446744073709551616}}')


@pytest.mark.parametrize("end", [End(State.COMPLETED, 1, 2, result=b'{"n":1}'), End(State.TERMINATED, 1, 2)])
def test_the_second_reply_is_what_its_model_says(end: End) -> None:
    written = replies.done(mark.of(sent(), "g"), RUN, end, "answers")
    assert DoneReply.model_validate_json(written.value or b"").json_bytes() == written.value


STARTED = Route(command="invoice.approve", verb=Verb.START, id="i-{invoice_id}", workflow="W", task_queue="q")


@pytest.mark.parametrize(
    ("route", "asked", "marked"),
    [
        (STARTED, {"replywhen": "done"}, "bridge.replies"),
        (STARTED, {"replywhen": "done", "replyto": "answers"}, "answers"),
        (STARTED, {"replyto": "answers"}, None),
        (dataclasses.replace(STARTED, replies=Replies.REJECTED), {"replywhen": "done"}, None),
        (dataclasses.replace(STARTED, replies=Replies.NONE), {"replywhen": "done"}, None),
        (dataclasses.replace(STARTED, verb=Verb.SIGNAL_WITH_START, signal="s"), {"replywhen": "done"}, None),
    ],
    ids=["a start", "a start with a topic", "not asked", "rejections only", "no replies", "begun to hand it a signal"],
)
def test_the_mark_of_a_start_says_where_its_second_reply_goes(
    route: Route, asked: dict[str, str], marked: str | None
) -> None:
    command = records.command(record(headers=binary(**asked)), rows=[route], reply_topics=["answers"])
    assert mark.of(command, "g").done == marked


def test_a_mark_is_read_back_with_the_topic_of_the_second_reply() -> None:
    command = records.command(record(headers=binary(replywhen="done")), rows=[STARTED])
    assert mark.read(mark.memo(mark.of(command, "g"))) == mark.of(command, "g")


RUN = RunFacts("n", "invoice-I-1", "run-1", "run-1", "W", "q")
END = End(State.FAILED, RECORDED_MS, RECORDED_MS + 1500, None, Failure(type="T", message="m"))


def started() -> OutRecord:
    return lifecycle.started(mark.of(sent(), "g"), RUN, "t.lifecycle")


def ended(end: End = END) -> OutRecord:
    return lifecycle.ended(mark.of(sent(), "g"), RUN, end, "t.lifecycle")


def test_the_start_is_told_by_the_command_as_by_the_mark_of_its_run() -> None:
    assert lifecycle.begun(sent(), "g", RUN, "t.lifecycle") == started()


def test_a_start_is_announced_with_all_that_the_contract_names() -> None:
    assert jiter.from_json(started().value or b"") == {
        "workflow_id": "invoice-I-1",
        "run_id": "run-1",
        "first_run_id": "run-1",
        "workflow_type": "W",
        "namespace": "n",
        "task_queue": "q",
        "state": "started",
        "command_id": "c-1",
        "command_source": "/shop",
        "command_type": "invoice.approve",
        "attempt": 1,
    }
    told = attributes(started())
    assert told["ce_id"] == own_id("lifecycle", "n", "invoice-I-1", "run-1", "started")
    assert (told["ce_type"], told["ce_source"], told["ce_subject"], told["ce_time"], told["ce_causationid"]) == (
        "workflow.started",
        "/bridge/g",
        "invoice-I-1",
        RECORDED,
        "c-1",
    )
    assert started().key == b"invoice-I-1"


def test_an_end_is_announced_with_the_servers_times() -> None:
    data = jiter.from_json(ended().value or b"")
    assert (data["started_at"], data["closed_at"], data["duration_ms"]) == (RECORDED, "2026-11-21T10:00:01.623Z", 1500)
    assert (data["new_run_id"], data["failure"]) == (None, {"type": "T", "message": "m"})
    assert (attributes(ended())["ce_time"], ended().timestamp_ms) == (data["closed_at"], RECORDED_MS + 1500)


@pytest.mark.parametrize("state", [state for state in State if state is not State.STARTED])
def test_each_end_has_a_type_and_an_id_of_its_own(state: State) -> None:
    told = attributes(ended(End(state, 0, 1)))
    assert told["ce_type"] == f"workflow.{state.value}"
    assert told["ce_id"] == own_id("lifecycle", "n", "invoice-I-1", "run-1", state.value)


def test_a_lifecycle_event_made_again_from_the_memo_has_the_same_bytes() -> None:
    read = mark.read(mark.memo(mark.of(sent(), "g")))
    assert read is not None
    assert (lifecycle.started(read, RUN, "t.lifecycle"), lifecycle.ended(read, RUN, END, "t.lifecycle")) == (
        started(),
        ended(),
    )


@pytest.mark.parametrize(
    ("written", "model"),
    [(reply(Accepted("r")), Reply), (started(), WorkflowStarted), (ended(), WorkflowEnded)],
    ids=["reply", "start", "end"],
)
def test_an_event_is_read_by_the_cloudevents_package_and_by_its_model(written: OutRecord, model: Any) -> None:
    message = judge.KafkaMessage(
        headers={name: value or b"" for name, value in written.headers}, key=written.key, value=written.value or b""
    )
    event = judge.from_kafka_event(message, JSONFormat())
    told = attributes(written)
    assert (event.get_id(), event.get_type(), event.get_source(), event.get_subject()) == (
        told["ce_id"],
        told["ce_type"],
        told["ce_source"],
        told["ce_subject"],
    )
    assert event.get_extension("causationid") == "c-1"
    data = event.get_data()
    assert model.model_validate(data).model_dump(mode="json").items() >= data.items()  # type: ignore[union-attr]  # a dict
