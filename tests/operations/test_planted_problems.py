"""Each problem is found by `bridge doctor` and `bridge trace` alone, in the words of the runbook."""

import pytest

from tests.deadletter.desk import until
from tests.operations.conftest import WITHIN_SECONDS, Stack
from tests.operations.problems import DOCTOR, PROBLEMS, TRACE, Problem, Sight


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name.replace(" ", "-"))
def test_a_planted_problem_is_seen_where_the_runbook_says(stack: Stack, problem: Problem) -> None:
    with problem.plant(stack) as meant:
        missing = list(problem.sights)
        told = ""

        def is_seen() -> bool:
            nonlocal missing, told
            told, missing = _look(stack, meant, missing)
            return not missing

        try:
            until(is_seen, "", WITHIN_SECONDS)
        except AssertionError:
            raise AssertionError(f"{missing} was not seen in:\n{told}") from None


def _look(stack: Stack, meant: str, sights: list[Sight]) -> tuple[str, list[Sight]]:
    """Return what is told now, and what of the sights is not in it."""
    wanted = {sight.where for sight in sights}
    rows = stack.doctor() if DOCTOR in wanted else []
    account = stack.trace(meant) if TRACE in wanted else ""
    left = [sight for sight in sights if not _is_in(sight, rows, account)]
    return "\n".join([*map(str, rows), account]), left


def _is_in(sight: Sight, rows: list[dict[str, str]], account: str) -> bool:
    if sight.where == TRACE:
        return sight.words in account
    found = [row["status"] for row in rows if row["check"] == sight.check and sight.words in row["detail"]]
    return sight.status in found
