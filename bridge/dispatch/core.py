"""A call of Temporal's that is made for each command, handed to the SDK's core as it is.

The SDK's own way to it goes through two coroutines more, which make for each call what is the same for all: 2 % of a
command's time. Calls that few commands need take that way.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from temporalio.bridge.client import RpcCall
from temporalio.bridge.client import RPCError as CoreError  # type: ignore[attr-defined]  # it re-exports it, and says not so
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

Response = TypeVar("Response", bound=Message)


class CoreCall(Generic[Response]):
    """One call of the workflow service, by its name; called with a request that is serialized already."""

    def __init__(self, client: Client, name: str, response: Callable[[bytes], Response]) -> None:
        # The SDK offers nothing between this and its own way; the name is private, as is the core's below.
        self._connected: Callable[[], Awaitable[Any]] = client.service_client._connected_client  # type: ignore[attr-defined]  # noqa: SLF001
        self._name = self.__name__ = name  # the second as the SDK's own methods have it
        self._response = response

    async def __call__(self, request: bytes, *, retry: bool, timeout: timedelta) -> Response:  # noqa: ASYNC109 - the server's
        """Make the call; raises what the SDK's own methods raise."""
        core = await self._connected()
        call = RpcCall(self._name, request, retry, {}, round(timeout.total_seconds() * 1000))
        try:
            return self._response(await core._ref.call_workflow_service(call))  # noqa: SLF001 - see above
        except CoreError as error:
            status, message, details = error.args
            raise RPCError(message, RPCStatusCode(status), details)  # noqa: B904 - as the SDK does: the cause tells no more
