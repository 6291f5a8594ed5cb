"""What was found on both sides, and the events that the contract's text makes of it; pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.contract import event_id, time_text
from tests.acceptance.journal import Record
from tests.acceptance.producer import Sent
from tests.lifecycle.truth import Run

NAMESPACE = "default"
STARTED = "started"
WITH_RESULT = ".begin"  # the only route that asks for it


@dataclass(frozen=True)
class Expected:
    """One event that must be there."""

    group: str
    topic: str
    run: Run
    state: str
    cause: Sent

    @property
    def id(self) -> str:
        return event_id("lifecycle", NAMESPACE, self.run.workflow_id, self.run.run_id, self.state)

    @property
    def time_ms(self) -> int:
        return self.cause.timestamp_ms if self.state == STARTED else self.run.closed_ms

    @property
    def server_ms(self) -> int:
        """When it happened, by the server's clock."""
        return self.run.started_ms if self.state == STARTED else self.run.closed_ms

    def attributes(self) -> dict[str, str]:
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": f"/bridge/{self.group}",
            "type": f"workflow.{self.state}",
            "subject": self.run.workflow_id,
            "time": time_text(self.time_ms),
            "partitionkey": self.run.workflow_id,
            "causationid": self.cause.id,
            "correlationid": self.cause.id,
        }

    def data(self) -> dict[str, Any]:
        run = self.run
        both = {
            "workflow_id": run.workflow_id,
            "run_id": run.run_id,
            "first_run_id": run.first_run_id,
            "workflow_type": run.workflow_type,
            "namespace": NAMESPACE,
            "task_queue": run.task_queue,
            "state": self.state,
            "command_id": self.cause.id,
            "command_source": self.cause.source,
            "command_type": self.cause.command.type,
            "attempt": run.attempt,
        }
        if self.state == STARTED:
            return both
        result = {"result": run.result} if self.cause.command.type.endswith(WITH_RESULT) else {}
        return (
            both
            | result
            | {
                "started_at": time_text(run.started_ms),
                "closed_at": time_text(run.closed_ms),
                "duration_ms": run.closed_ms - run.started_ms,
                "new_run_id": run.new_run_id,
                "failure": run.failure,
            }
        )

    def differences(self, record: Record) -> list[str]:
        """Return what of a record is not as it must be."""
        wanted = {"topic": self.topic, "key": self.run.workflow_id.encode(), "timestamp": self.time_ms}
        there = {"topic": record.topic, "key": record.key, "timestamp": record.timestamp_ms}
        pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
            (wanted, there),
            (self.attributes(), record.attributes),
            (self.data(), record.data),
        ]
        return [
            f"{self.told}: {name} is {found.get(name)!r}, not {value!r}"
            for expected, found in pairs
            for name, value in expected.items()
            if found.get(name) != value
        ]

    @property
    def told(self) -> str:
        return f"{self.run.workflow_id} {self.run.run_id} {self.state}"


@dataclass(frozen=True)
class Evidence:
    """All that was found.

    `records` are those of the lifecycle topic and the replies, copies included, in the order of each partition.
    `reached` names the command that was the first to reach a run of others, by workflow id; `strangers` are the
    workflow ids of runs that are none of ours; `once` are ids of records that no crash can have doubled.
    """

    group: str
    topic: str
    runs: Sequence[Run]
    sent: Sequence[Sent]
    records: Sequence[Record]
    reached: Mapping[str, Sent] = field(default_factory=dict)
    strangers: Collection[str] = ()
    once: Collection[str] = ()

    @property
    def ours(self) -> list[Run]:
        return [run for run in self.runs if run.workflow_id not in self.strangers]

    def expected(self) -> dict[str, Expected]:
        """Return what must be there, by event id."""
        causes = self._causes()
        found = {}
        for run in self.ours:
            cause = causes[run.run_id]
            for state in filter(None, (STARTED, run.state)):
                one = Expected(self.group, self.topic, run, state, cause)
                found[one.id] = one
        return found

    def events(self) -> list[Record]:
        return [record for record in self.records if record.topic == self.topic]

    def replies(self) -> list[Record]:
        return [record for record in self.records if record.topic != self.topic]

    def _causes(self) -> dict[str, Sent]:
        """Return the command that each run goes back to, by run id: its chain's first run carries it."""
        by_id = {sent.id: sent for sent in reversed(self.sent)}  # the first record is the one that begins a run
        by_run = {run.run_id: run for run in self.runs}

        def cause(run: Run) -> Sent:
            first = by_run[run.first_run_id]
            if first.command_id is not None:
                return by_id[first.command_id]
            if run.workflow_id in self.reached:
                return self.reached[run.workflow_id]
            assert run.root[1] not in {"", run.run_id}, f"nobody began {run}"
            return cause(by_run[run.root[1]])

        return {run.run_id: cause(run) for run in self.ours}
