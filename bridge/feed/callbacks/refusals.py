"""What is refused at the callback address: counted, and told now and then. Anybody may call there."""

import time
from datetime import timedelta
from enum import StrEnum

from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric

TOLD_EVERY = timedelta(minutes=1)

log = logs.get(__name__)


class Reason(StrEnum):
    """Why a call was refused."""

    MALFORMED = "malformed"
    METHOD = "method"
    PATH = "path"
    FORGED = "forged"
    OVERSIZED = "oversized"
    TRUNCATED = "truncated"
    SLOW = "slow"
    TWICE = "twice"
    UNKNOWN_NAMESPACE = "unknown_namespace"
    UNAVAILABLE = "unavailable"
    CRASHED = "crashed"


class RefusedError(Exception):
    """A call that has no effect."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Take the reason, and what we know of the cause."""
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


class Refusals:
    """Counts each; logs the first of a reason, and then at most one a minute."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: dict[Reason, float] = {}
        self._untold: dict[Reason, int] = {}

    def note(self, reason: Reason, detail: str = "") -> None:
        """Note that a call was refused; `detail` is what we know of the cause, nothing that the caller sent."""
        self._metrics.count(Metric.CALLBACKS, reason.value)
        self._untold[reason] = self._untold.get(reason, 0) + 1
        now = time.monotonic()
        if now - self._told.get(reason, -TOLD_EVERY.total_seconds()) >= TOLD_EVERY.total_seconds():
            self._told[reason] = now
            log.warning(Log.CALLBACK_REFUSED, reason=reason.value, calls=self._untold.pop(reason), detail=detail)
