"""Let aiokafka notice that a connection is gone also under uvloop.

Until uvloop has told that the other side closed a connection, writing to it raises a `RuntimeError`, where asyncio
takes the bytes and aiokafka expects an `OSError` (aiokafka issue 1038). Whatever of the client wrote just then, such as
its look after the cluster or the group's coordination, ended for good, and the client was deaf.
"""

import functools
from collections.abc import Callable
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

_WRITERS = ("send", "_send_sasl_token")


def install() -> None:
    """Let the connections of all clients tell it by the error that those know; again is no harm."""
    for name in _WRITERS:
        write = getattr(conn.AIOKafkaConnection, name)
        if not hasattr(write, "__wrapped__"):
            setattr(conn.AIOKafkaConnection, name, _telling(write))


def _telling(write: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(write)
    def told(self: conn.AIOKafkaConnection, *args: Any, **options: Any) -> Any:
        try:
            return write(self, *args, **options)
        except RuntimeError as error:
            if self._writer is None or not self._writer.transport.is_closing():
                raise
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error

    return told
