"""What a start means when its workflow id has run before, as a table; and the mark that tells it."""

import dataclasses
import json
import uuid

import jiter
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status

from bridge import mark
from bridge.command import Command, Record, rfc3339
from bridge.dispatch import decision
from bridge.dispatch.decision import RunAgain
from bridge.dispatch.run import Run
from bridge.outcome import Accepted, Duplicate, Rejected
from bridge.routes import Rerun, Route, Verb
from tests.engine import records
from tests.engine.records import RECORDED_MS

RUNNING = Status.WORKFLOW_EXECUTION_STATUS_RUNNING
PAUSED = Status.WORKFLOW_EXECUTION_STATUS_PAUSED
COMPLETED = Status.WORKFLOW_EXECUTION_STATUS_COMPLETED
BEGAN_MS, CLOSED_MS = RECORDED_MS - 60_000, RECORDED_MS  # it had closed when the record was written
FAILURES = [
    Status.WORKFLOW_EXECUTION_STATUS_FAILED,
    Status.WORKFLOW_EXECUTION_STATUS_CANCELED,
    Status.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    Status.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
]


def start(
    command_id: str = "a",
    *,
    offset: int = 10,
    partition: int = 0,
    timestamp_ms: int = RECORDED_MS,
    rerun: Rerun = Rerun.AFTER_FAILURE,
    **attributes: str,
) -> Command:
    route = Route(command="t", verb=Verb.START, id="w-{id}", workflow="W", task_queue="q", rerun=rerun)
    headers = records.binary(id=command_id, type="t", **attributes)
    place = records.record(
        b'{"id":"1"}', headers, topic="t", offset=offset, partition=partition, timestamp_ms=timestamp_ms
    )
    return records.command(place, rows=[route])


def run_of(command: Command | None, status: int = RUNNING, *earlier: str) -> Run:
    """Return the latest run, the second one of its chain, begun by a command or by nobody of ours."""
    found = mark.of(command, "g", earlier) if command is not None else None
    closed_ms = 0 if status in (RUNNING, PAUSED) else CLOSED_MS
    return Run("w-1", "run-2", "run-1", status, BEGAN_MS, found, closed_ms)


def decide(command: Command, latest: Run, *, fresh: bool = False) -> decision.Decision:
    return decision.decide_start(command, latest, began_ms=BEGAN_MS, fresh=fresh)


OLD = start("old", offset=3)
DECISIONS = {
    "this very record": (start(), run_of(start()), Accepted("run-1", began=True)),
    "this very record of a closed run": (start(), run_of(start(), COMPLETED), Accepted("run-1", began=True)),
    "another record of the command": (start(offset=11), run_of(start()), Duplicate("run-1")),
    "the same place in a topic made anew": (
        start(timestamp_ms=RECORDED_MS + 1),
        run_of(start()),
        Duplicate("run-1"),
    ),
    "a command that started this id before": (
        start("b", offset=99),
        run_of(start(), RUNNING, start("b").request_id),
        Duplicate(None),
    ),
    "an older record of the same partition": (start("b", offset=9), run_of(start()), Duplicate(None)),
    "an older command of another partition, open": (
        start("b", offset=9, partition=1),
        run_of(start()),
        Rejected,
    ),
    "a record of a topic made anew": (
        start("b", offset=9, timestamp_ms=RECORDED_MS + 1),
        run_of(start(), COMPLETED),
        Rejected,
    ),
    "another command of an open run": (start("b", offset=11), run_of(start()), Rejected),
    "another command of a paused run": (start("b", offset=11), run_of(start(), PAUSED), Rejected),
    "a run of others that is open": (start(), run_of(None), Rejected),
    "a run of others that has failed": (start(), run_of(None, FAILURES[0]), RunAgain(())),
    "a closed run": (start("b", offset=11), run_of(start(), COMPLETED), Rejected),
    "a failed run": (start("b", offset=11), run_of(start(), FAILURES[0]), RunAgain((start().request_id,))),
    "a failed run of a chain of commands": (
        start("b", offset=11),
        run_of(start(), FAILURES[0], OLD.request_id),
        RunAgain((start().request_id, OLD.request_id)),
    ),
}


@pytest.mark.parametrize(("command", "latest", "expected"), DECISIONS.values(), ids=DECISIONS.keys())
def test_a_start_of_an_id_that_has_run(command: Command, latest: Run, expected: object) -> None:
    decided = decide(command, latest)
    assert (type(decided) if expected is Rejected else decided) == expected


def test_a_start_of_an_open_id_is_already_running_and_names_the_first_run_of_the_open_chain() -> None:
    decided = decide(start("b", offset=11), run_of(start()))
    assert isinstance(decided, Rejected)
    assert (decided.reason.value, decided.run_id) == ("already_running", "run-1")


POLICIES = [
    *((Rerun.NEVER, status, False) for status in (COMPLETED, *FAILURES)),
    *((Rerun.AFTER_FAILURE, status, status is not COMPLETED) for status in (COMPLETED, *FAILURES)),
    *((Rerun.ALWAYS, status, True) for status in (COMPLETED, *FAILURES)),
]


@pytest.mark.parametrize(("rerun", "status", "runs"), POLICIES)
def test_the_routes_rerun_says_whether_a_closed_id_runs_again(rerun: Rerun, status: int, runs: bool) -> None:
    decided = decide(start("b", offset=11, rerun=rerun), run_of(start(), status))
    assert isinstance(decided, RunAgain) is runs
    assert isinstance(decided, RunAgain) or decided.reason.value == "already_done"  # type: ignore[union-attr]  # Rejected


WRITTEN = [
    (BEGAN_MS - 5001, False),
    (BEGAN_MS - 5000, True),
    (BEGAN_MS, True),
    (CLOSED_MS - 1, True),
    (CLOSED_MS, False),
]


@pytest.mark.parametrize("status", [COMPLETED, *FAILURES])
@pytest.mark.parametrize(("written_ms", "refused"), WRITTEN)
def test_a_start_written_while_a_run_was_open_gets_the_same_answer_after_it_has_closed(
    status: int, written_ms: int, refused: bool
) -> None:
    again = start("b", offset=11, timestamp_ms=written_ms, rerun=Rerun.ALWAYS)
    latest = run_of(start(timestamp_ms=BEGAN_MS - 10_000), status)
    while_open = decide(again, dataclasses.replace(latest, status=RUNNING, closed_ms=0))
    assert (decide(again, latest) == while_open) is refused
    assert isinstance(decide(again, latest), RunAgain) is not refused


def test_a_start_that_nobody_can_have_refused_runs_again_also_where_it_was_written_just_before_the_failure() -> None:
    again, latest = start("b", offset=11, timestamp_ms=CLOSED_MS - 1), run_of(start(), FAILURES[0])
    assert isinstance(decide(again, latest, fresh=True), RunAgain)


def test_a_start_that_may_not_run_again_gets_one_answer_whether_it_is_the_first_time_or_not() -> None:
    again, latest = start("b", offset=11, timestamp_ms=CLOSED_MS - 1), run_of(start(), COMPLETED)
    assert decide(again, latest, fresh=True) == decide(again, latest, fresh=False)


TOO_NEW = {
    "begun by a start written later, and the id had run": (RECORDED_MS + 1, ("earlier",), True),
    "begun by a start written before": (RECORDED_MS, ("earlier",), False),
    "the first run of its id": (RECORDED_MS + 1, (), False),
}


@pytest.mark.parametrize(("begun_by_ms", "earlier", "too_new"), TOO_NEW.values(), ids=TOO_NEW.keys())
def test_a_run_is_too_new_for_a_command_that_the_run_before_it_has_refused(
    begun_by_ms: int, earlier: tuple[str, ...], too_new: bool
) -> None:
    latest = run_of(start("b", offset=12, timestamp_ms=begun_by_ms), RUNNING, *earlier)
    signal = dataclasses.replace(start(), route=Route(command="t", verb=Verb.SIGNAL, id="w-{id}", signal="s"))
    assert decision.is_too_new_for(latest, signal) is too_new


def test_no_run_is_too_new_for_a_command_that_could_begin_one_itself() -> None:
    latest = run_of(start("b", offset=12, timestamp_ms=RECORDED_MS + 1), RUNNING, "earlier")
    route = Route(command="t", verb=Verb.SIGNAL_WITH_START, id="w-{id}", signal="s", workflow="W", task_queue="q")
    assert not decision.is_too_new_for(latest, dataclasses.replace(start(), route=route))


@pytest.mark.parametrize(("started_ms", "looks"), [(RECORDED_MS - 5000, False), (RECORDED_MS - 4999, True)])
def test_only_a_run_younger_than_the_command_and_the_clocks_tolerance_makes_it_look_back(
    started_ms: int, looks: bool
) -> None:
    assert decision.must_look_back(start(), started_ms) is looks


def test_a_command_was_sent_no_later_than_its_own_time_says() -> None:
    assert start(time="2026-11-21T09:00:00Z").created_ms == RECORDED_MS - 3_600_123
    assert start(time="2026-11-21T11:00:00Z").created_ms == RECORDED_MS
    assert start(time="2026-11-21t09:00:00z").created_ms == RECORDED_MS - 3_600_123
    assert start(time="2026-11-21T08:59:60Z").created_ms == RECORDED_MS - 3_601_123


def test_the_request_id_is_made_as_the_contract_says() -> None:
    kind = uuid.uuid5(uuid.NAMESPACE_URL, "kafka-temporal-bridge/request")
    assert start("a").request_id == str(uuid.uuid5(kind, "/shop\x1fa"))


def test_the_records_request_id_tells_copies_of_a_command_apart() -> None:
    one, same, other = start(offset=1), start(offset=1), start(offset=2)
    assert one.record_request_id == same.record_request_id != other.record_request_id
    assert one.record_request_id.split(":")[0] == one.request_id == other.request_id


def test_a_mark_is_read_as_it_was_written() -> None:
    written = mark.of(start(tracestate="a=1"), "g", ("x", "y"))
    assert mark.read(mark.memo(written)) == written


def test_a_mark_is_plain_json_of_the_names_that_others_read() -> None:
    payload = mark.memo(mark.of(start(), "g"))
    assert payload.metadata == {"encoding": b"json/plain"}
    fields = jiter.from_json(payload.data)
    assert {name: fields[name] for name in ("command", "source", "type", "topic", "partition", "offset")} == {
        "command": "a",
        "source": "/shop",
        "type": "t",
        "topic": "t",
        "partition": 0,
        "offset": 10,
    }
    assert (fields["time"], fields["group"], fields["route"]) == (rfc3339(RECORDED_MS), "g", "t")


def test_a_mark_remembers_at_most_32_commands() -> None:
    many = mark.of(start(), "g", tuple(str(number) for number in range(40)))
    assert len(many.known_request_ids) == 32
    assert many.known_request_ids[:2] == (start().request_id, "0")


def test_a_marks_time_is_read_back_to_the_millisecond() -> None:
    assert mark.of(start(), "g").recorded_ms == RECORDED_MS


FOREIGN = {
    "no JSON": b"x",
    "a list": b"[]",
    "text": b'"bridge"',
    "fields missing": b'{"command":"a"}',
    "a partition that is text": {"partition": "0"},
    "an offset that is null": {"offset": None},
    "a command that is a number": {"command": 7},
    "earlier ids that are a number": {"earlier": 1},
    "earlier ids that are numbers": {"earlier": [1]},
    "a time that is none": {"time": "yesterday"},
    "a time without an offset": {"time": "2026-11-21T10:00:00"},
    "a traceparent that is none": {"traceparent": "x"},
    "a tracestate that is a list": {"tracestate": []},
    "a partition that Kafka cannot have": {"partition": 2**31},
    "a partition below the first": {"partition": -1},
    "an offset that Kafka cannot have": {"offset": 2**63},
    "an offset below the first": {"offset": -1},
    "a topic without a name": {"topic": ""},
    "a topic whose name is too long": {"topic": "t" * 250},
    "a topic whose name Kafka does not take": {"topic": "a/b"},
    "a reply topic whose name is too long": {"done": "t" * 250},
    "a command that is too long": {"command": "c" * 301},
    "a source with a line break": {"source": "/a\n"},
    "a type that is too long": {"type": "t" * 301},
    "a group that is too long": {"group": "g" * 301},
    "a route that is too long": {"route": "r" * 301},
    "a correlation id of 1.2 MB": {"correlationid": "c" * 1_200_000},
    "a correlation id with a null": {"correlationid": "a\0"},
    "a tracestate that is too long": {"tracestate": "a" * 513},
    "a tracestate with a line break": {"tracestate": "a=1\n"},
    "too many earlier ids": {"earlier": ["a"] * 33},
    "an earlier id that is too long": {"earlier": ["a" * 301]},
    "a time in another form": {"time": "2026-11-21T10:00:00+00:00"},
    "a time with too many digits": {"time": "2026-11-21T10:00:00." + "0" * 1000 + "Z"},
    "a time before the calendar": {"time": "0000-01-01T00:00:00.000Z"},
}


@pytest.mark.parametrize("memo", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_memo_that_is_no_mark_of_ours_is_none(memo: bytes | dict[str, object]) -> None:
    if isinstance(memo, dict):
        memo = json.dumps({**dataclasses.asdict(mark.of(start(), "g")), **memo}).encode()
    assert mark.read(Payload(data=memo)) is None


LONGEST = {
    "binary": records.record(
        headers=records.binary(
            {"specversion": "1.0", "id": "i" * 255, "source": "s" * 255, "type": "t" * 249},
            correlationid="c" * 255, tracestate="a" * 512,
            traceparent=f"00-{'1' * 32}-{'2' * 16}-00", replyto="r" * 249,
            replywhen="done",
        ),
        topic="t" * 249, partition=2**31 - 1, offset=2**63 - 1, timestamp_ms=2**62,
    ),
    "bare JSON": records.record(topic="t" * 249, partition=2**31 - 1, offset=2**63 - 1, timestamp_ms=2**62),
    "without a timestamp": records.record(topic="t" * 249, timestamp_ms=-1),
}  # fmt: skip


@pytest.mark.parametrize("record", LONGEST.values(), ids=LONGEST.keys())
def test_the_mark_of_whatever_intake_takes_is_read_back(record: Record) -> None:
    route = Route(command="t" * 249, verb=Verb.START, id="w-{invoice_id}", workflow="W", task_queue="q")
    command = records.command(record, rows=[route], reply_topics=["r" * 249])
    written = mark.of(command, "g" * 249, tuple("e" * 36 for _ in range(32)))
    assert mark.read(mark.memo(written)) == written


@pytest.mark.parametrize(("ahead_ms", "may"), [(0, True), (45 * 60_000, True), (45 * 60_000 + 1, False)])
def test_a_mark_from_later_than_the_start_of_its_run_cannot_have_begun_it(ahead_ms: int, may: bool) -> None:
    written = mark.of(start(timestamp_ms=RECORDED_MS + ahead_ms), "g")
    assert written.may_begin(RECORDED_MS) is may


def test_a_mark_of_a_later_version_is_read_without_what_is_not_known() -> None:
    written = mark.of(start(), "g")
    text = mark.memo(written).data[:-1] + b',"newer":1}'
    assert mark.read(Payload(data=text)) == written


def test_the_search_attributes_are_the_group_and_the_ids() -> None:
    command = start()
    found = mark.search_attributes(command, "g")
    assert {name: (p.metadata["type"], jiter.from_json(p.data)) for name, p in found.items()} == {
        "BridgeGroup": (b"Keyword", "g"),
        "BridgeIds": (b"KeywordList", ["a", command.traceparent.split("-")[1]]),
    }


TIMES = {
    "the epoch": (0, "1970-01-01T00:00:00.000Z"),
    "no timestamp": (-1, "1969-12-31T23:59:59.999Z"),
    "the last ms of a second": (RECORDED_MS - 124, "2026-11-21T09:59:59.999Z"),
    "beyond what RFC 3339 can say": (2**62, "9999-12-31T23:59:59.999Z"),
    "before it": (-(2**62), "0001-01-01T00:00:00.000Z"),
}


@pytest.mark.parametrize(("milliseconds", "text"), TIMES.values(), ids=TIMES.keys())
def test_a_time_is_told_in_utc_with_ms(milliseconds: int, text: str) -> None:
    assert rfc3339(milliseconds) == text
