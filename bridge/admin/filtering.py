"""Which dead letters a request means: the same filters in a query and in a body."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request

from bridge.admin import asked
from bridge.deadletter.filters import Filters
from bridge.errors import ConfigurationError

LISTS = ("where", "reason", "key", "id")
TIMES = ("since", "until")

QUERY: Mapping[str, str] = MappingProxyType(
    {
        "where": "Topics, or topic/partition/offset of a dead letter or its original; may come several times.",
        "reason": "Only those with this reason; may come several times.",
        "since": "Only those since a time (RFC 3339), or so long ago: 90s, 2h, 7d.",
        "until": "Only those before a time, or so long ago.",
        "key": "Only those with this record key; may come several times.",
        "id": "Only those of this command id; may come several times.",
    }
)
"""The filters, with what OpenAPI says of each."""

BODY: Mapping[str, str] = MappingProxyType(
    {name: text.replace("; may come several times", "; a list") for name, text in QUERY.items()}
)


def of_query(request: Request) -> Filters:
    """Return the filters of a query."""
    query = request.query_params
    return _filters({name: tuple(query.getlist(name)) for name in LISTS}, query.get("since"), query.get("until"))


async def of_body(
    request: Request, flags: tuple[str, ...], texts: tuple[str, ...] = ()
) -> tuple[dict[str, Any], Filters]:
    """Return the body's flags (false unless given) and texts, and its filters, of which it must have one.

    Raises `ConfigurationError`.
    """
    body = await asked.object_of(request, (*QUERY, *flags, *texts))
    lists = {name: _texts(body, name) for name in LISTS}
    times = {name: body.get(name) for name in TIMES}
    found = {name: body.get(name, False) for name in flags} | {name: body.get(name, "") for name in texts}
    wrong = [f"{name} is text" for name, value in times.items() if not isinstance(value, str | None)]
    wrong += [f"{name} is true or false" for name in flags if not isinstance(found[name], bool)]
    wrong += [f"{name} is text" for name in texts if not isinstance(found[name], str)]
    if wrong:
        raise ConfigurationError(f"{', '.join(wrong)}.")
    if not any(lists.values()) and not any(times.values()):
        raise ConfigurationError("Say which: where, reason, since, until, key or id.")
    return found, _filters(lists, times["since"], times["until"])


def _filters(lists: dict[str, tuple[str, ...]], since: str | None, until: str | None) -> Filters:
    return Filters(lists["where"], lists["reason"], since, until, lists["key"], lists["id"])


def _texts(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigurationError(f"{name}: give a list of texts.")
    return tuple(value)
