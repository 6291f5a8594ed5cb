"""The stage of one fault: a group of its own, its members, its commands, and what is known of them at the end."""

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import confluent_kafka

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.groups import Groups
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Producer
from tests.acceptance.program import Program
from tests.faults import figures, histories, laws, reader, report
from tests.faults.evidence import Event, Evidence, Usage
from tests.faults.ledger import Entry, Ledger
from tests.faults.member import Member
from tests.faults.orders import Orders
from tests.faults.proxy import Proxy
from tests.faults.reader import Sampler
from tests.faults.wired import Wired
from tests.servers.fixtures import Kafka, Temporal

LOOK_SECONDS = 0.05
LOOK_AT_MEMBERS_SECONDS = 1.0  # what they take is a law also while they are busy
SETTLED_WITHIN_SECONDS = 180.0  # a bound for machines with other work; what is allowed to stand still is a law
STALL_MAX_SECONDS = 10.0
SESSION_SECONDS = 2.0
UPDATES = """
[[route]]
command = "invoice.approve"
verb = "update"
update = "amend"
id = "invoice-{invoice_id}"
argument = "event"
"""
TOPICS = ("invoice.process", "invoice.approve", "lead.score", "campaign.create")
BEGINS = ("invoice.process", "lead.score")


def nothing(_name: str, _value: object) -> None:
    """Note nothing: nobody makes a table."""


@dataclass
class Scene:
    """`prefix` begins every command id and business id, so that scenes do not see each other."""

    seed: int
    kafka: Kafka
    temporal: Temporal
    proxy: Proxy
    journal: Journal
    guard: processes.Guard
    folder: Path
    namespace: str = "default"
    is_full: bool = True
    note: Callable[[str, object], None] = nothing
    members: list[Member] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    looked: float = 0.0

    def __post_init__(self) -> None:
        print(f"seed {self.seed:#x}")  # noqa: T201 - shown where the test fails, by whatever, or with -s
        self.prefix = f"f{self.seed:x}"
        self._answered = reader.Answered(self.prefix)
        self._healed_at_ms: float | None = None
        self._behind = ""
        self.orders = Orders(self.prefix, random.Random(self.seed))  # noqa: S311 - repeatable on purpose
        self.group = f"faults-{self.prefix}"
        self.groups = Groups(self.kafka.bootstrap)
        self.producer = Producer(self.kafka.bootstrap)
        self.ledger = Ledger(self.folder / "ledger.jsonl", self.producer)
        self.env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=self.kafka.bootstrap,
            KAFKA_SESSION_TIMEOUT_MS=str(int(SESSION_SECONDS * 1000)),
            TEMPORAL_ADDRESS=self.proxy.address,
            TEMPORAL_NAMESPACE=self.namespace,
            BRIDGE_GROUP_ID=self.group,
            BRIDGE_SWEEP_INTERVAL="1",
        )
        self.sampler = Sampler(self.groups, self.group, lambda: len(self.ledger.entries), self.answered)

    def set_up(self) -> None:
        """Make what the group needs; it begins behind what lies there."""
        self.journal.forget()
        self.apply()
        known = [topic for topic in self.groups.admin.list_topics(timeout=10).topics if "." in topic]
        commands_topics = [topic[: -len(".dlq")] for topic in known if topic.endswith(".dlq")]
        self.begins = self.groups.ends(commands_topics)
        self.rewind()

    def apply(self) -> None:
        """Make topics and namespace that are missing."""
        setup = Program(self.guard, self.folder, self.env, "setup", "apply")
        assert setup.run(within=SETTLED_WITHIN_SECONDS) == 0, setup.text

    def rewind(self) -> None:
        """Set the group, which has no members, back to its begin."""
        self.groups.begin_at(self.group, self.begins)

    def approve_by_update(self) -> None:
        """Have the members that are added from now on take approvals as updates."""
        file = self.folder / "bridge.toml"
        file.write_text(UPDATES)
        self.env["BRIDGE_CONFIG"] = str(file)

    @property
    def wire(self) -> Proxy:
        """The proxy before Kafka."""
        assert isinstance(self.kafka, Wired), "this Kafka has no second listener"
        return self.kafka.wire

    def over_the_wire(self) -> Proxy:
        """Have the members that are added from now on reach Kafka through its proxy, and return that."""
        self.env["KAFKA_BOOTSTRAP_SERVERS"] = self.wire.address
        return self.wire

    def add(self, **more: str) -> Member:
        """Return another member, not started yet; `more` is environment of its own."""
        return self._added(self.env | more, None)

    def add_mute(self, sink: Path) -> Member:
        """Return another member whose log goes into a pipe or a device."""
        return self._added(self.env, sink)

    def _added(self, env: Mapping[str, str], sink: Path | None) -> Member:
        member = Member(f"member-{len(self.members) + 1}", self.guard, self.folder, env, sink)
        self.members.append(member)
        return member

    def running(self, count: int = 1, **more: str) -> list[Member]:
        """Return members that work, each with a share of the partitions."""
        members = [self.add(**more) for _ in range(count)]
        for member in members:
            member.begin()
        for member in members:
            member.wait_ready()
        return members

    def renew_producer(self) -> None:
        """Send through a client that knows no topic yet: after one was made anew or widened, or before a broker goes.

        librdkafka can end our process when a broker comes back whose partitions it knows.
        """
        self.producer = self.ledger.producer = Producer(self.kafka.bootstrap)

    def poison(self, topic: str, count: int, keys: Sequence[str] = ("poison",)) -> list[Entry]:
        """Send records that are no JSON."""
        headers = [("ce_specversion", b"1.0"), ("ce_source", b"/faults"), ("ce_type", topic.encode())]
        sent = []
        for position in range(count):
            cid = f"{self.prefix}-{self.orders.number():05}"
            one = [*headers, ("ce_id", cid.encode())]
            sent.append(self.ledger.send_poison(cid, topic, keys[position % len(keys)], b"{ no JSON", one))
        return sent

    def answers(self) -> list[Event]:
        return reader.answers(self.journal, self.prefix)

    def answered(self) -> int:
        return len(self._answered.ids(self.journal))

    def repeats(self) -> int:
        """Return how many answers are copies or second ones: their records were worked on again."""
        return reader.answer_count(self.journal, self.prefix) - self.answered()

    def letters(self) -> int:
        return len({letter.place for letter in reader.letters(self.journal, self.ledger.entries)})

    def look(self) -> None:
        """Note what the members take now."""
        self.looked = time.monotonic()
        for member in self.members:
            if member.program.is_running() and not member.is_frozen:
                with contextlib.suppress(OSError):  # it may end meanwhile
                    self.usage.append(member.usage())

    def until(self, condition: Callable[[], Any], what: str, within: float = SETTLED_WITHIN_SECONDS) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}. {self._told()}"
            if time.monotonic() - self.looked >= LOOK_AT_MEMBERS_SECONDS:
                self.look()
            time.sleep(LOOK_SECONDS)

    def let_last(self, seconds: float) -> None:
        """Let a fault last."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, "the time is over", seconds + 5)

    def until_answered(self, count: int, within: float = SETTLED_WITHIN_SECONDS) -> None:
        self.until(lambda: self.answered() >= count, f"{count} answers; there are {self.answered()}", within)

    def until_settled(self, within: float = SETTLED_WITHIN_SECONDS) -> None:
        """Wait until everything sent is answered or dead-lettered, and committed; `check` waits for the runs' ends."""
        sound = {entry.cid for entry in self.ledger.entries if entry.kind == "sound" and entry.place}
        poison = {entry.place for entry in self.ledger.entries if entry.kind == "poison"}
        self.until(
            lambda: sound <= self._answered.ids(self.journal),
            f"{len(sound)} commands are answered; {self.answered()} are",
            within,
        )
        self.until(lambda: len(poison) == self.letters(), "every bad record is dead-lettered", within)
        self.until(self._is_committed, "everything is committed")

    def _is_committed(self) -> bool:
        self.look()
        try:
            committed = self.groups.committed(self.group)
            ends = self.groups.ends(TOPICS)
        except (confluent_kafka.KafkaException, TimeoutError) as error:
            self._behind = f"the reader gets no answer: {type(error).__name__} {error}"
            self.groups.renew()
            return False  # no coordinator now
        left = {place: (committed.get(place, 0), end) for place, end in ends.items() if end > committed.get(place, 0)}
        self._behind = f"committed, end: {left}" if left else ""
        return not left

    def evidence(self) -> Evidence:
        """Return everything, once each end that the server lists is announced."""
        self.sampler.stop()
        entries = tuple(self.ledger.entries)
        ids = {entry.workflow_id for entry in entries}
        began = {entry.workflow_id for entry in entries if entry.topic in BEGINS and entry.kind == "sound"}
        prefixes = [f"invoice-{self.prefix}-", f"lead-{self.prefix}-"]
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS / 3
        while True:
            runs = histories.runs(self.temporal.address, self.namespace, prefixes)
            told = {(event.run_id, event.type != laws.STARTED) for event in reader.lifecycle(self.journal, ids)}
            closed = {(run.run_id, True) for run in runs if run.closed}
            newest = {run.workflow_id: run for run in runs}.values()  # one that has just begun is listed a moment later
            are_all = len(runs) >= len(began) and not any(run.continued for run in newest)
            if (are_all and closed <= told) or time.monotonic() > deadline:
                break
            time.sleep(LOOK_SECONDS * 4)
        return Evidence(
            entries=entries,
            effects=tuple(histories.effects(self.temporal.address, self.namespace, runs)),
            runs=tuple(runs),
            letters=tuple(reader.letters(self.journal, entries)),
            answers=tuple(self.answers()),
            lifecycle=tuple(reader.lifecycle(self.journal, ids)),
            samples=tuple(self.sampler.samples),
            progress=tuple(self.sampler.progress),
            usage=tuple(self.usage),
            committed=self.groups.committed(self.group),
            ends=self.groups.ends(TOPICS),
        )

    def check(self, stall_max_seconds: float = STALL_MAX_SECONDS, **hits: float) -> Evidence:
        """Hold all laws against what is found; `hits` prove that the fault was there."""
        found = self.evidence()
        counted = figures.of(self.seed, found, self._healed_at_ms)
        self.note(report.FIGURES, asdict(counted))  # of plain values: it may go to another process
        broken = laws.broken(found, hits, stall_max_seconds, self._healed_at_ms)
        assert broken == {}, self._told(broken)
        print(f"seed {self.seed:#x}: {hits}, {counted}")  # noqa: T201 - shown where the test fails, or with -s
        return found

    def healed(self) -> None:
        """Note that the fault is over: the recovery counts from here."""
        self._healed_at_ms = time.time() * 1000

    def close(self) -> None:
        self.sampler.stop()
        for member in self.members:
            if member.program.is_running():
                member.kill()
        self.groups.close()
        self.ledger.close()

    def _told(self, broken: dict[str, list[str]] | None = None) -> str:
        waiting = {one.name: one.metric("bridge_waiting") for one in self.members if one.program.is_running()}
        first = {name: (len(found), found[:5]) for name, found in (broken or {}).items()}
        return f"seed {self.seed:#x} {first} {self._behind}, waiting {waiting}\n" + "\n".join(_tail(self.members))


def _tail(members: Iterable[Member]) -> Iterable[str]:
    for member in members:
        if member.program.log.exists():
            yield f"{member.name}: {member.program.text[-1500:]}"
