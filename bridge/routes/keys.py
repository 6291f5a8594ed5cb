"""What each key of a `[[route]]` may hold. A reader returns the value, or raises `ValueError` with what to give."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bridge import template
from bridge.routes.route import DECRYPTED, Argument, Missing, Replies, Rerun, Verb
from topics import spec
from topics.environment import reader

TOPIC_CHARACTERS_MAX = 249 - len(spec.DEAD_LETTER_SUFFIX)
NAME_CHARACTERS_MAX = 255
WAIT_SECONDS_MAX = 30 * 86_400
RUN_TIMEOUT_SECONDS_MAX = 10 * 365 * 86_400
RATE_MAX = 1_000_000
PRIORITIES = range(1, 6)

_TOPIC = re.compile(r"[A-Za-z0-9._-]+")


def text(value: Any) -> str:
    """Read a name."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("give text that is not empty and has no control characters")
    if len(value) > NAME_CHARACTERS_MAX:
        raise ValueError(f"give at most {NAME_CHARACTERS_MAX} characters")
    return value


def topic(value: Any) -> str:
    """Read a topic's name."""
    name = text(value)
    if not _TOPIC.fullmatch(name) or name in {".", ".."} or len(name) > TOPIC_CHARACTERS_MAX:
        raise ValueError(f"a topic's name has 1 to {TOPIC_CHARACTERS_MAX} of letters, digits, '.', '_' and '-'")
    return name


def _lifecycle(value: Any) -> str:
    return "" if value == "" else topic(value)


def _template(value: Any) -> str:
    found = text(value)
    template.parse(found)
    return found


def _one_of(words: type[StrEnum]) -> Callable[[Any], StrEnum]:
    known = [word.value for word in words]

    def read(value: Any) -> StrEnum:
        if isinstance(value, str) and value in known:
            return words(value)
        shown = value if isinstance(value, str) and value.isprintable() else "this value"
        near = reader.nearest(shown, known).removesuffix(".")
        raise ValueError(f"{shown} is none of {', '.join(known)}{near}")

    return read


def _result(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if value != DECRYPTED:
        raise ValueError(f'give true, false or "{DECRYPTED}"')
    return DECRYPTED


def _number(what: str, least: float, most: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:  # nor is nan
            raise ValueError(f"give a number of {what} from {least:.12g} to {most:.12g}")
        return float(value)

    return read


def _seconds(least: float, most: float) -> Callable[[Any], timedelta]:
    number = _number("seconds", least, most)
    return lambda value: timedelta(seconds=number(value))


def _priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in PRIORITIES:
        raise ValueError(f"give a whole number from {PRIORITIES[0]} (first) to {PRIORITIES[-1]} (last)")
    return value


READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "command": text,
        "verb": _one_of(Verb),
        "workflow": text,
        "task_queue": text,
        "signal": text,
        "update": text,
        "id": _template,
        "topic": topic,
        "argument": _one_of(Argument),
        "lifecycle": _lifecycle,
        "replies": _one_of(Replies),
        "result": _result,
        "rerun": _one_of(Rerun),
        "missing": _one_of(Missing),
        "wait": _seconds(0, WAIT_SECONDS_MAX),
        "rate": _number("commands a second", 0.001, RATE_MAX),
        "run_timeout": _seconds(0.001, RUN_TIMEOUT_SECONDS_MAX),
        "namespace": text,
        "priority": _priority,
        "fairness_key": _template,
    }
)
"""Every key but `schema`, which needs the file's folder."""
