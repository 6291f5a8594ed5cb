"""How long each call to Temporal takes, and how it ends."""

import functools
import time

from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric

SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OK = "OK"


class Calls:
    """Times calls, for the metric of the RPC conventions."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def took(self, call: object, began: float, status: str = OK) -> None:
        """Count a call to a method of the client's service that began at `began`, by `time.perf_counter`."""
        method = full_name(getattr(call, "__name__", "unknown"))
        self._metrics.observe(Metric.RPC_DURATION, time.perf_counter() - began, method, status)


@functools.cache
def full_name(method: str) -> str:
    """Return a method's name as the server has it, of the client's: `start_workflow_execution`."""
    return f"{SERVICE}/{''.join(word.capitalize() for word in method.split('_'))}"
