"""Bring each command from Temporal's headers to workflow code and activities."""

import itertools
from contextvars import ContextVar
from typing import Any, NoReturn

from temporalio import worker, workflow

from workers.sdk import headers
from workers.sdk.command import EXTERN_FUNCTION, current

emit_numbers: ContextVar["itertools.count[int] | None"] = ContextVar("bridge_emit_numbers", default=None)
"""Numbers of the emits of this attempt of an activity, from 1."""


class BridgeInterceptor(worker.Interceptor):
    """Worker interceptor behind `current_command()` and `Emitter.emit()`."""

    def intercept_activity(self, inner: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        """Wrap the activities."""
        return _Activity(inner)

    def workflow_interceptor_class(
        self,
        call: worker.WorkflowInterceptorClassInput,
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Wrap the workflows, and hand the variable into their sandbox."""
        call.unsafe_extern_functions[EXTERN_FUNCTION] = lambda: current
        return _WorkflowInbound


class _Activity(worker.ActivityInboundInterceptor):
    async def execute_activity(self, call: worker.ExecuteActivityInput) -> Any:
        # Each attempt runs in a task of its own, so nothing needs to be reset.
        current.set(headers.read(call.headers))
        emit_numbers.set(itertools.count(1))
        return await super().execute_activity(call)


class _WorkflowInbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))

    # The run, each signal and each update have a coroutine, hence a context, of their own.

    async def execute_workflow(self, call: worker.ExecuteWorkflowInput) -> Any:
        current.set(headers.read(call.headers))
        return await super().execute_workflow(call)

    async def handle_signal(self, call: worker.HandleSignalInput) -> None:
        current.set(headers.read(call.headers))
        await super().handle_signal(call)

    def handle_update_validator(self, call: worker.HandleUpdateInput) -> None:
        current.set(headers.read(call.headers))
        super().handle_update_validator(call)

    async def handle_update_handler(self, call: worker.HandleUpdateInput) -> Any:
        current.set(headers.read(call.headers))
        return await super().handle_update_handler(call)


class _WorkflowOutbound(worker.WorkflowOutboundInterceptor):
    def start_activity(self, call: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        call.headers = _with_current(call.headers)
        return super().start_activity(call)

    def start_local_activity(self, call: worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        call.headers = _with_current(call.headers)
        return super().start_local_activity(call)

    async def start_child_workflow(
        self,
        call: worker.StartChildWorkflowInput,
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        call.headers = _with_current(call.headers)
        return await super().start_child_workflow(call)

    def continue_as_new(self, call: worker.ContinueAsNewInput) -> NoReturn:
        # The server does not carry the start's headers over.
        call.headers = _with_current(call.headers)
        super().continue_as_new(call)


def _with_current(present: headers.Headers) -> headers.Headers:
    command = current.get()
    return present if command is None else headers.write(present, command)
