"""`bridge dlq`: dead letters, listed, shown, replayed and discarded."""

import asyncio
from typing import Annotated, Literal

import cyclopts

from bridge.cli import environment, output
from bridge.cli.dlq.flags import Ids, Keys, Places, Reasons, Since, Until
from bridge.deadletter.filters import Filters

RATE = 100
ROWS = 100

app = cyclopts.App(name="dlq", help="List, show, replay or discard dead letters; Kafka keeps them in any case.")

Positive = cyclopts.validators.Number(gte=1)


@app.command(name="list")
def list_(
    *where: Places,
    reason: Reasons = (),
    since: Since = None,
    until: Until = None,
    key: Keys = (),
    id: Ids = (),  # noqa: A002 - the flag's name
    state: Literal["open", "replayed", "discarded", "all"] = "open",
    order: Literal["newest", "offset"] = "newest",
    count: Annotated[int, cyclopts.Parameter(name=["-n", "--count"], validator=Positive)] = ROWS,
    every: Annotated[bool, cyclopts.Parameter(name=["--all", "-a"])] = False,
    form: output.Format = "table",
) -> int:
    """List dead letters: where, why, whose; never their content.

    For example:
        bridge dlq list

        bridge dlq list invoice.process --reason invalid --since 2h

        bridge dlq list --all --order offset -o json | jq -r .reason | sort | uniq -c

    Parameters
    ----------
    state
        What was done about them.
    order
        Newest first, or by topic, partition and offset of the dead letter.
    count
        Show at most this many.
    every
        Show however many there are.
    """
    from bridge.cli.dlq import listing  # noqa: PLC0415 - the clients take a second to import

    filters = Filters(where, reason, since, until, key, id)
    return asyncio.run(
        listing.run(environment.load(), filters, None if every else count, form, state=state, newest=order == "newest")
    )


@app.command
def show(where: str, *, form: output.Format = "table") -> int:
    """Show one dead letter whole: why, where from, headers and value, with everything but text as escapes.

    Exit code 1 if it is not there.

    For example:
        bridge dlq show invoice.process.dlq/2/17

        bridge dlq show invoice.process/4/1021     by where the original lies

    Parameters
    ----------
    where
        topic/partition/offset of the dead letter or of the original.
    """
    from bridge.cli.dlq import showing  # noqa: PLC0415 - the clients take a second to import

    return asyncio.run(showing.run(environment.load(), Filters((where,)), form))


@app.command
def replay(
    *where: Places,
    reason: Reasons = (),
    since: Since = None,
    until: Until = None,
    key: Keys = (),
    id: Ids = (),  # noqa: A002 - the flag's name
    yes: bool = False,
    rate: Annotated[int, cyclopts.Parameter(validator=Positive)] = RATE,
    again: bool = False,
    form: output.Format = "table",
) -> int:
    """Show what would be put back into the command topics; --yes does it.

    Each record goes back to its topic and partition as it was, in the order in which the originals lay; only
    `dlq.replays` is counted up. What was replayed is marked in the same transaction: stopped at any moment and run
    again, it goes on where it was. Exit code 1 if some cannot be replayed.

    For example:
        bridge dlq replay invoice.process --reason target_missing

        bridge dlq replay invoice.process --reason target_missing --yes --rate 20

        bridge dlq replay invoice.process.dlq/2/17 --yes

    Parameters
    ----------
    yes
        Do it.
    rate
        How many a second at most.
    again
        Also what was replayed or discarded before.
    """
    from bridge.cli.dlq import replaying  # noqa: PLC0415 - the clients take a second to import

    filters = Filters(where, reason, since, until, key, id)
    loaded = environment.load()
    if not yes:
        return asyncio.run(replaying.rehearse(loaded, filters, form, again=again))
    return asyncio.run(replaying.run(loaded, filters, form, rate=rate, again=again))


@app.command
def discard(
    *where: Places,
    because: str,
    reason: Reasons = (),
    since: Since = None,
    until: Until = None,
    key: Keys = (),
    id: Ids = (),  # noqa: A002 - the flag's name
    yes: bool = False,
    form: output.Format = "table",
) -> int:
    """Show what would be marked as needing nothing more; --yes does it.

    Kafka deletes no single record: a discarded dead letter stays where it is until its topic's retention is over, but
    it is not listed and not replayed any more, unless asked for.

    For example:
        bridge dlq discard invoice.process --reason undecodable --because "probe of the monitoring"

        bridge dlq discard invoice.process.dlq/2/17 --because "sent again by hand" --yes

    Parameters
    ----------
    because
        Why, for those who look later.
    yes
        Do it.
    """
    from bridge.cli.dlq import discarding  # noqa: PLC0415 - the clients take a second to import

    filters = Filters(where, reason, since, until, key, id)
    return asyncio.run(discarding.run(environment.load(), filters, form, because, yes=yes))
