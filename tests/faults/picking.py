"""A plugin for each process of `make faults`: picks the tests, and lets a report say which faults its test makes."""

from typing import TYPE_CHECKING

import pytest

from tests.faults.report import NUMBERS

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only", default="", help="numbers of faults, separated by commas")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = {int(number) for number in config.getoption("only").replace(",", " ").split()}
    wanted = [item for item in items if not only or only.intersection(numbers(item))]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted
    for item in wanted:
        item.user_properties.append((NUMBERS, numbers(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Deal modules: in `make test` all faults stay in one process, as the tests of other folders fill the others."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - pytest wants to import it first

    return LoadScopeScheduling(config, log)


def numbers(item: pytest.Item) -> tuple[int, ...]:
    """Return the faults that a test makes."""
    return tuple(sorted({number for mark in item.iter_markers("fault") for number in mark.args}))
