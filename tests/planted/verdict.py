"""Whether a run of tests has shown a planted bug; pure."""

import re
from dataclasses import dataclass

from tests.planted.table import Bug

TOLD_CHARACTERS_MAX = 160
NOT_TELLING_CHARACTERS_MAX = 2000
_CONTROL = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run of pytest: its code, failures of tests by name, and what the processes with the bug noted.

    `broken` are tests that could not be begun or ended; `planted`, `met` and `failed` count processes, or tell why.
    """

    code: int
    seconds: float
    failures: dict[str, str]
    broken: tuple[str, ...] = ()
    planted: int = 0
    met: int = 0
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` is None where the tests did what they must; `test` and `told` say how."""

    problem: str | None
    test: str = ""
    told: str = ""


def of_control(run: Run) -> Verdict:
    """Hold the run without a bug against what it must be: green, with nothing planted."""
    if run.planted or run.failed:
        return Verdict("a bug was planted in the run that has none")
    if run.code != 0:
        return Verdict(f"red without a bug: {sorted(run.failures) or run.broken or f'code {run.code}'}")
    return Verdict(None)


def of_bug(bug: Bug, run: Run) -> Verdict:
    """Hold a run with a bug against what it must be: red for the law that the bug breaks."""
    if (void := _why_void(run)) is not None:
        return Verdict(void)
    for test, text in run.failures.items():
        if found := re.search(bug.shows, _CONTROL.sub("", text)):
            return Verdict(None, test, found[found.re.groups][:TOLD_CHARACTERS_MAX])
    texts = "\n".join(run.failures.values())[:NOT_TELLING_CHARACTERS_MAX]
    return Verdict(f"red, but not for {bug.law}: {texts or run.broken or f'code {run.code}'}")


def _why_void(run: Run) -> str | None:
    if run.failed:
        return f"could not be planted: {run.failed[0]}"
    if run.broken and not run.failures:
        return f"void: could not be begun or ended: {', '.join(run.broken)}"
    if not run.planted:
        return "no process had it planted"
    if not run.met:
        return "the wrong code never ran"
    return "not caught: the tests stay green" if run.code == 0 else None
