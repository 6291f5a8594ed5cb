"""The routes that the bench's daemons run, and the topics around them."""

from collections.abc import Mapping
from types import MappingProxyType

from bridge.routes import Argument, Replies, Route, Verb

LIFECYCLE = "bench.lifecycle"
REPLIES = "bridge.replies"
WORKFLOW = "BenchWorkflow"
TASK_QUEUE = "bench"

PARTITIONS: Mapping[str, int] = MappingProxyType(
    {"bench.off": 6, "bench.on": 6, "bench.traced": 6, "bench.one": 1, "bench.many": 64, "bench.real": 6}
)
"""The daemons' command topics: each daemon has one, and is called as its topic's second word."""


def of(topic: str) -> tuple[Route, ...]:
    """Return the rows of one command topic: a start and a signal, named after it."""
    lifecycle, replies = ("", Replies.NONE) if is_silent(topic) else (LIFECYCLE, Replies.ALL)
    start = Route(
        command=start_of(topic),
        verb=Verb.START,
        id="order-{order_id}",
        workflow=WORKFLOW,
        task_queue=TASK_QUEUE,
        topic=topic,
        argument=Argument.DATA,
        lifecycle=lifecycle,
        replies=replies,
    )
    signal = Route(
        command=signal_of(topic),
        verb=Verb.SIGNAL,
        id="order-{order_id}",
        signal="changed",
        topic=topic,
        argument=Argument.DATA,
        lifecycle=lifecycle,
        replies=replies,
    )
    return start, signal


def is_silent(topic: str) -> bool:
    """Return whether the topic's commands have neither replies nor started events."""
    return topic == "bench.off"


def start_of(topic: str) -> str:
    """Return the type of the command that starts."""
    return f"{topic}.start"


def signal_of(topic: str) -> str:
    """Return the type of the command that signals."""
    return f"{topic}.signal"
