"""The pages say what the tables render, and lead nowhere that is not there."""

import re
from pathlib import Path

import pytest

from bridge.telemetry.names import Log, Metric
from tests.docs import pages, render, words
from topics import tables
from topics.environment import reader

NO_PLACE = re.compile(
    r"/root\b|/home/|/work/|/Users/|pypi\.org|files\.pythonhosted|repo1?\.maven|registry\.npmjs|proxy\.golang|index-url",
    re.IGNORECASE,
)
EVERY_PAGE = [pytest.param(page, id=str(page.relative_to(render.ROOT))) for page in render.pages()]


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_page_says_what_the_tables_render(page: Path) -> None:
    text = page.read_text()

    assert text == render.rendered(text), "run: python -m tests.docs.render"


def test_every_table_is_on_a_page() -> None:
    text = "".join(page.read_text() for page in render.pages())

    assert [name for name in render.BLOCKS if f"<!-- begin {name} -->" not in text] == []


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_link_of_a_page_leads_to_something_that_is_there(page: Path) -> None:
    targets = [link.partition("#")[0] for link in pages.links(page) if "://" not in link and not link.startswith("#")]

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_link_with_an_anchor_leads_to_a_heading(page: Path) -> None:
    parts = [link.partition("#") for link in pages.links(page) if "#" in link and "://" not in link]

    wrong = [anchor for target, _, anchor in parts if anchor not in anchors(page.parent / target if target else page)]
    assert wrong == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_page_names_no_registry_and_no_place_of_one_machine(page: Path) -> None:
    assert NO_PLACE.findall(page.read_text()) == []


def test_every_topic_is_in_the_docs() -> None:
    text = (render.ROOT / "docs/reference/topics.md").read_text()

    assert [topic.name for topic in tables.TOPICS if f"`{topic.name}`" not in text] == []


def test_every_type_of_event_is_in_the_readme() -> None:
    text = (render.ROOT / "README.md").read_text()

    names = [*tables.COMMANDS, *tables.EVENTS, *tables.LIFECYCLE_MODELS]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_variable_has_its_words_and_no_words_lack_their_variable() -> None:
    variables = {reader.variable_name(section, name) for section in render.SECTIONS for name in section.model_fields}

    assert set(words.VARIABLES) == variables


def test_every_variable_is_in_the_readme() -> None:
    text = (render.ROOT / "README.md").read_text()

    assert [variable for variable in words.VARIABLES if f"`{variable}`" not in text] == []


def test_every_log_event_has_its_words() -> None:
    assert set(words.LOG_EVENTS) == set(Log)


def test_every_metric_is_in_the_readme() -> None:
    text = (render.ROOT / "README.md").read_text()

    assert [metric for metric in Metric if f"`{metric}`" not in text] == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = render.ROOT / "docs/adr"
    listed = {link for link in pages.links(folder / "README.md") if "/" not in link}

    assert listed == {page.name for page in folder.glob("0*.md")}


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.stem) for page in sorted((render.ROOT / "docs/adr").glob("0*.md"))]
)
def test_a_decision_tells_its_context_decision_consequences_and_alternatives(page: Path) -> None:
    headings = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]
