"""Which dead letters are meant: pure, told by what each letter says."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.deadletter.letter import Letter, Place
from topics import spec

_PLACE = re.compile(r"(?P<topic>[^/]+)/(?P<partition>\d{1,10})/(?P<offset>\d{1,19})", re.ASCII)
_AGO = re.compile(r"(?P<count>\d{1,9})(?P<unit>[smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What a letter must have; an empty collection or None asks for nothing.

    `places` are of the dead letter or of the original. Times are of the dead letter, in ms since the epoch; `since` is
    within, `until` is not.
    """

    topics: Collection[str] = ()
    places: Collection[Place] = ()
    reasons: Collection[str] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    keys: Collection[bytes] = ()
    ids: Collection[str] = ()

    def takes(self, letter: Letter, key: bytes | None) -> bool:
        """Return whether a letter is meant; `key` is the record's, whole."""
        return (
            self._is_at(letter)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
            and (not self.keys or key in self.keys)
            and (not self.ids or letter.id in self.ids)
        )

    @property
    def dead_letter_topics(self) -> frozenset[str]:
        """The topics that the letters can be in; none means all."""
        return frozenset(map(dead_letters_of, [*self.topics, *(place[0] for place in self.places)]))

    def _is_at(self, letter: Letter) -> bool:
        if not self.topics and not self.places:
            return True
        origin = letter.origin.place if letter.origin else None
        within = {dead_letters_of(topic) for topic in self.topics}
        return letter.place[0] in within or letter.place in self.places or origin in self.places


def dead_letters_of(topic: str) -> str:
    """Return the dead-letter topic that a name means: its own, or that of a command topic."""
    return topic if topic.endswith(spec.DEAD_LETTER_SUFFIX) else topic + spec.DEAD_LETTER_SUFFIX


def place(text: str) -> Place:
    """Return topic, partition and offset of `topic/partition/offset`; raises `ValueError`."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no topic/partition/offset, such as invoice.process.dlq/2/17")
    return found["topic"], int(found["partition"]), int(found["offset"])


def moment_ms(text: str, now: datetime) -> int:
    """Return a time in ms since the epoch: RFC 3339, or how long ago, such as 90s, 15m, 2h, 7d, 4w.

    Raises `ValueError`.
    """
    ago = _AGO.fullmatch(text)
    try:
        span = timedelta(**{_UNITS[ago["unit"]]: int(ago["count"])}) if ago else timedelta()
        moment = now - span if ago else datetime.fromisoformat(text)
        milliseconds = int(moment.timestamp() * 1000) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        milliseconds = None
    if milliseconds is None:
        raise ValueError(f"{text} is no time: give one such as 2026-11-21T12:00:00Z, or how long ago, as 2h")
    return milliseconds
