"""The command that led to the code that is running."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, cast

from temporalio import workflow

EXTERN_FUNCTION = "bridge-current-command-variable"
"""Name under which the interceptor hands the variable into the sandbox."""


class CommandLike(Protocol):
    """Whatever has a command's attributes: a `CommandReference`, or the event that a workflow got as its argument."""

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def time(self) -> str | None: ...
    @property
    def correlationid(self) -> str | None: ...
    @property
    def traceparent(self) -> str | None: ...
    @property
    def tracestate(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class CommandReference:
    """Which command it was, without its data. A command's identity is (`source`, `id`); `time` is RFC 3339."""

    id: str
    source: str
    type: str
    time: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @classmethod
    def to(cls, command: CommandLike) -> "CommandReference":
        """Return the reference to `command`."""
        return cls(
            id=command.id,
            source=command.source,
            type=command.type,
            time=command.time,
            correlationid=command.correlationid,
            traceparent=command.traceparent,
            tracestate=command.tracestate,
        )


CurrentCommand = ContextVar[CommandReference | None]

current: CurrentCommand = ContextVar("bridge_current_command", default=None)
"""The current command of this coroutine. Each coroutine has its own, so concurrent handlers do not meet."""


def current_command() -> CommandReference | None:
    """Return the command that led here, in a workflow, in its handlers and in activities; None if it was none."""
    return _variable().get()


@contextmanager
def acting_for(command: CommandLike) -> Iterator[CommandReference]:
    """Make `command` the current one for what is started inside: the events of those activities name it as cause."""
    variable = _variable()
    reference = CommandReference.to(command)
    token = variable.set(reference)
    try:
        yield reference
    finally:
        variable.reset(token)


def _variable() -> CurrentCommand:
    # The sandbox may have loaded this module a second time; the variable that counts is the interceptor's.
    if not workflow.in_workflow():
        return current
    handed_in = workflow.extern_functions().get(EXTERN_FUNCTION)
    return cast("Callable[[], CurrentCommand]", handed_in)() if handed_in else current
