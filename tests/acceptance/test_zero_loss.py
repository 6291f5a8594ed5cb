"""Nothing lost, nothing doubled: processes and servers are taken away in the middle of work. Run last."""

import contextlib
import time
from collections import Counter

from tests.acceptance import commands, contract, program
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import COMMANDS, Line
from tests.acceptance.groups import Groups, Partition
from tests.acceptance.journal import Record
from tests.acceptance.producer import Command, Sent

# A step whose end Temporal or a worker lost is tried again once its time is up: two minutes for an invoice.
ALL_WITHIN_SECONDS = 150.0
ANSWERS = ("command.accepted", "command.duplicate")


class Work:
    """300 commands: leads that are scored, invoices that start and are approved."""

    def __init__(self, leads: int = 20, scores: int = 10, invoices: int = 50) -> None:
        self.leads = [fresh("lead") for _ in range(leads)]
        self.invoices = [fresh("inv") for _ in range(invoices)]
        self.scores = scores
        self.sent: list[Sent] = []

    def commands(self) -> list[Command]:
        """Return them well mixed, yet an approval after its invoice."""
        scores = [commands.lead(number, ["email_open"]) for _ in range(self.scores) for number in self.leads]
        starts = [commands.invoice(number, LARGE) for number in self.invoices]
        approvals = [commands.approve("invoice", number) for number in self.invoices]
        mixed: list[Command] = []
        for position in range(max(len(scores), len(starts))):
            mixed += scores[position : position + 1] + starts[position : position + 1]
            mixed += approvals[position - 5 : position - 4] if position >= 5 else []
        return mixed + approvals[max(len(scores), len(starts)) - 5 :]

    def answered(self, line: Line) -> set[str]:
        return {str(reply.attributes["causationid"]) for reply in line.journal.events(*ANSWERS)} & self.ids

    @property
    def ids(self) -> set[str]:
        return {sent.id for sent in self.sent}

    def wait_for_answers(self, line: Line, count: int) -> None:
        line.journal.wait_until(
            lambda: len(self.answered(line)) >= count,
            ALL_WITHIN_SECONDS,
            lambda: f"{count} answers; there are {len(self.answered(line))}. {line.daemon.text[-2000:]}",
        )

    def wait_for_all(self, line: Line) -> None:
        """Wait until every command has its answer and every run has done its work."""
        self.wait_for_answers(line, len(self.sent))
        scores = {sent.id for sent in self.sent if sent.command.type == "lead.score"}
        workflows = {f"invoice-{number}" for number in self.invoices}

        def missing() -> tuple[int, int]:
            scored = {event.data["command_id"] for event in line.journal.events("lead.scored")}
            ended = {event.data["workflow_id"] for event in line.journal.events("workflow.completed")}
            return len(scores - scored), len(workflows - ended)

        line.journal.wait_until(lambda: missing() == (0, 0), ALL_WITHIN_SECONDS, lambda: f"{missing()} missing")

    def check_once(self, line: Line) -> None:
        """Count at Temporal and in Kafka: one run or one signal a command, each event once by id, no dead letter."""
        for number in self.leads:
            mine = [sent.id for sent in self.sent if sent.command.key == number]
            assert [event.data["command_id"] for event in line.journal.events("lead.scored", key=number)] == mine
            assert line.view.signals(f"lead-{number}") == ["score"] * len(mine)
            assert len(line.view.runs_of(f"lead-{number}")) == 1
        for number in self.invoices:
            assert [status for _, status in line.view.runs_of(f"invoice-{number}").values()] == ["COMPLETED"]
            assert line.view.signals(f"invoice-{number}") == ["approve"]
            assert [event.type for event in line.journal.events(key=number)] == [
                "invoice.validated",
                "invoice.approval_requested",
                "invoice.approved",
                "invoice.sent",
                "invoice.recorded",
            ]
            assert [event.type for event in line.journal.events(key=f"invoice-{number}")] == [
                "workflow.started",
                "workflow.completed",
            ]
        places = {sent.place for sent in self.sent}
        letters = line.journal.records(lambda record: any(record.is_dead_letter_of(place) for place in places))
        assert letters == []
        assert differing_copies(line, self.ids) == []


def differing_copies(line: Line, causes: set[str]) -> list[tuple[Record, Record]]:
    """Return copies of an event that are not the first one byte by byte."""
    first: dict[str, Record] = {}
    differing = []
    for record in line.journal.records(lambda record: record.attributes.get("causationid") in causes):
        known = first.setdefault(record.attributes["id"], record)
        same = (known.topic, known.key, known.value, known.headers) == (
            record.topic,
            record.key,
            record.value,
            record.headers,
        )
        differing += [] if same else [(known, record)]
    return differing


def test_kill_9_in_the_middle_of_300_commands_loses_nothing_and_doubles_nothing(line: Line) -> None:
    work = Work()
    todo = work.commands()
    assert Counter(command.type for command in todo) == {
        "lead.score": 200,
        "invoice.process": 50,
        "invoice.approve": 50,
    }
    work.sent += line.producer.send_all(todo[:200])
    work.wait_for_answers(line, 20)
    line.daemon.kill()
    work.sent += line.producer.send_all(todo[200:])
    line.start_daemon()
    work.wait_for_answers(line, 220)
    line.daemon.kill()
    line.start_daemon()
    work.wait_for_all(line)
    work.check_once(line)


def test_sigterm_with_commands_in_flight_finishes_them_and_ends_with_0(line: Line) -> None:
    work = Work(invoices=10)
    work.sent += line.producer.send_all(work.commands())
    work.wait_for_answers(line, 5)
    assert line.daemon.terminate() == 0, line.daemon.text
    line.start_daemon()
    work.wait_for_all(line)
    work.check_once(line)


def test_temporal_killed_and_brought_back_delays_only(line: Line) -> None:
    work = Work(leads=10, scores=4, invoices=10)
    todo = work.commands()
    work.sent += line.producer.send_all(todo[:30])
    work.wait_for_answers(line, 5)
    line.temporal.kill()
    try:
        work.sent += line.producer.send_all(todo[30:])
        program.wait_for_status(f"{line.admin}/readyz", 503, line.daemon)
        assert program.get(f"{line.admin}/healthz")[0] == 200
    finally:
        line.temporal.start()
        line.temporal.wait_ready()
    program.wait_for_status(f"{line.admin}/readyz", 200, line.daemon)
    work.wait_for_all(line)
    work.check_once(line)


def test_kafka_killed_and_brought_back_delays_only(line: Line) -> None:
    work = Work(leads=10, scores=4, invoices=10)
    todo = work.commands()
    work.sent += line.producer.send_all(todo[:30])
    work.wait_for_answers(line, 5)
    line.kafka.kill()
    line.kafka.start()
    line.kafka.wait_ready()
    work.sent += line.producer.send_all(todo[30:])
    work.wait_for_all(line)
    work.check_once(line)


def test_sigterm_while_temporal_is_away_ends_with_4_and_nothing_is_lost(line: Line) -> None:
    work = Work(leads=5, scores=4, invoices=2)
    line.temporal.kill()
    try:
        work.sent += line.producer.send_all(work.commands())
        program.wait_for_status(f"{line.admin}/readyz", 503, line.daemon)
        code = line.daemon.terminate()
    finally:
        line.temporal.start()
        line.temporal.wait_ready()
    line.start_daemon()
    work.wait_for_all(line)
    work.check_once(line)
    assert code == 4


def test_offsets_reset_to_earliest_begin_nothing_anew(line: Line) -> None:
    group = f"BridgeGroup = '{contract.GROUP}'"
    with contextlib.closing(Groups(line.kafka.bootstrap)) as groups:
        wait_for_committed(groups, groups.ends(COMMANDS))  # a test that was skipped half way leaves commands under way
        runs = line.view.runs(group)
        leads = [workflow_id for workflow_id, _ in runs.values() if workflow_id.startswith("lead-")]
        signals = {name: line.view.signals(name) for name in leads}
        scores = {name: line.view.query(name, "score") for name in leads[:20]}
        assert line.daemon.terminate() == 0, line.daemon.text
        groups.begin_at(contract.GROUP, groups.begins(COMMANDS))
        line.start_daemon()
        wait_for_committed(groups, groups.ends(COMMANDS))
    assert set(line.view.runs(group)) == set(runs)
    assert {name: line.view.signals(name) for name in leads} == signals
    assert {name: line.view.query(name, "score") for name in leads[:20]} == scores


def wait_for_committed(groups: Groups, ends: dict[Partition, int]) -> None:
    deadline = time.monotonic() + ALL_WITHIN_SECONDS
    while True:
        found = groups.committed(contract.GROUP)
        left = {place: (found.get(place), end) for place, end in ends.items() if found.get(place, 0) < end}
        if not left:
            return
        assert time.monotonic() < deadline, f"not done: {left}"
        time.sleep(program.LOOK_SECONDS)
