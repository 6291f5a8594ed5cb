"""What the commands of `bridge dlq` take to say which dead letters are meant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import cyclopts

from bridge import errors
from bridge.deadletter import selection
from topics.environment import reader
from topics.replies import DeadLetterReason

Places = Annotated[
    str,
    cyclopts.Parameter(
        help="Topics (of commands or dead letters), or topic/partition/offset of a dead letter or of its original. "
        "Default: every dead-letter topic."
    ),
]
Reasons = Annotated[
    tuple[str, ...],
    cyclopts.Parameter(
        name="--reason",
        show_default=False,
        help=f"Only those with this reason ({', '.join(DeadLetterReason)}); may be given several times.",
    ),
]
Since = Annotated[
    str | None, cyclopts.Parameter(help="Only those since a time (RFC 3339), or so long ago: 90s, 2h, 7d.")
]
Until = Annotated[str | None, cyclopts.Parameter(help="Only those before a time (RFC 3339), or so long ago.")]
Keys = Annotated[
    tuple[str, ...], cyclopts.Parameter(name="--key", show_default=False, help="Only those with this record key.")
]
Ids = Annotated[
    tuple[str, ...], cyclopts.Parameter(name="--id", show_default=False, help="Only those of this command id.")
]


@dataclass(frozen=True, slots=True)
class Filters:
    """The flags as they were typed."""

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
