"""One question to one namespace of Temporal: its answer, or None where Temporal knows nothing of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import sealing
from bridge.errors import TemporalAwayError

CALL_TIMEOUT = timedelta(seconds=10)
# Else the server shows the end of a run that a retry or cron follows as a continue-as-new, without its failure.
FEATURES: Mapping[str, str | bytes] = MappingProxyType({"supported-features": "follows-next-run-id"})

Response = TypeVar("Response")


class Asking:
    """Makes raw calls; they read only, so the client may repeat each."""

    def __init__(self, client: Client) -> None:
        self.service = client.workflow_service
        self.namespace = client.namespace
        self.sealing = sealing.of(client)

    async def ask(self, call: Callable[..., Awaitable[Response]], request: Any) -> Response | None:
        """Return the answer; None for what is not there. Raises `TemporalAwayError`."""
        try:
            return await call(request, retry=True, metadata=dict(FEATURES), timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise TemporalAwayError(f"{error.status.name}: {error.message}") from error
        except RuntimeError as error:  # how the client says that it cannot connect
            raise TemporalAwayError(str(error)) from error
