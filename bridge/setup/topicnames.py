"""Which topics there are, and what to say of a name that is none."""

import difflib
from collections.abc import Collection, Iterable
from typing import NoReturn

from bridge import connect, errors
from bridge.settings import Settings
from bridge.setup import kafka

NEAREST = 3


async def there(settings: Settings) -> frozenset[str]:
    """Return the names of the topics that Kafka has and this account may see; waits for Kafka."""
    async with connect.kafka_admin(settings) as admin:
        return frozenset(await kafka.partition_counts(admin))


def refuse_unknown(names: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise `ConfigurationError` for each name that is not among the known ones; `what` they should be."""
    problems = [f"{name} is not {what}{_nearest(name, known)}" for name in names if name not in known]
    if problems:
        raise errors.ConfigurationError(*problems)


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=NEAREST) or sorted(known)
    return f"; known are {', '.join(near)}." if near else "; there is none."


def refuse_missing_setup() -> NoReturn:
    """Raise `ConfigurationError`: the daemon's topics are not there."""
    raise errors.ConfigurationError("The daemon's topics are not there: run `bridge setup apply`.")
