"""The lifecycle feed: how soon an end is announced, how many a second, and what runs cost in memory."""

import time
from collections.abc import Sequence

from tests.bench.announcements import Announcements, End
from tests.bench.arena import LedgerError
from tests.bench.contestant import Contestant, Entry
from tests.bench.figures import MIB, Bench, Figure, Gate, most
from tests.bench.real import RealSide, real_side
from tests.servers import ports

FEED = Entry("feed", "daemon", "bench.feed")
SWEPT = Entry("swept", "daemon", "bench.swept")
CALLED = Entry("called", "daemon", "bench.called")

SWEEP_SECONDS = 5  # the default of BRIDGE_SWEEP_INTERVAL
SWEPT_WITHIN_MS = (SWEEP_SECONDS + 1) * 1000
CALLED_WITHIN_MS = 250

BACKLOG_RATE = 4000  # ends a second while nobody announces them
STEADY_RATE = 1000
TERMINATED_RATE = 20  # a second: half of what keeps the development server busy
LIKE = 100  # commands before runs like theirs are made up


def feed(bench: Bench) -> list[Figure]:
    """Measure how soon ends are announced on the real server, how many a second and at what memory on the stub."""
    return [*_on_the_stub(bench), *_on_the_real_server(bench)]


def _on_the_stub(bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    arena, few, many = bench.arena, bench.size(1000), bench.size(100_000)
    for figures in bench.rounds_of(
        Gate("ends announced by one process", 1000, 2000, unit="/s"),
        Gate("CPU, an end", unit="us"),
        most("close to event p99, 1,000 ends a second", SWEPT_WITHIN_MS, None, "ms"),
        most("memory, 100,000 ends - 1,000", 64, 16, "MB"),
        most("memory, 100,000 open runs - 1,000", 16, 1, "MB"),
    ):
        # A process of its own each time: what one has needed once it keeps.
        with arena.running(FEED) as them, Announcements(arena.bootstrap, arena.kafka) as told:
            daemon = them[FEED.name]
            base, _ = _steady(bench, daemon, told, few)
            peak, ends = _steady(bench, daemon, told, many)
            few_open, many_open = _open(bench, daemon, few), _open(bench, daemon, many)
            rate, cpu_us = _backlog(bench, daemon, told, bench.size(20_000))
        values = (rate, cpu_us, _p99_ms(ends), (peak - base) / MIB, (many_open - few_open) / MIB)
        for figure, value in zip(figures, values, strict=True):
            figure.values.append(value)
    return figures


def _backlog(bench: Bench, daemon: Contestant, told: Announcements, count: int) -> tuple[float, float]:
    """Return how many ends a second are announced of those that a daemon finds when it comes back, and the CPU of each.

    In us; the time counts from the first end that is announced.
    """
    prefix = _like_a_start(bench, daemon)
    cpu = daemon.cpu_seconds()
    with daemon.paused():
        bench.arena.stub.make_runs(prefix, count, count * 1000 // BACKLOG_RATE)
        time.sleep(count / BACKLOG_RATE)
    read = sorted(end.read for end in _wait_for(bench, daemon, told, prefix, count))
    return count / (read[-1] - read[0]), (daemon.cpu_seconds() - cpu) / count * 1e6


def _steady(bench: Bench, daemon: Contestant, told: Announcements, count: int) -> tuple[int, Sequence[End]]:
    """Return the peak of memory while ends come at a steady rate, and until the sweep has passed them; and the ends."""
    prefix = _like_a_start(bench, daemon)
    daemon.forget_peak()
    bench.arena.stub.make_runs(prefix, count, count * 1000 // STEADY_RATE)
    ends = _wait_for(bench, daemon, told, prefix, count)
    time.sleep(2 * SWEEP_SECONDS)
    return daemon.peak_memory(), ends


def _open(bench: Bench, daemon: Contestant, count: int) -> int:
    """Return the peak of memory over some sweeps while so many runs are open."""
    prefix = _like_a_start(bench, daemon)
    bench.arena.stub.make_runs(prefix, count)
    daemon.forget_peak()
    time.sleep(3 * SWEEP_SECONDS)
    return daemon.peak_memory()


def _like_a_start(bench: Bench, daemon: Contestant) -> str:
    """Let the stub forget its runs, and start some that others can be made like; return a prefix for those."""
    bench.starts(daemon, LIKE)
    return f"made-{bench.arena.prefix()}-"


def _on_the_real_server(bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    arena, port = bench.arena, ports.free()
    callbacks = {
        "BRIDGE_CALLBACK_URL": f"http://{ports.HOST}:{port}",
        "BRIDGE_CALLBACK_ADDRESS": f"{ports.HOST}:{port}",
        "BRIDGE_CALLBACK_SECRET": "a secret of the bench, long enough for it",
    }
    with (
        real_side(arena) as side,
        side.running(SWEPT) as swept,
        side.running(CALLED, settings=callbacks) as called,
        Announcements(arena.bootstrap, arena.kafka) as told,
    ):
        for figures in bench.rounds_of(
            most("close to event p99, callbacks, 20 a second, real server", CALLED_WITHIN_MS, None, "ms"),
            most("close to event p99, sweep alone, 20 a second, real server", SWEPT_WITHIN_MS, None, "ms"),
        ):
            for figure, daemon in zip(figures, (called[CALLED.name], swept[SWEPT.name]), strict=True):
                figure.values.append(_p99_ms(_terminated(bench, side, daemon, told)))
    return figures


def _terminated(bench: Bench, side: RealSide, daemon: Contestant, told: Announcements) -> Sequence[End]:
    """Return the ends of runs that the daemon has begun and somebody else terminates."""
    arena, count = bench.arena, bench.size(400)
    orders = arena.starts(daemon, count)
    arena.sender.send(daemon.entry.topic, orders)
    arena.settle(daemon)
    side.terminate([order.workflow_id for order in orders], TERMINATED_RATE)
    prefix = orders[0].workflow_id.rpartition("-")[0] + "-"
    return _wait_for(bench, daemon, told, prefix, count)


def _wait_for(bench: Bench, daemon: Contestant, told: Announcements, prefix: str, count: int) -> Sequence[End]:
    """Return the ends of the runs once all are announced, each once."""
    bench.arena.wait(daemon, lambda: len(told.of(prefix)) >= count)
    ends = told.of(prefix)
    if len({end.event_id for end in ends}) != len(ends) or len(ends) != count:
        raise LedgerError(f"{daemon.name}: {count} ends were wanted, {len(ends)} were announced")
    return ends


def _p99_ms(ends: Sequence[End]) -> float:
    took = sorted(end.read - end.closed for end in ends)
    return took[int(len(took) * 0.99)] * 1000
