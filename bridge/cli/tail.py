"""`bridge tail`: records as they arrive."""

import asyncio
from typing import Annotated

import cyclopts

from bridge.cli import environment, output
from bridge.settings import Settings

COLUMNS = {"timestamp": 24, "topic": 18, "partition": 9, "offset": 7, "key": 24, "type": 26, "id": 36, "data": 0}


def tail(
    *topic: str,
    from_beginning: bool = False,
    count: Annotated[
        int | None, cyclopts.Parameter(name=["-n", "--count"], validator=cyclopts.validators.Number(gte=1))
    ] = None,
    form: output.Format = "table",
) -> int:
    """Show records as they arrive, until Ctrl-C.

    For example:
        bridge tail

        bridge tail invoice.events invoice.lifecycle

        bridge tail invoice.process.dlq --from-beginning -n 1 -o json

    Parameters
    ----------
    topic
        What to read. Default: every topic that tells what became of commands, dead letters included.
    from_beginning
        Start with the oldest record, not with the next one.
    count
        Leave after this many records.
    """
    loaded = environment.load()
    try:
        asyncio.run(_tail(loaded, topic, count, output.Table(form, COLUMNS), from_beginning=from_beginning))
    except KeyboardInterrupt:
        return 0  # the way to end it
    return 0


async def _tail(
    loaded: Settings, names: tuple[str, ...], count: int | None, table: output.Table, *, from_beginning: bool
) -> None:
    from bridge.cli import records  # noqa: PLC0415 - the clients take a second to import
    from bridge.lookup import row  # noqa: PLC0415 - as above
    from bridge.setup import topicnames  # noqa: PLC0415 - as above

    there = await topicnames.there(loaded)
    topicnames.refuse_unknown(names, there, "a topic of this Kafka")
    wanted = names or tuple(name for name in _outcome_topics(loaded) if name in there)
    if not wanted:
        topicnames.refuse_missing_setup()
    async with records.Follower(loaded, wanted, from_beginning=from_beginning) as follower:
        left = count
        async for record in follower:
            table.add(row.shown(record))
            left = None if left is None else left - 1
            if left == 0:
                return


def _outcome_topics(loaded: Settings) -> tuple[str, ...]:
    from bridge.setup import kafka  # noqa: PLC0415 - as above
    from topics.spec import TopicKind  # noqa: PLC0415 - as above

    others = {TopicKind.COMMANDS, TopicKind.FEED, *kafka.OF_PEOPLE}
    return tuple(topic.name for topic in kafka.wanted_topics(loaded) if topic.kind not in others)
