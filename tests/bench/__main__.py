"""`python -m tests.bench`: measure, print the table, write the page; 0 if every gate holds and the ledger is clean."""

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bridge.dev import kafka, processes
from tests.bench import feed, figures, telemetry
from tests.bench.arena import Arena, LedgerError
from tests.bench.figures import Bench, Figure

ROUNDS = 7
SECTIONS = {**figures.SECTIONS, "feed": feed.feed, "telemetry": telemetry.telemetry}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
PACKAGES = ("aiokafka", "faststream", "temporalio", "uvloop", "pydantic-core")

_INTRO = """\
# Benchmarks

`make bench` measures all of this in one run, the contestants in turn, round by round; each figure is the median of
{rounds} rounds, with the least and the most beside it. Ratios are within a round. The *loop* is the shortest one with
the same client calls and no promises: poll, start, commit, on uvloop, without compression, in an interpreter as it
comes; one row has it with what the bridge sets in its own (one client thread and one core for it, rarer collections of
garbage). The *handler* is FastStream's decorator and `client.start_workflow`, both as they come: with FastStream's log,
which goes to a file, and acknowledged first, so that a kill may lose a command; one row has it acknowledge after the
work. The *stub* is a Temporal frontend that answers at once.
CPU is user and system time of the process for each command. Each round's ledger is checked: every command reached the
server once, in the order of its key, and has one reply and one started event; every end is announced once. An *end*
takes from the server's close time to a consumer that has read it; on the stub they are of runs that it makes up, on the
real server of runs that are terminated; in the first round there the group is new, so its sweep first reads what all
sections wrote to the lifecycle topic in the last hour. The real server is Temporal's development server, which here
remembers what search attributes there are, as servers in production do.

{when}, {machine}, Python {python}, Apache Kafka {kafka}, {packages}. {note}

"""


def main() -> int:
    """Run the sections that are asked for."""
    options = _options()
    names = options.section or list(SECTIONS)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, processes.Guard() as guard:
        bench = Bench(Arena(guard, Path(folder)), options.rounds, options.scale, _say)
        for name in names:
            _say(f"{name}: {(SECTIONS[name].__doc__ or '').strip()}")
            try:
                found += SECTIONS[name](bench)
            except LedgerError as error:
                _say(f"the ledger is not clean: {error}")
                return 1
    table = "\n".join(_table(found))
    print(table, flush=True)  # noqa: T201 - it is what was asked for
    if options.write:
        PAGE.write_text(_intro(options) + table + "\n")
    return 0 if all(figure.gate.holds(figure.median) for figure in found) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes that the table names")
    parser.add_argument("--section", action="append", choices=list(SECTIONS), help="default: all")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    return parser.parse_args()


def _table(found: Iterable[Figure]) -> Iterator[str]:
    yield "| | median | least | most | gate | aim | |"
    yield "|---|---|---|---|---|---|---|"
    for figure in found:
        gate = figure.gate
        verdict = "" if gate.gate is None else "holds" if gate.holds(figure.median) else "**missed**"
        name = f"{gate.name}, {gate.unit}" if gate.unit else gate.name
        cells = (
            name,
            *map(_number, (figure.median, min(figure.values), max(figure.values), gate.gate, gate.aim)),
            verdict,
        )
        yield "| " + " | ".join(cells) + " |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _intro(options: argparse.Namespace) -> str:
    note = "" if options.scale == 1 else f"The sizes were scaled by {options.scale:g}."
    return _INTRO.format(
        rounds=options.rounds,
        when=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        python=platform.python_version(),
        kafka=kafka.VERSION,
        packages=", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        note=note,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress is talk


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the Temporal client can hang at the interpreter's exit
