"""The spans of a record on its way: what is processed, and each call to Temporal. Told by flow, recorded elsewhere."""

from typing import Protocol, TypeAlias

from bridge.command import BadRecord, Command

Content: TypeAlias = Command | BadRecord


class Told(Protocol):
    """What became of a record, as `bridge.outcome` has it; with `reason` and `run_id` where they belong to it."""

    @property
    def label(self) -> str: ...


class Span(Protocol):
    """A record that is processed, from the first try to its answer."""

    def asks(self, command: Command) -> None:
        """Note that Temporal is about to be asked; the request names the call's span."""

    def answered(self, outcome: object) -> None:
        """Note that Temporal has answered; `outcome` is one of `bridge.outcome`."""

    def fails(self, error: str) -> None:
        """Note a try that must be repeated; `error` is of a bounded set of words."""

    def ends(self, told: Told, attempts: int) -> None:
        """Note that the record has its outcome, and everything that is to be told of it is in Kafka."""


class Spans(Protocol):
    """What begins a span for each record."""

    def begin(self, content: Content) -> tuple[Span, Content]:
        """Return the span of a record that is tried for the first time, and the record as it is to be known."""


class NoSpan:
    """The span of a record that nobody records."""

    __slots__ = ()

    def asks(self, command: Command) -> None:
        """Do nothing."""

    def answered(self, outcome: object) -> None:
        """Do nothing."""

    def fails(self, error: str) -> None:
        """Do nothing."""

    def ends(self, told: Told, attempts: int) -> None:
        """Do nothing."""


UNRECORDED = NoSpan()


class NoSpans:
    """What begins spans where there is no endpoint to send them to."""

    __slots__ = ()

    def begin(self, content: Content) -> tuple[Span, Content]:
        """Return what records nothing, and the record as it is."""
        return UNRECORDED, content
