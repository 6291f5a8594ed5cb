"""The figures of the bench: what each compares, its gate and its aim, and how it is measured."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench import latency
from tests.bench.arena import Arena, Weighed
from tests.bench.contestant import Contestant, Entry
from tests.bench.real import real_side

LOOP = Entry("loop", "loop", "bench.loop")
TWIN = Entry("twin", "loop", "bench.twin")  # the loop again: what differs between the two is noise
TUNED = Entry("tuned", "tunedloop", "bench.tuned")
HANDLER = Entry("handler", "handler", "bench.handler")
QUIET = Entry("quiet", "quiethandler", "bench.quiet")
ACK = Entry("ack", "ackhandler", "bench.ack")
OFF = Entry("off", "daemon", "bench.off")
ON = Entry("on", "daemon", "bench.on")
ONE = Entry("one", "daemon", "bench.one")
MANY = Entry("many", "daemon", "bench.many")
REAL = Entry("real", "daemon", "bench.real")
REAL_LOOP = Entry("real-loop", "loop", "bench.real-loop")
REAL_TWIN = Entry("real-twin", "loop", "bench.real-twin")

HANDLER_SHARE = 8  # it is as much slower: its rounds have fewer commands
ACK_SHARE = 64
IDLE_SECONDS = 10
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Gate:
    """What a figure must reach (`at_least` or at most), and what it should."""

    name: str
    gate: float | None = None
    aim: float | None = None
    at_least: bool = True
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Return whether a value passes."""
        return self.gate is None or (value >= self.gate if self.at_least else value <= self.gate)


@dataclass(slots=True)
class Figure:
    """A gate, and what each round gave for it."""

    gate: Gate
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)


def most(name: str, gate: float, aim: float | None = None, unit: str = "") -> Gate:
    """Return a gate for what must not exceed it."""
    return Gate(name, gate, aim, at_least=False, unit=unit)


@dataclass(frozen=True, slots=True)
class Bench:
    """How much is measured: rounds, and a scale of 1 for the sizes that the table names."""

    arena: Arena
    rounds: int
    scale: float
    say: Callable[[str], None]

    def size(self, count: int) -> int:
        """Return a number of commands at this scale."""
        return max(int(count * self.scale), 100)

    def rounds_of(self, *gates: Gate) -> Iterator[list[Figure]]:
        """Yield the figures once a round."""
        figures = [Figure(gate) for gate in gates]
        for number in range(self.rounds):
            yield figures
            said = ", ".join(f"{figure.gate.name} {figure.values[-1]:.2f}" for figure in figures)
            self.say(f"round {number + 1} of {self.rounds}: {said}")

    def starts(self, contestant: Contestant, count: int) -> Weighed:
        """Weigh a round of new commands."""
        return self.arena.round(contestant, self.arena.starts(contestant, count))


def core(bench: Bench) -> list[Figure]:
    """Weigh the bridge against the loop and the handler, on the stub."""
    count = bench.size(20_000)
    figures: list[Figure] = []
    with bench.arena.running(LOOP, TWIN, TUNED, OFF, ON, HANDLER, QUIET, ACK) as them:
        for figures in bench.rounds_of(
            Gate("A/A: CPU, loop / loop"),
            Gate("A/A: rate, loop / loop"),
            most("CPU, without replies and started events / loop", 1.25, 1.1),
            most("CPU, all on / loop", 1.6, 1.3),
            Gate("CPU, loop in the bridge's interpreter settings / loop"),
            Gate("rate, all on / FastStream handler", 6, 12),
            Gate("rate, all on / FastStream handler without its log"),
            Gate("rate, all on / FastStream handler that acknowledges after the work"),
            Gate("loop", unit="/s"),
            Gate("loop CPU", unit="us"),
            Gate("bridge, without", unit="/s"),
            Gate("bridge CPU, without", unit="us"),
            Gate("bridge, all on", unit="/s"),
            Gate("bridge CPU, all on", unit="us"),
            Gate("handler", unit="/s"),
            Gate("handler CPU", unit="us"),
        ):
            loop, off, on, tuned, twin = (
                bench.starts(them[entry.name], count) for entry in (LOOP, OFF, ON, TUNED, TWIN)
            )
            handler, quiet = (bench.starts(them[entry.name], count // HANDLER_SHARE) for entry in (HANDLER, QUIET))
            ack = bench.starts(them[ACK.name], count // ACK_SHARE)
            base = (loop.cpu_us + twin.cpu_us) / 2
            values = (
                twin.cpu_us / loop.cpu_us, twin.rate / loop.rate, off.cpu_us / base, on.cpu_us / base,
                tuned.cpu_us / base, on.rate / handler.rate, on.rate / quiet.rate, on.rate / ack.rate, loop.rate, base,
                off.rate, off.cpu_us, on.rate, on.cpu_us, handler.rate, handler.cpu_us,
            )  # fmt: skip
            _add(figures, values)
    return figures


def real(bench: Bench) -> list[Figure]:
    """Weigh the rate on the real server, which is the wall there."""
    count = bench.size(1000)
    figures: list[Figure] = []
    with real_side(bench.arena) as side, side.running(REAL_LOOP, REAL, REAL_TWIN) as them:
        for figures in bench.rounds_of(
            Gate("A/A: rate, loop / loop, real server"),
            Gate("rate, bridge / loop, real server", 0.90, 1.0),
            Gate("loop, real server", unit="/s"),
        ):
            loop, bridge, twin = (side.rate(them[entry.name], count) for entry in (REAL_LOOP, REAL, REAL_TWIN))
            _add(figures, (twin / loop, bridge / ((loop + twin) / 2), loop))
    return figures


def keys(bench: Bench) -> list[Figure]:
    """Weigh keys side by side against one key, where the server takes 5 ms."""
    figures: list[Figure] = []
    with bench.arena.running(ONE) as them:
        one = them["one"]
        for figures in bench.rounds_of(Gate("rate, 1000 keys / 1 key, 5 ms server, 1 partition", 10, 30)):
            parallel = bench.arena.round(
                one, bench.arena.signals(one, bench.size(10_000), 1000), delay_ms=5, is_open=True
            )
            serial = bench.arena.round(one, bench.arena.signals(one, bench.size(500), 1), delay_ms=5, is_open=True)
            _add(figures, (parallel.rate / serial.rate,))
    return figures


def delays(bench: Bench) -> list[Figure]:
    """Measure how much later than the loop the bridge reaches the server, at half of what it can carry."""
    figures: list[Figure] = []
    count = bench.size(10_000)
    with bench.arena.running(LOOP, ON) as them:
        half = bench.starts(them["on"], count).rate / 2
        for figures in bench.rounds_of(
            most("added latency p99 at half load", 5, 2, "ms"),
            Gate("half load", unit="/s"),
            Gate("loop p99", unit="ms"),
        ):
            loop, bridge = (latency.p99_ms(bench.arena, them[name], count, half) for name in ("loop", "on"))
            _add(figures, (bridge - loop, half, loop))
    return figures


def poison(bench: Bench) -> list[Figure]:
    """Weigh one bad record in ten, and nothing but duplicates: after an offset reset, and sent again by a producer."""
    count = bench.size(10_000)
    figures: list[Figure] = []
    with bench.arena.running(ON) as them:
        on = them["on"]
        for figures in bench.rounds_of(
            Gate("rate, 10 % poison / clean", 0.8, 0.95),
            Gate("rate, replay after an offset reset / fresh", 1.0),
            Gate("rate, sent again by the producer / fresh"),
        ):
            orders, begin = bench.arena.starts(on, count), bench.arena.kafka.ends(on.entry.topic)
            clean = bench.arena.round(on, orders)
            replayed = bench.arena.replay(on, orders, begin)
            again = bench.arena.round(on, orders, keep_stub=True)
            bad = bench.arena.round(on, bench.arena.starts(on, count, poison=10))
            _add(figures, (bad.rate / clean.rate, replayed / clean.rate, again.rate / clean.rate))
    return figures


def spread(bench: Bench) -> list[Figure]:
    """Weigh many keys against few, and many partitions against one."""
    figures: list[Figure] = []
    count = bench.size(100_000)
    with bench.arena.running(ONE, MANY) as them:
        one, many = them["one"], them["many"]
        for figures in bench.rounds_of(
            most("CPU, 100,000 keys / 100 keys", 1.2, 1.05), most("CPU, 64 partitions / 1", 1.2, 1.05)
        ):
            few = bench.arena.round(one, bench.arena.signals(one, count, 100), is_open=True)
            each = bench.arena.round(one, bench.arena.signals(one, count, count), is_open=True)
            single, parted = (bench.starts(contestant, count // 4) for contestant in (one, many))
            _add(figures, (each.cpu_us / few.cpu_us, parted.cpu_us / single.cpu_us))
    return figures


def backlog(bench: Bench) -> list[Figure]:
    """Weigh a long backlog against a short one."""
    figures: list[Figure] = []
    with bench.arena.running(ON) as them:
        on = them["on"]
        bench.starts(on, 10_000)  # what is kept once and for all is there
        for figures in bench.rounds_of(
            most("CPU, backlog 1,000,000 / 10,000", 1.1, 1.0),
            most("memory, backlog 1,000,000 - 10,000", 64, 16, "MB"),
        ):
            short = bench.starts(on, 10_000)
            long = bench.starts(on, bench.size(1_000_000))
            _add(figures, (long.cpu_us / short.cpu_us, (long.memory - short.memory) / MIB))
    return figures


def stuck(bench: Bench) -> list[Figure]:
    """Weigh many commands that are done behind one that is not, and a daemon with nothing to do."""
    count = bench.size(100_000)
    figures: list[Figure] = []
    with bench.arena.running(ONE) as them:
        one = them["one"]
        for figures in bench.rounds_of(
            most("CPU, one stuck, 100,000 done behind it / none stuck", 1.2, 1.05), most("idle", 1, None, "% of a core")
        ):
            free = bench.starts(one, count)
            orders = bench.arena.starts(one, count)
            held = bench.arena.round(one, orders, stuck=orders[0].workflow_id)
            _add(figures, (held.cpu_us / free.cpu_us, bench.arena.idle(one, IDLE_SECONDS) * 100))
    return figures


SECTIONS: dict[str, Callable[[Bench], list[Figure]]] = {
    section.__name__: section for section in (core, real, keys, delays, poison, spread, backlog, stuck)
}


def _add(figures: Sequence[Figure], values: Sequence[float]) -> None:
    for figure, value in zip(figures, values, strict=True):
        figure.values.append(value)
