"""Topics that take no records: who writes to one is told at once, and only now and then somebody tries it again.

Without this every worker would sooner or later wait for the same missing topic, and none be left for the others.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bridge.errors import TopicRefusedError
from bridge.telemetry import logs
from bridge.telemetry.names import Log

TRY_AGAIN_AFTER = timedelta(seconds=2)
FORGET_AFTER = timedelta(seconds=20)  # nobody writes to it any more: the record may be another process's now

log = logs.get(__name__)


@dataclass(slots=True)
class _Refusal:
    problem: str
    try_at: float
    seen_at: float


class Refusals:
    """The topics that refused the last record they were given."""

    def __init__(self) -> None:
        self._by_topic: dict[str, _Refusal] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._by_topic)

    def check(self, topics: Iterable[str]) -> None:
        """Raise `TopicRefusedError` for a topic that refuses, unless the caller is the one to try it again."""
        now = time.monotonic()
        for topic in topics:
            refusal = self._by_topic.get(topic)
            if refusal is None:
                continue
            refusal.seen_at = now
            if now < refusal.try_at:
                raise TopicRefusedError(topic, refusal.problem)
            refusal.try_at = now + TRY_AGAIN_AFTER.total_seconds()

    def refused(self, error: TopicRefusedError) -> None:
        """Note that a topic took no record; logged when it begins."""
        if error.topic not in self._by_topic:
            log.error(Log.TOPIC_REFUSES, topic=error.topic, problem=str(error))
        now = time.monotonic()
        self._by_topic[error.topic] = _Refusal(error.problem, now + TRY_AGAIN_AFTER.total_seconds(), now)

    def took(self, topics: Iterable[str]) -> None:
        """Note that topics took records."""
        for topic in topics:
            if self._by_topic.pop(topic, None) is not None:
                log.info(Log.TOPIC_TAKES, topic=topic)

    def problem(self) -> str | None:
        """Return what is wrong now, with every topic named, or None."""
        if not self._by_topic:
            return None
        now = time.monotonic()
        for topic in [t for t, it in self._by_topic.items() if now - it.seen_at > FORGET_AFTER.total_seconds()]:
            del self._by_topic[topic]
        return "; ".join(f"{topic} {refusal.problem}" for topic, refusal in self._by_topic.items()) or None
