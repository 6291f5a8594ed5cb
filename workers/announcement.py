"""The step that tells Kafka what happened.

It is a step of its own, apart from the work it tells of, for two reasons. While Kafka is away it alone is repeated:
neither is a mail sent twice nor a row written twice. And it is repeated without end, while the work has a bounded
number of attempts: an outage of Kafka delays a run, a mail server that refuses fails it.
"""

from collections.abc import Iterable
from typing import Any, Self

from temporalio import activity, workflow

from topics import tables
from topics.fields import Model
from workers import policies
from workers.sdk.command import CommandLike, CommandReference
from workers.sdk.emitter import Emitter, Event

TEXT_CHARACTERS_MAX = 10_000

_SPECS = {spec.model: spec for spec in tables.EVENTS.values()}


class Announcement(Model):
    """One event: its CloudEvents type, its data, and the command that caused it if it is not the current one."""

    type: str
    data: dict[str, Any]
    cause: CommandReference | None = None

    @classmethod
    def of(cls, event: Model, cause: CommandLike | None = None) -> Self:
        """Return the announcement of `event`, an instance of a model in `topics.tables.EVENTS`."""
        return cls(
            type=_SPECS[type(event)].name,
            data=_cut(event.model_dump(mode="json")),
            cause=None if cause is None else CommandReference.to(cause),
        )


class Announcements(Model):
    """Events to tell one after another."""

    announcements: tuple[Announcement, ...]


class Announcer:
    """The activity that tells them."""

    def __init__(self, emitter: Emitter) -> None:
        """Take the emitter to tell them with."""
        self._emitter = emitter

    @activity.defn
    async def announce(self, given: Announcements) -> None:
        """Emit the events; a retry gives each the id it had."""
        await self._emitter.emit_all([_event(announcement) for announcement in given.announcements])


def _event(announcement: Announcement) -> Event:
    spec = tables.EVENTS[announcement.type]
    data = spec.model.model_validate(announcement.data).model_dump_json().encode()
    return Event(spec.topic, spec.name, data, key=str(announcement.data[spec.key]), cause=announcement.cause)


def _cut(value: Any) -> Any:
    """Return JSON data with its texts cut: a name of a megabyte, which a command may hold, fits into no event."""
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX:
        return value[: TEXT_CHARACTERS_MAX - 1] + "…"
    return value


async def announce(event: Model) -> None:
    """Tell one event, from workflow code; the current command is its cause."""
    await announce_all([Announcement.of(event)])


async def announce_all(announcements: Iterable[Announcement]) -> None:
    """Tell several events in order, from workflow code."""
    given = Announcements(announcements=tuple(announcements))
    await workflow.execute_activity_method(Announcer.announce, given, **policies.ANNOUNCE)
