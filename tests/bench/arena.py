"""The servers and processes of a run, and one round of one contestant."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bridge.dev import processes
from tests.bench import rows, traffic
from tests.bench.contestant import Contestant, Entry
from tests.bench.kafka_side import KafkaSide
from tests.bench.stubfrontend import Stub
from tests.bench.traffic import Order, Sender
from tests.servers.fixtures import Kafka
from topics import ids, spec

ROUND_SECONDS_MAX = 1800
LOOK_EVERY_SECONDS = 0.02
WARM_UP = 2000
NO_CONFIG: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a round showed: commands a second, CPU a command in us, the peak of memory."""

    rate: float
    cpu_us: float
    memory: int


class LedgerError(AssertionError):
    """A command was lost, doubled, or out of order."""


class Arena:
    """Kafka, the stub and who takes part on them."""

    def __init__(self, guard: processes.Guard, folder: Path) -> None:
        self.guard = guard
        self.folder = folder
        self._kafka = Kafka(guard, folder)
        self.stub = Stub(guard, folder)
        for each in (self._kafka, self.stub):
            each.start()
        for each in (self._kafka, self.stub):
            each.wait_ready()
        self.bootstrap = self._kafka.bootstrap
        self.kafka = KafkaSide(self.bootstrap)
        self.sender = Sender(self._kafka.bootstrap)
        self._prefixes = 0
        self._made: set[str] = set()
        self._make_topic(rows.REPLIES, 6)
        self._make_topic(rows.LIFECYCLE, 6)

    def prefix(self) -> str:
        """Return a word that no earlier command's id begins with."""
        self._prefixes += 1
        return f"r{self._prefixes}"

    @contextlib.contextmanager
    def running(
        self, *entries: Entry, temporal: str | None = None, settings: Mapping[str, str] = NO_CONFIG
    ) -> Iterator[dict[str, Contestant]]:
        """Hold the entries' processes, warm; `settings` are variables of their environment."""
        servers = {
            **settings,
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka.bootstrap,
            "TEMPORAL_ADDRESS": temporal or self.stub.address,
        }
        with contextlib.ExitStack() as stack:
            found: dict[str, Contestant] = {}
            for entry in entries:
                self._make_topics(entry)
                contestant = found[entry.name] = Contestant(self.guard, entry, self.folder, servers)
                contestant.start()
                stack.callback(contestant.stop)
            if temporal is None:
                for contestant in found.values():
                    self.round(contestant, self.starts(contestant, WARM_UP))
            yield found

    def starts(self, contestant: Contestant, count: int, *, poison: int = 0) -> list[Order]:
        """Return new commands that each start a workflow of their own."""
        return traffic.orders(self.prefix(), count, rows.start_of(contestant.entry.topic), poison=poison)

    def signals(self, contestant: Contestant, count: int, keys: int) -> list[Order]:
        """Return new commands that signal `keys` workflows."""
        return traffic.orders(self.prefix(), count, rows.signal_of(contestant.entry.topic), keys=keys)

    def round(
        self,
        contestant: Contestant,
        orders: Sequence[Order],
        *,
        delay_ms: int = 0,
        is_open: bool = False,
        stuck: str = "",
        keep_stub: bool = False,
    ) -> Weighed:
        """Let the contestant work off a backlog, and check the ledger; with `keep_stub` the stub remembers what was."""
        entry, sound = contestant.entry, [order for order in orders if not order.broken]
        held = [order for order in sound if not stuck or not order.workflow_id.startswith(stuck)]
        if not keep_stub:
            self.stub.reset(delay_ms=delay_ms, is_open=is_open, stuck=stuck)
        began_requests = self.stub.counts().requests
        outgoing = self._outgoing(entry)
        with contestant.paused():
            self.sender.send(entry.topic, orders)
            contestant.forget_peak()
            cpu, began = contestant.cpu_seconds(), time.time()
        self.wait(contestant, lambda: self.stub.counts().requests - began_requests >= len(held))
        ended = self.stub.counts().last_us / 1e6
        if len(sound) < len(orders):
            dead = entry.topic + spec.DEAD_LETTER_SUFFIX
            self.wait(contestant, lambda: self.kafka.count_since(dead, outgoing[dead]) >= len(orders) - len(sound))
            ended = max(ended, time.time())
        if stuck:
            time.sleep(2)  # two commits and a few more tries
        elif not entry.module.endswith("handler"):  # its commits are a timer's
            self.settle(contestant)
        used = contestant.cpu_seconds() - cpu
        weighed = Weighed(len(orders) / (ended - began), used / len(orders) * 1e6, contestant.peak_memory())
        if stuck:
            self.stub.reset(is_open=is_open)
            self.settle(contestant)
        else:
            self._check_effects(entry, sound)
        if entry.is_bridge and not rows.is_silent(entry.topic):
            self._check_answers(orders, sound, outgoing, began_run=not is_open and not keep_stub)
        return weighed

    def replay(self, contestant: Contestant, orders: Sequence[Order], begin: Mapping[int, int]) -> float:
        """Return the commands a second when all since `begin` comes again, as after a reset of the group's offsets.

        The process is a new one, which remembers nothing; the first fifth warms it.
        """
        entry = contestant.entry
        outgoing = self._outgoing(entry)
        contestant.stop()
        self.kafka.set_back(entry.group, entry.topic, begin)
        before = self.stub.counts().requests
        contestant.start()
        self.wait(contestant, lambda: self.stub.counts().requests - before >= len(orders) // 5)
        began, warm = time.time(), self.stub.counts().requests - before
        self.wait(contestant, lambda: self.stub.counts().requests - before >= len(orders))
        ended = self.stub.counts().last_us / 1e6
        self.settle(contestant)
        self._check_effects(entry, orders)
        self._check_answers(orders, orders, outgoing, began_run=True)
        return (len(orders) - warm) / (ended - began)

    def wait(self, contestant: Contestant, is_so: Callable[[], bool], every: float = LOOK_EVERY_SECONDS) -> None:
        """Wait for a condition while the contestant runs."""
        deadline = time.monotonic() + ROUND_SECONDS_MAX
        while not is_so():
            if contestant.exit_code is not None:
                raise contestant.failure()
            if time.monotonic() > deadline:
                raise LedgerError(f"{contestant.name}: commands are missing after {ROUND_SECONDS_MAX} s")
            time.sleep(every)

    def settle(self, contestant: Contestant) -> None:
        """Wait until the contestant has committed all that was sent."""
        entry = contestant.entry
        self.wait(contestant, lambda: self.kafka.is_committed(entry.group, entry.topic), every=0.1)

    def idle(self, contestant: Contestant, seconds: float) -> float:
        """Return the share of a core that a contestant uses while nothing is sent."""
        self.settle(contestant)
        before = contestant.cpu_seconds()
        time.sleep(seconds)
        return (contestant.cpu_seconds() - before) / seconds

    def _outgoing(self, entry: Entry) -> dict[str, dict[int, int]]:
        if not entry.is_bridge:
            return {}
        names = (rows.REPLIES, rows.LIFECYCLE, entry.topic + spec.DEAD_LETTER_SUFFIX)
        return {name: self.kafka.ends(name) for name in names}

    def _check_effects(self, entry: Entry, sound: Sequence[Order]) -> None:
        """Hold what reached the stub against what was sent: every command once, each key's in order."""
        wanted: dict[str, list[str]] = {}
        for order in sound:
            wanted.setdefault(order.workflow_id, []).append(order.id)
        found = self.stub.effects()
        if found.keys() != wanted.keys() or any(len(found[name].request_ids) != len(wanted[name]) for name in wanted):
            raise LedgerError(f"{entry.name}: {len(wanted)} workflows were wanted, {len(found)} were reached")
        if entry.is_bridge:
            for name, command_ids in wanted.items():
                requests = [ids.text("request", traffic.SOURCE, command) for command in command_ids]
                if [request.partition(":")[0] for request in found[name].request_ids] != requests:
                    raise LedgerError(f"{entry.name}: {name} did not get its commands once each, in order")

    def _check_answers(
        self,
        orders: Sequence[Order],
        sound: Sequence[Order],
        begin: Mapping[str, Mapping[int, int]],
        *,
        began_run: bool,
    ) -> None:
        """Hold the replies and started events against what was sent: one each."""
        answered = sorted(self.kafka.causes_since(rows.REPLIES, begin[rows.REPLIES]))
        if answered != sorted(order.id for order in orders):
            raise LedgerError(f"{len(orders)} replies were wanted, {len(answered)} are there")
        started = sorted(self.kafka.causes_since(rows.LIFECYCLE, begin[rows.LIFECYCLE]))
        if started != (sorted(order.id for order in sound) if began_run else []):
            raise LedgerError(f"{len(sound)} started events were wanted, {len(started)} are there")

    def _make_topics(self, entry: Entry) -> None:
        self._make_topic(entry.topic, rows.PARTITIONS.get(entry.topic, 6), {"message.timestamp.type": "LogAppendTime"})
        if entry.is_bridge:
            self._make_topic(entry.topic + spec.DEAD_LETTER_SUFFIX, 6)
            for topic in (spec.feed_topic(entry.group), spec.handled_topic(entry.group)):
                self._make_topic(topic.name, topic.partitions, topic.config)

    def _make_topic(self, name: str, partitions: int, config: Mapping[str, str] = NO_CONFIG) -> None:
        if name not in self._made:
            self._made.add(name)
            self.kafka.make(name, partitions, config)
