"""A command has all its parts: what is missing for a new one is said here."""

import inspect
import typing
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow

from bridge import routes
from bridge.routes import Route, Verb
from bridge.routes.checker import ModelChecker
from tests.docs import render
from topics import tables
from topics.envelope import Command
from topics.spec import CommandSpec
from workers import registry

WORKFLOWS: dict[str, tuple[str, type]] = {
    _name: (queue.name, found)
    for queue in registry.QUEUES
    for found in queue.workflows
    if (_name := workflow._Definition.must_from_class(found).name) is not None
}
COMMANDS = [pytest.param(command, id=command.name) for command in tables.COMMANDS.values()]
ROUTES = [pytest.param(route, id=route.command) for route in routes.OWN]


def target(route: Route) -> type:
    """Return the workflow that a route reaches: its own, or the one that a route with the same id starts."""
    starting = route if route.workflow else next(row for row in routes.OWN if row.id == route.id and row.verb.starts)
    return WORKFLOWS[str(starting.workflow)][1]


def taken(function: Any) -> list[Any]:
    """Return the types of what a workflow or a signal takes, those that it can do without left out."""
    hints = typing.get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [hints[parameter.name] for parameter in parameters if parameter.default is inspect.Parameter.empty]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_route(command: CommandSpec) -> None:
    assert [row.checker for row in routes.OWN if row.command == command.name] == [ModelChecker(command.model)]


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_is_of_a_command_in_the_tables(route: Route) -> None:
    assert route.command in tables.COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_keyed_by_what_its_workflow_id_is_made_of(command: CommandSpec) -> None:
    route = next(row for row in routes.OWN if row.command == command.name)

    assert route.id_template.fields == (command.key,)
    assert command.model.model_fields[command.key].is_required()


@pytest.mark.parametrize("route", [param for param in ROUTES if param.values[0].workflow])  # type: ignore[union-attr]
def test_a_route_names_a_workflow_that_its_task_queue_runs(route: Route) -> None:
    assert (route.workflow in WORKFLOWS and WORKFLOWS[str(route.workflow)][0]) == route.task_queue


@pytest.mark.parametrize("route", [param for param in ROUTES if param.values[0].verb is Verb.START])  # type: ignore[union-attr]
def test_a_workflow_takes_what_its_route_starts_it_with(route: Route) -> None:
    run = workflow._Definition.must_from_class(target(route)).run_fn

    assert taken(run) == [Command[tables.COMMANDS[route.command].model]]  # type: ignore[misc]


@pytest.mark.parametrize("route", [param for param in ROUTES if param.values[0].verb is Verb.SIGNAL_WITH_START])  # type: ignore[union-attr]
def test_a_workflow_that_a_signal_starts_needs_no_argument(route: Route) -> None:
    assert taken(workflow._Definition.must_from_class(target(route)).run_fn) == []


@pytest.mark.parametrize("route", [param for param in ROUTES if param.values[0].signal])  # type: ignore[union-attr]
def test_a_workflow_handles_the_signal_of_its_route(route: Route) -> None:
    handler = workflow._Definition.must_from_class(target(route)).signals[route.signal]

    assert taken(handler.fn) == [Command[tables.COMMANDS[route.command].model]]  # type: ignore[misc]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_workflow_folder_with_the_usual_files(command: CommandSpec) -> None:
    folder = render.ROOT / "workers" / command.name.partition(".")[0]

    assert {"__init__.py", "workflow.py", "models.py"} <= {path.name for path in folder.glob("*.py")}


@pytest.mark.parametrize("name", [*tables.COMMANDS, *tables.EVENTS])
def test_a_command_or_event_stands_in_a_test(name: str) -> None:
    others = (path for path in (render.ROOT / "tests").rglob("*.py") if path.parent != Path(__file__).parent)

    assert [path for path in others if f'"{name}"' in path.read_text()] != []
