"""Whether the ends of a namespace's runs are told by callbacks, or by the sweep alone: found out by trying."""

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from bridge.callback import Signer
from bridge.telemetry import logs
from bridge.telemetry.health import Health
from bridge.telemetry.names import Log

AGAIN_AFTER = timedelta(minutes=5)
MISSED_MAX = 20  # ends in a row of which no callback came: then the sweep waits for none
LEFT_FOR = timedelta(seconds=10)
# Until one has come to this process: whether any comes may be known only where starts are made.
LEFT_AT_FIRST = timedelta(seconds=2)

CALLBACKS = "callbacks"
SWEEP = "sweep"
NEVER = -1.0  # of a time by the monotonic clock

_REFUSALS = ("callback", "invalid url", "invalid header")
"""Words of the server's that can be about the callback of a start."""

log = logs.get(__name__)


class CallbackMode:
    """One namespace's mode. Asked before each start, told what came of it, and asked by the sweep.

    Without a signer there are no callbacks. A server that refuses them is tried again after some minutes. Where they do
    not arrive, starts go on to ask for them, and the first that arrives is believed.
    """

    def __init__(self, namespace: str = "", signer: Signer | None = None, health: Health | None = None) -> None:
        self.namespace = namespace
        self._signer = signer
        self._health = health
        self._refused_at = NEVER
        self._has_arrived = self._is_lost = False
        self._missed = 0
        self._show()

    @property
    def name(self) -> str:
        """`callbacks` or `sweep`."""
        return CALLBACKS if self.left_for else SWEEP

    @property
    def left_for(self) -> timedelta:
        """How long the sweep is to leave an end to callbacks; nothing where none come."""
        if self._signer is None or self._refused_at != NEVER or self._is_lost:
            return timedelta(0)
        return LEFT_FOR if self._has_arrived else LEFT_AT_FIRST

    def signer(self) -> Signer | None:
        """Return what signs the next start's callback; None where it is to have none."""
        return self._signer if self._refused_at == NEVER or _is_long_ago(self._refused_at) else None

    def taken(self) -> None:
        """Note that a start with a callback was taken."""
        if self._refused_at != NEVER:
            self._refused_at = NEVER
            self._say(Log.CALLBACKS_ON)

    def refused(self, reason: str) -> None:
        """Note that a start was taken without its callback only; it is told when it begins, not each time."""
        is_new = self._refused_at == NEVER
        self._refused_at = time.monotonic()
        self._has_arrived = False
        if is_new:
            self._say(Log.CALLBACKS_BARRED, reason)

    def arrived(self) -> None:
        """Note that a callback has come to this process, and in time."""
        self._missed = 0
        self._has_arrived = True
        if self._is_lost:
            self._is_lost = False
            self._say(Log.CALLBACKS_ON)

    def told(self) -> None:
        """Note that an end which the sweep leaves to callbacks was told, by whichever process."""
        self._missed = 0

    def missed(self) -> None:
        """Note that the sweep told an end that it had left to a callback; it is told when it begins, not each time."""
        self._missed += 1
        if self._missed >= MISSED_MAX and not self._is_lost:
            self._is_lost, self._has_arrived = True, False
            self._say(Log.CALLBACKS_LOST, f"no callback came for the last {self._missed} ends")

    def _say(self, event: Log, reason: str | None = None) -> None:
        self._show()
        if reason is None:
            log.info(event, namespace=self.namespace)
        else:
            log.warning(event, namespace=self.namespace, reason=reason)

    def _show(self) -> None:
        if self._health is not None:
            self._health.sources[self.namespace] = self.name


def _is_long_ago(at: float) -> bool:
    return at == NEVER or time.monotonic() - at >= AGAIN_AFTER.total_seconds()


def modes(namespaces: Iterable[str], signer: Signer | None, health: Health) -> Mapping[str, CallbackMode]:
    """Return the mode of each namespace."""
    return {namespace: CallbackMode(namespace, signer, health) for namespace in namespaces}


def may_be_refusal(message: str) -> bool:
    """Return whether the server's refusal of a start may be about its callback, and not about the command."""
    lowered = message.lower()
    return any(words in lowered for words in _REFUSALS)
