"""Which run a signal has reached, and whether the feed must be asked to look after it: Temporal's answers are given."""

import dataclasses
from dataclasses import dataclass, field

import pytest

from bridge import mark
from bridge.command import Command
from bridge.dispatch import dispatcher
from bridge.dispatch.known import KnownRuns
from bridge.dispatch.reached import Reached
from bridge.dispatch.run import Run
from bridge.mark import Mark
from bridge.outcome import Accepted
from bridge.routes import Missing, Route, Verb
from tests.engine import records

RUNNING = 1
OWN = mark.group_text("g")
ROUTE = Route(
    command="invoice.approve",
    verb=Verb.SIGNAL_WITH_START,
    id="w-1",
    workflow="W",
    task_queue="q",
    signal="s",
    lifecycle="lifecycle",
)


def command(route: Route = ROUTE, **attributes: str) -> Command:
    return records.command(records.record(headers=records.binary(**attributes)), rows=[route])


MARK: Mark = mark.of(command(id="other"), "g")
OTHERS = dataclasses.replace(MARK, group="another")


def run(run_id: str, found: Mark | None, group: bytes | None = None) -> Run:
    return Run("w-1", run_id, "first", RUNNING, 0, found, group=group)


@dataclass
class Server:
    """Stands for Temporal; `asked` are the runs that were described."""

    runs: list[Run]
    linked: str | None
    asked: list[str] = field(default_factory=list)
    known_runs: KnownRuns = field(default_factory=KnownRuns)
    group: str = "g"

    async def signal(self, *_: object) -> Reached:
        return Reached(self.linked)

    async def describe(self, _: str, run_id: str = "") -> Run | None:
        self.asked.append(run_id)
        return next((one for one in self.runs if run_id in ("", one.run_id)), None)


async def reach(server: Server, sent: Command) -> object:
    return await dispatcher.dispatch(server, sent, fresh=True)  # type: ignore[arg-type]  # the test's answers stand in


LATER = {
    "nobody's": ([run("later", None), run("first", None)], True),
    "with our mark alone": ([run("later", MARK), run("first", MARK)], True),
    "with our attribute alone": ([run("later", None, OWN)], False),
    "another group's": ([run("later", OTHERS)], False),
    "of a chain of ours that has its own attributes now": ([run("later", MARK), run("first", MARK, OWN)], False),
    "of a chain of ours that has its own memo and attributes now": (
        [run("later", None), run("first", MARK, OWN)],
        False,
    ),
    "of a chain whose first run is not retained": ([run("later", None)], False),
}


@pytest.mark.parametrize(("runs", "of_others"), LATER.values(), ids=LATER.keys())
async def test_a_run_that_no_sweep_finds_is_to_be_looked_after(runs: list[Run], of_others: bool) -> None:
    server = Server(runs, "later")
    assert await reach(server, command()) == Accepted("later", of_others=of_others)
    assert ("later" in server.known_runs) is not of_others  # it is known once the feed's owner was asked


async def test_a_first_run_with_our_mark_alone_is_to_be_looked_after() -> None:
    assert await reach(Server([run("first", MARK)], "first"), command()) == Accepted("first", of_others=True)


async def test_a_plain_signal_that_starts_what_is_missing_announces_no_run_of_others() -> None:
    route = dataclasses.replace(ROUTE, verb=Verb.SIGNAL, missing=Missing.START)
    server = Server([run("first", None)], "first")
    assert await reach(server, command(route)) == Accepted("first")
    assert server.asked == []


SIGNAL = dataclasses.replace(ROUTE, verb=Verb.SIGNAL)


@pytest.mark.parametrize(
    ("route", "asks", "asked"),
    [
        (SIGNAL, {"replywhen": "done"}, [""]),
        (SIGNAL, {}, []),
        (dataclasses.replace(SIGNAL, missing=Missing.START), {"replywhen": "done"}, [""]),
        (ROUTE, {}, ["", "first"]),
    ],
    ids=["asks for a second reply", "asks for none", "may start what is missing", "signal-with-start"],
)
async def test_an_older_server_that_tells_no_run_is_asked_for_it_where_that_is_needed(
    route: Route, asks: dict[str, str], asked: list[str]
) -> None:
    server = Server([run("first", MARK, OWN)], None)
    assert await reach(server, command(route, **asks)) == Accepted("first" if asked else None)
    assert server.asked == asked


async def test_a_server_that_tells_the_run_is_not_asked_for_it() -> None:
    server = Server([run("first", MARK, OWN)], "first")
    assert await reach(server, command(SIGNAL, replywhen="done")) == Accepted("first")
    assert server.asked == []
