"""The attributes of a CloudEvent as text, and what is wrong with them."""

import re
from collections.abc import Mapping

from bridge.command import moment
from topics.envelope import CLOUDEVENTS_SPECVERSION

REQUIRED = ("specversion", "id", "source", "type")
NAMES = ("id", "source", "type", "correlationid", "subject")  # what goes on into ids, keys, search attributes
NAME_CHARACTERS_MAX = 255  # of id and source: they go into Temporal's search attributes, VARCHAR(255) in SQL

# RFC 3339, section 5.6, the form that CloudEvents asks for.
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check(attributes: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the attributes of a CloudEvent, by name."""
    problems = [f"{name}: is missing" for name in REQUIRED if not attributes.get(name)]
    if attributes.get("specversion", CLOUDEVENTS_SPECVERSION) != CLOUDEVENTS_SPECVERSION:
        problems.append(f"specversion: must be {CLOUDEVENTS_SPECVERSION}")
    for name in NAMES:
        value = attributes.get(name)
        if value is None or (value.isprintable() and len(value) <= NAME_CHARACTERS_MAX):
            continue
        if len(value) > NAME_CHARACTERS_MAX:
            problems.append(f"{name}: is longer than {NAME_CHARACTERS_MAX} characters")
        if has_control(value):
            problems.append(f"{name}: has control characters")
    if "time" in attributes and not _is_time(attributes["time"]):
        problems.append("time: is no RFC 3339 time")
    return problems


def has_control(text: str) -> bool:
    """Return whether a text has control characters."""
    return not text.isprintable() and _CONTROL.search(text) is not None  # nearly all are, which is seen faster


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        moment(text)  # days that a month does not have, and hours
    except ValueError:
        return False
    return True


def printable(name: str) -> str:
    """Return the name of an attribute as a detail may hold it: other people chose it."""
    return _CONTROL.sub("?", name)[:64]
