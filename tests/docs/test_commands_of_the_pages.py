"""What the pages tell people to type is there."""

import re
import tomllib
from pathlib import Path

import pytest

from bridge import cli, routes, settings
from bridge.command import Command, Record
from bridge.intake.decode import Decoder
from bridge.routes import keys
from tests.docs import pages, render
from topics import tables

OTHER_PROGRAMS = {".", "echo", "ls", "jq", "curl", "docker", "kubectl", "compose/manage"}
PLACE = re.compile(r"[\w.]+/\d+/\d+")  # topic/partition/offset
MADE_BY_RUNNING = (".venv", ".bridge")

BRIDGE_LINES = [(page, words[1:]) for page, words in pages.command_lines() if words[0] == "bridge"]
EXAMPLES = sorted(path for name in tables.COMMANDS for path in (render.ROOT / "examples" / name).rglob("*"))


@pytest.mark.parametrize(("page", "words"), [pytest.param(*line, id=" ".join(line[1])) for line in BRIDGE_LINES])
def test_a_bridge_command_of_the_pages_exists_with_these_flags(page: str, words: list[str]) -> None:
    _, bound, _ = cli.application(()).parse_args(words, exit_on_error=False, print_error=False)

    given = [value for argument in bound.args for value in (argument if isinstance(argument, tuple) else (argument,))]
    taken_for_a_value = [value for value in given if isinstance(value, str) and value.startswith("--")]
    assert taken_for_a_value == [], page


def test_the_pages_have_commands_to_try() -> None:
    assert {words[0] for _, words in BRIDGE_LINES} >= {"publish", "tail", "setup", "run", "worker", "config"}


@pytest.mark.parametrize(
    ("page", "target"),
    [pytest.param(page, words[1], id=f"{page}-{number}-{words[1]}")
     for number, (page, words) in enumerate(pages.command_lines()) if words[0] == "make"],
)  # fmt: skip
def test_a_make_target_of_the_pages_exists(page: str, target: str) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (render.ROOT / "Makefile").read_text(), re.MULTILINE)

    assert target in targets, page


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(render.ROOT))) for page in render.pages()])
def test_a_make_target_that_a_page_speaks_of_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (render.ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= set(targets)


def test_no_other_program_is_needed_than_those_we_know_of() -> None:
    assert {words[0] for _, words in pages.command_lines()} <= {"bridge", "make"} | OTHER_PROGRAMS


def test_every_file_that_a_command_of_the_pages_reads_is_there() -> None:
    files = {
        word for _, words in pages.command_lines() for word in words[1:] if re.fullmatch(r"[\w.-]+/[\w./-]+", word)
    }

    named = sorted(file for file in files if not (file.startswith(MADE_BY_RUNNING) or PLACE.fullmatch(file)))
    assert named != []
    assert [file for file in named if not (render.ROOT / file).exists()] == []


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(render.ROOT))) for path in EXAMPLES])
def test_an_example_is_a_command_of_the_topic_that_its_folder_names(path: Path) -> None:
    texts = path.read_bytes().splitlines() if path.suffix == ".jsonl" else [path.read_bytes()]
    decoder = Decoder(routes.table(settings.ALL_DOMAINS))

    for number, text in enumerate(texts):
        decoded = decoder.decode(Record(path.parent.name, 0, number, 1_700_000_000_000, None, text, ()))
        assert isinstance(decoded, Command), decoded


def test_every_configuration_file_of_the_pages_is_sound(tmp_path: Path) -> None:
    found = [block for block in pages.blocks("toml") if block.page == render.ROOT / "README.md"]

    assert len(found) == 1
    file = tmp_path / "bridge.toml"
    file.write_text(found[0].text)
    loaded = settings.load({"BRIDGE_CONFIG": str(file)})
    assert loaded.domains == tuple(tomllib.loads(found[0].text)["domains"])
    assert loaded.skip_unroutable == {"lead.score"}
    assert loaded.bridge.group_id == "billing"


def test_the_routes_of_the_how_to_are_the_examples() -> None:
    (found,) = (block for block in pages.blocks("toml") if block.page == render.ROOT / "docs/how-to/routes.md")

    assert found.text == (render.ROOT / "examples/typescript/bridge.toml").read_text()


def test_the_how_to_tells_of_every_key_of_a_route() -> None:
    text = (render.ROOT / "docs/how-to/routes.md").read_text()

    assert [key for key in (*keys.READERS, "schema") if f"`{key}`" not in text] == []
