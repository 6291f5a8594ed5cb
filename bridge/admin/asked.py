"""What a request says, checked."""

from collections.abc import Collection
from typing import Any

import jiter
from starlette.requests import Request

from bridge.errors import BridgeError, ConfigurationError
from topics.environment import reader

COUNT_MAX = 1000


class NotFoundError(BridgeError):
    """What was asked for is not there."""


def number(request: Request, name: str, default: int) -> int:
    """Return a count of the query; raises `ConfigurationError`."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= COUNT_MAX):
        raise ConfigurationError(f"{name}: give a whole number from 1 to {COUNT_MAX}.")
    return int(text)


async def object_of(request: Request, known: Collection[str]) -> dict[str, Any]:
    """Return the JSON object of a body, an empty one where there is none; raises `ConfigurationError`."""
    body = await request.body()
    try:
        found = jiter.from_json(body or b"{}", allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise ConfigurationError("The body is no JSON text.") from error
    if not isinstance(found, dict):
        raise ConfigurationError("The body must be a JSON object.")
    unknown = [f"{name} is not known{reader.nearest(name, known)}" for name in found if name not in known]
    if unknown:
        raise ConfigurationError(*unknown)
    return found
