"""The bugs can be planted, are told from each other, and the model of the intake notices those that are in it."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from bridge.intake import offsets
from tests.fuzz import effort
from tests.model.test_group import Doings
from tests.planted.planting import NothingThereError, Planting
from tests.planted.table import BUGS

IN_THE_INTAKE = ("commit_before_effect", "watermark_over_gap", "order_lost")


@pytest.fixture
def planting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planting:
    """Give a planting that is undone behind the test."""

    class Undone(Planting):
        def _put(self, owner: Any, name: str, planted: Any) -> None:
            monkeypatch.setattr(owner, name, planted)

    return Undone(tmp_path)


def plant(name: str, planting: Planting) -> None:
    importlib.import_module(f"tests.planted.bugs.{name}").plant(planting)


@pytest.mark.parametrize("name", [bug.name for bug in BUGS])
def test_a_bug_finds_what_it_replaces(name: str, planting: Planting) -> None:
    plant(name, planting)


def test_every_bug_is_in_the_table() -> None:
    modules = {file.stem for file in Path(__file__).with_name("bugs").glob("[a-z]*.py")}

    assert modules == {bug.name for bug in BUGS}


async def other_parameters(consumer: object) -> bool:
    return consumer is not None


@pytest.mark.parametrize(
    ("name", "planted"), [("commits", other_parameters), ("commit", other_parameters), ("commit", property(id))]
)
def test_a_bug_that_would_replace_nothing_or_something_else_is_refused(
    name: str, planted: Callable[..., Any] | property, planting: Planting
) -> None:
    with pytest.raises(NothingThereError):
        planting.replace(offsets, name, planted)


@pytest.mark.parametrize("name", IN_THE_INTAKE)
def test_the_model_of_the_intake_notices_a_bug_in_it(name: str, planting: Planting) -> None:
    plant(name, planting)
    few = hypothesis.settings(effort.settings(60, steps=40), phases=(Phase.generate,), report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Doings, settings=few)
