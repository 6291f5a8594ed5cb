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

CALLBACKS = "callbacks"
SWEEP = "sweep"
NEVER = -1.0  # of a time by the monotonic clock

_REFUSALS = ("callback", "invalid url", "invalid header")
"""Words of the server's that can be about the callback of a start."""

log = logs.get(__name__)


class CallbackMode:
    """One namespace's mode. Asked before each start, told what came of it, and asked by the sweep.

    Without a signer there are no callbacks. A server that refuses them, or whose callbacks do not arrive, is tried
    again after some minutes.
    """

    def __init__(self, namespace: str = "", signer: Signer | None = None, health: Health | None = None) -> None:
        self.namespace = namespace
        self._signer = signer
        self._health = health
        self._refused_at = self._lost_at = NEVER
        self._missed = 0
        self._show()

    @property
    def name(self) -> str:
        """`callbacks` or `sweep`."""
        works = self._signer is not None and self._refused_at == NEVER and self._lost_at == NEVER
        return CALLBACKS if works else SWEEP

    @property
    def tells_ends(self) -> bool:
        """Whether the sweep is to leave young ends to callbacks."""
        return self._signer is not None and self._refused_at == NEVER and _is_long_ago(self._lost_at)

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
        if is_new:
            self._say(Log.CALLBACKS_BARRED, reason)

    def arrived(self) -> None:
        """Note that a callback has come to this process, and in time."""
        self._missed = 0
        if self._lost_at != NEVER:
            self._lost_at = NEVER
            self._say(Log.CALLBACKS_ON)

    def told(self) -> None:
        """Note that an end which the sweep leaves to callbacks was told, by whichever process."""
        self._missed = 0

    def missed(self) -> None:
        """Note that the sweep told an end that it had left to a callback; it is told when it begins, not each time."""
        self._missed += 1
        if self._missed >= MISSED_MAX:
            is_new = self._lost_at == NEVER
            self._lost_at = time.monotonic()
            if is_new:
                self._say(Log.CALLBACKS_LOST, f"no callback came for the last {self._missed} ends")
            self._missed = 0

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
