"""HTTP/1.1 for a server that takes 400 for the last word: it hears 503 instead, and has its time to speak bounded."""

import asyncio
from datetime import timedelta
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from bridge.feed.callbacks.refusals import Reason, Refusals

HEAD_BYTES_MAX = 64 * 1024
HEAD_WITHIN = timedelta(seconds=5)

_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Bounded(H11Protocol):
    """One connection. What does not get as far as a whole head is refused here, the rest by the application."""

    def __init__(self, *arguments: Any, refusals: Refusals, **options: Any) -> None:
        """Take what notes the refusals; the rest is uvicorn's."""
        super().__init__(*arguments, **options)
        self._refusals = refusals
        self._timer: asyncio.TimerHandle | None = None
        self._has_begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin the time for the first head."""
        super().connection_made(transport)
        self._give_time()

    def data_received(self, data: bytes) -> None:
        """Take what was sent; the time ends once a whole head is there."""
        self._has_begun = True
        self._give_time()
        super().data_received(data)
        if self._has_request():
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what is wrong is not the caller's to know
        """Refuse what is no HTTP, or too long."""
        self._refuse(Reason.MALFORMED)

    def _has_request(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        return cycle is not None and not cycle.response_complete

    def _give_time(self) -> None:
        """Give a head its time; between two requests uvicorn's own bound counts."""
        if self._timer is None and not self._has_request():
            self._timer = self.loop.call_later(HEAD_WITHIN.total_seconds(), self._is_late)

    def _is_late(self) -> None:
        self._timer = None
        if self._has_begun:
            self._refuse(Reason.SLOW)
        else:
            self.transport.close()

    def _refuse(self, reason: Reason) -> None:
        self._refusals.note(reason)
        if not (self._has_request() and self.cycle.response_started):
            self.transport.write(_REFUSED)
        self.transport.close()

    def _stop_timer(self) -> None:
        self._has_begun = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
