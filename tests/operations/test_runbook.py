"""The runbook and the tests agree: a section and a row for each problem, and in it the words that were seen."""

import re

import pytest

from bridge.telemetry.alerts import ALERTS, RUNBOOK
from tests.docs import render
from tests.operations.problems import PROBLEMS, Problem

TEXT = (render.ROOT / RUNBOOK).read_text()
WRITTEN = re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", TEXT, re.MULTILINE)
SECTIONS = {title.lower().replace(" ", "-"): text for title, text in WRITTEN}
TESTS = re.findall(r"^\| (.+) \| `\[(.+)\]` \|$", TEXT, re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def _slug(problem: Problem) -> str:
    return problem.name.lower().replace(" ", "-")


@pytest.mark.parametrize("problem", PROBLEMS, ids=_slug)
def test_the_runbook_says_in_which_words_a_problem_is_seen(problem: Problem) -> None:
    rows = [row for row in SECTIONS[_slug(problem)].splitlines() if row.startswith("| ")]
    for sight in problem.sights:
        place = f"`{sight.where}`, `{sight.check}`" if sight.check else f"`{sight.where}`"
        written = [word for row in rows if place in row for word in CODE.findall(row.split("|")[2])]
        assert any(word.strip() in sight.words for word in written), (sight, written)


def test_what_the_page_says_is_in_its_script() -> None:
    script = (render.ROOT / "bridge/admin/web/page.js").read_text()
    words = [word for row in re.findall(r"^\| the page \|(.*)\|$", TEXT, re.MULTILINE) for word in CODE.findall(row)]
    assert [word for word in words if not word.startswith("BRIDGE_") and word not in script] == []
    assert words


def test_the_runbook_names_the_test_of_each_problem() -> None:
    assert {(problem.name, problem.name.replace(" ", "-")) for problem in PROBLEMS} == set(TESTS)


def test_an_alert_leads_to_a_section_that_is_there() -> None:
    assert {alert.section for alert in ALERTS if alert.section} <= SECTIONS.keys()
