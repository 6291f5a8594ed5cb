"""The stage of one test: a group with routes of its own, its members, and what is known of its runs."""

import itertools
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.journal import Journal, Record
from tests.acceptance.producer import Command, Producer, Sent
from tests.acceptance.program import Program
from tests.faults.member import Member
from tests.lifecycle import deployment, plays, truth, verdict
from tests.lifecycle.evidence import STARTED, Evidence
from tests.lifecycle.hand import Hand
from tests.lifecycle.plays import Cue
from tests.servers.fixtures import Kafka, Temporal

LOOK_SECONDS = 0.05
ALL_WITHIN_SECONDS = 40.0
SESSION_SECONDS = 2.0
SWEEP_SECONDS = 1.0
SOURCE = "/lifecycle"
REPLIES = "bridge.replies"


@dataclass
class Stage:
    """`prefix` begins every name, so that tests do not see each other; `daemon` is environment of the members."""

    prefix: str
    kafka: Kafka
    temporal: Temporal
    guard: processes.Guard
    folder: Path
    mode: str
    verbs: deployment.Verbs
    members: list[Member] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    reached: dict[str, Sent] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.group = f"lifecycle-{self.prefix}"
        self.queue = f"{self.prefix}-plays"
        self.topic = f"{self.prefix}.lifecycle"
        self.hand = Hand(self.temporal.address)
        self.producer = Producer(self.kafka.bootstrap)
        self._numbers = itertools.count(1)
        config = self.folder / "bridge.toml"
        config.write_text(deployment.routes(self.prefix, self.queue, self.verbs))
        self.env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=self.kafka.bootstrap,
            KAFKA_SESSION_TIMEOUT_MS=str(int(SESSION_SECONDS * 1000)),
            TEMPORAL_ADDRESS=self.temporal.address,
            BRIDGE_CONFIG=str(config),
            BRIDGE_GROUP_ID=self.group,
            BRIDGE_SWEEP_INTERVAL=f"{SWEEP_SECONDS:g}",
        )
        setup = Program(self.guard, self.folder, self.env, "setup", "apply")
        assert setup.run() == 0, setup.text
        self.journal = Journal(self.kafka.bootstrap, [self.topic, REPLIES])

    def add(self) -> Member:
        """Return another member, not started yet."""
        member = Member(
            f"member-{len(self.members) + 1}", self.guard, self.folder, self.env | deployment.callbacks(self.mode)
        )
        self.members.append(member)
        return member

    def running(self, count: int = 1) -> list[Member]:
        """Return members that work."""
        members = [self.add() for _ in range(count)]
        for member in members:
            member.begin()
        for member in members:
            member.wait_ready()
        return members

    def workflow_id(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def command(self, verb: str, name: str, *, cue: Cue | None = None, **extensions: str) -> Command:
        data: dict[str, Any] = {f"{self.prefix}_id": name} | ({} if cue is None else {"cue": cue})
        number = next(self._numbers)
        return Command(f"{self.prefix}.{verb}", data, f"{self.prefix}-c{number:05}", SOURCE, extensions)

    def send(self, commands: Iterable[Command]) -> list[Sent]:
        sent = self.producer.send_all(commands)
        self.sent += sent
        return sent

    def begin(self, names: Iterable[str]) -> None:
        """Have runs begun that wait for a cue, and wait until they do."""
        names = list(names)
        self.have_begun(names, "begin")
        self.hand.until_waiting(map(self.workflow_id, names))

    def have_begun(self, names: Collection[str], verb: str, within: float = ALL_WITHIN_SECONDS) -> None:
        """Have runs begun by the commands of a verb, and wait until their starts are announced."""
        self.send(self.command(verb, name) for name in names)
        self.until(lambda: self.is_told(names, STARTED), "the starts are announced", within)

    def events(self) -> list[Record]:
        return self.journal.records(lambda record: record.topic == self.topic)

    def is_told(self, names: Iterable[str], state: str) -> bool:
        """Say whether an event of this state is there for each of these."""
        there = {record.attributes["subject"] for record in self.events() if record.type == f"workflow.{state}"}
        return {self.workflow_id(name) for name in names} <= there

    def ends_told(self, ids: Iterable[str]) -> int:
        """Return how many events tell of an end of these workflow ids."""
        wanted = set(ids)
        return sum(
            record.attributes["subject"] in wanted and record.type != f"workflow.{STARTED}" for record in self.events()
        )

    def until(self, condition: Callable[[], Any], what: str, within: float = ALL_WITHIN_SECONDS) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}. {self._told(self._broken())}"
            time.sleep(LOOK_SECONDS)

    def owner(self) -> Member | None:
        """Return the running member that says it owns the feed."""
        return next((one for one in self.members if one.program.is_running() and owns(one)), None)

    def evidence(self, once: Iterable[str] = ()) -> Evidence:
        ids = {sent.id.encode() for sent in self.sent}
        return Evidence(
            group=self.group,
            topic=self.topic,
            runs=truth.runs(self.temporal.address, f"{self.prefix}-"),
            sent=tuple(self.sent),
            records=self.journal.records(lambda record: record.topic == self.topic or record.key in ids),
            reached=dict(self.reached),
            strangers=set(self.strangers),
            once=tuple(once),
        )

    def settled(self, within: float = ALL_WITHIN_SECONDS) -> Evidence:
        """Return the evidence once nothing is missing, or once that takes too long."""
        deadline = time.monotonic() + within
        found = self.evidence()
        expected = found.expected().keys()
        while not expected <= {record.id for record in self.events()} and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return self.evidence()

    def check(self, once: Iterable[str] = ()) -> Evidence:
        """Hold all laws against what is there once every member has begun anew and has swept: then nothing is late."""
        self.settled()
        for member in self.members:
            if member.program.is_running():
                assert member.terminate() == 0, member.program.text[-3000:]
                member.start()
        last = f"last-{len(self.sent)}"
        self.send([self.command("begin", last, cue=plays.COMPLETE)])
        self.until(lambda: self.is_told([last], "completed"), "a run that began and ended last is announced")
        self.until(lambda: truth.runs(self.temporal.address, f"{self.prefix}-{last}"), "Temporal lists it")
        found = self.evidence(once)
        wrong = verdict.broken(found)
        assert wrong == {}, self._told(wrong)
        left = [run.workflow_id for run in found.ours if run.state is None]
        assert left == [], f"{left} are open, and prove nothing of their ends"
        return found

    def close(self) -> None:
        for member in self.members:
            if member.program.is_running():
                member.kill()

    def _broken(self) -> verdict.Broken:
        return verdict.broken(self.evidence())

    def _told(self, wrong: verdict.Broken) -> str:
        laws = [f"{law}: {len(lines)}\n  " + "\n  ".join(lines[:12]) for law, lines in wrong.items()]
        logs = [f"{one.name}: {one.program.text[-1500:]}" for one in self.members if one.program.log.exists()]
        return "\n".join([self.prefix, *laws, *logs])


def owns(member: Member) -> bool:
    """Say whether this start of a member holds the feed, by its log."""
    lines = [line for line in member.program.text.splitlines() if '"lifecycle feed ' in line]
    turns = [line for line in lines if "feed owned" in line or "feed released" in line]
    return bool(turns) and "feed owned" in turns[-1]
