"""Which dead letters a person means, as they typed it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bridge import errors
from bridge.deadletter import selection
from topics.environment import reader
from topics.replies import DeadLetterReason


@dataclass(frozen=True, slots=True)
class Filters:
    """What was typed; nothing asks for nothing."""

    where: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    keys: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def selection(self) -> selection.Selection:
        """Return what they mean; raises `ConfigurationError` with every problem."""
        problems: list[str] = []
        now = datetime.now(UTC)

        def moment(text: str | None, flag: str) -> int | None:
            try:
                return None if text is None else selection.moment_ms(text, now)
            except ValueError as error:
                problems.append(f"{flag}: {error}.")
                return None

        known = [reason.value for reason in DeadLetterReason]
        problems += [
            f"--reason: {name} is none{reader.nearest(name, known)}" for name in self.reasons if name not in known
        ]
        places = []
        for text in (text for text in self.where if "/" in text):
            try:
                places.append(selection.place(text))
            except ValueError as error:
                problems.append(f"{error}.")
        found = selection.Selection(
            topics=frozenset(text for text in self.where if "/" not in text),
            places=frozenset(places),
            reasons=frozenset(self.reasons),
            since_ms=moment(self.since, "--since"),
            until_ms=moment(self.until, "--until"),
            keys=frozenset(key.encode(errors="surrogateescape") for key in self.keys),
            ids=frozenset(self.ids),
        )
        if problems:
            raise errors.ConfigurationError(*problems)
        return found
