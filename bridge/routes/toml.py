"""Routes without code: the rows of `[[route]]` in `bridge.toml`, checked so that every problem is told at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bridge.routes import keys
from bridge.routes.checker import Checker
from bridge.routes.own import OWN
from bridge.routes.route import Argument, Missing, Route, Verb
from topics import spec, tables
from topics.environment import reader

SCHEMA = "schema"

_NEEDS: Mapping[Verb, tuple[str, ...]] = MappingProxyType(
    {
        Verb.START: ("workflow", "task_queue"),
        Verb.SIGNAL: ("signal",),
        Verb.SIGNAL_WITH_START: ("workflow", "task_queue", "signal"),
        Verb.UPDATE: ("update",),
        Verb.CANCEL: (),
        Verb.TERMINATE: (),
    }
)
_STARTING = ("workflow", "task_queue")
_NAMING = ("workflow", "task_queue", "signal", "update")
_CAN_START_MISSING = (Verb.SIGNAL, Verb.UPDATE)


@dataclass(slots=True)
class Reading:
    """The rows that were read, and what is wrong; rows with a problem are left out."""

    rows: list[Route] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(entries: Any, file: str) -> Reading:
    """Read the value of the key `route`; schema files are looked for beside `file`. Never raises."""
    reading = Reading()
    if entries is None:
        return reading
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        reading.problems.append(f"{file}: route: write each one as a table of its own, [[route]].")
        return reading
    first: dict[str, int] = {}
    places: list[str] = []
    for number, entry in enumerate(entries, start=1):
        where = f"{file}: [[route]] number {number}"
        command = entry.get("command")
        if isinstance(command, str):
            where += f" ({command[:80]})" if command.isprintable() else ""
            if first.setdefault(command, number) != number:
                reading.problems.append(f"{where}: command: number {first[command]} has it already: keep one of them.")
                continue
        problems, row = _row(entry, Path(file).parent)
        reading.problems += [f"{where}: {problem}" for problem in problems]
        if row is not None:
            reading.rows.append(row)
            places.append(where)
    reading.problems += [f"{places[index]}: topic: {problem}" for index, problem in _clashes(reading.rows)]
    return reading


def topics_named(entries: Any) -> frozenset[str]:
    """Return the command topics that the value of the key `route` names, sound or not."""
    found = entries if isinstance(entries, list) else []
    names = (entry.get("topic", entry.get("command")) for entry in found if isinstance(entry, dict))
    return frozenset(name for name in names if isinstance(name, str))


def reading_ours(rows: Iterable[Route], written: Mapping[str, str], file: str) -> list[str]:
    """Return which routes would read what the daemon itself writes: `written` says what, by topic."""
    return [
        f"{file}: [[route]] ({row.command}): topic: {row.topic} carries {written[row.topic]}: name another one."
        for row in rows
        if row.topic in written
    ]


def _row(entry: Mapping[str, Any], folder: Path) -> tuple[list[str], Route | None]:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in entry.items():
        if key not in _READERS:
            problems.append(f"{key}: is not known{reader.nearest(key, _READERS)}")
            continue
        try:
            values[key] = _READERS[key](value)
        except ValueError as error:
            problems.append(_sentence(key, error))
    problems += [f"{key}: is missing." for key in ("command", "verb", "id") if key not in entry]
    if isinstance(values.get("verb"), Verb):
        problems += _of_verb(entry, values["verb"], values.get("missing", Missing.WAIT))
    problems += _topic_names(entry, values)
    checker = None
    if SCHEMA in values:
        try:
            checker = _checker(folder / values.pop(SCHEMA))
        except ValueError as error:
            problems.append(_sentence(SCHEMA, error))
    if problems:
        return problems, None
    return [], Route(**{"argument": Argument.DATA, **values}, checker=checker)


def _sentence(key: str, error: ValueError) -> str:
    text = f"{key}: {error}"
    return text if text.endswith("?") else f"{text}."


def _of_verb(entry: Mapping[str, Any], verb: Verb, missing: Missing) -> Iterator[str]:
    """Yield which keys the verb lacks, and which ones it cannot have."""
    needed = _NEEDS[verb]
    why = f"verb {verb.value} needs it"
    if missing is Missing.START:
        if verb not in _CAN_START_MISSING:
            yield 'missing: "start" is for signal and update: the other verbs start by themselves, or end a run.'
        else:
            needed = (*needed, *_STARTING)
            why = f'verb {verb.value} with missing = "start" needs it'
    yield from (f"{key}: is missing: {why}." for key in needed if key not in entry)
    for key in _NAMING:
        if key in entry and key not in needed:
            hint = ' without missing = "start"' if key in _STARTING and verb in _CAN_START_MISSING else ""
            yield f"{key}: verb {verb.value}{hint} has no use for it: remove it."


def _topic_names(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    if "topic" in entry or "command" not in values:
        return
    try:
        keys.topic(values["command"])
    except ValueError as error:
        yield f"command: is the topic's name too, as `topic` is missing: {error}."


def _clashes(rows: list[Route]) -> Iterator[tuple[int, str]]:
    """Yield which row's command topic already carries something else."""
    others = {row.lifecycle: "lifecycle events" for row in (*OWN, *rows) if row.lifecycle}
    others |= {event.topic: "domain events" for event in tables.EVENTS.values()}
    for index, row in enumerate(rows):
        if row.topic in others:
            yield index, f"{row.topic} carries {others[row.topic]}: name another one."
        if row.topic.endswith(spec.DEAD_LETTER_SUFFIX):
            yield index, f"{row.topic} is named like a dead-letter topic: name another one."


def _checker(file: Path) -> Checker:
    from bridge.routes import schema  # noqa: PLC0415 - slow to import, and most deployments have none

    return schema.read(file)


_READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({**keys.READERS, SCHEMA: keys.text})
