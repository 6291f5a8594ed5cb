"""The questions that the bridge asks Temporal, one call each, answered with values."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import sealing
from bridge.callback import Signer
from bridge.command import Command
from bridge.dispatch import callbackmode, decision, failures, requests, run
from bridge.dispatch.callbackmode import CallbackMode
from bridge.dispatch.core import CoreCall
from bridge.dispatch.failures import Answer, RefusedByTemporalError
from bridge.dispatch.history import History
from bridge.dispatch.known import KnownRuns
from bridge.dispatch.reached import Reached, Refused
from bridge.dispatch.run import Run
from bridge.dispatch.updates import UPDATES_MAX, Updates
from bridge.errors import TemporalAwayError
from bridge.routes import Rerun
from bridge.telemetry.calls import Calls
from bridge.telemetry.metrics import Metrics

CALL_TIMEOUT = timedelta(seconds=10)

Response = TypeVar("Response")


class Temporal:
    """One namespace of one Temporal, as one bridge group sees it."""

    def __init__(
        self,
        client: Client,
        group: str,
        updates_max: int = UPDATES_MAX,
        callbacks: CallbackMode | None = None,
        calls: Calls | None = None,
    ) -> None:
        self._service = client.workflow_service
        self._start_workflow = CoreCall(
            client, "start_workflow_execution", workflowservice.StartWorkflowExecutionResponse.FromString
        )
        self._sealing = sealing.of(client)
        self.namespace = client.namespace
        self.group = group
        self._history = History(client, self._ask)
        self._callbacks = callbacks or CallbackMode(client.namespace)
        self._updates = Updates(client, self._ask, updates_max)
        self._calls = calls or Calls(Metrics())
        self.known_runs = KnownRuns()

    def start(
        self, command: Command, request_id: str, rerun: Rerun, earlier: tuple[str, ...] = ()
    ) -> Awaitable[Reached | Answer]:
        """Start the command's workflow; where the server refuses its callback, without one."""
        signer = self._callbacks.signer()
        if signer is None:
            return self._start(command, request_id, rerun, earlier)
        return self._start_called_back(command, request_id, rerun, earlier, signer)

    async def _start_called_back(
        self, command: Command, request_id: str, rerun: Rerun, earlier: tuple[str, ...], signer: Signer
    ) -> Reached | Answer:
        try:
            answer = await self._start(command, request_id, rerun, earlier, signer)
        except RefusedByTemporalError as error:
            if not callbackmode.may_be_refusal(str(error)):
                raise
            answer = await self._start(command, request_id, rerun, earlier)  # raises where the command is to blame
            self._callbacks.refused(str(error))
        else:
            self._callbacks.taken()
        return answer

    async def _start(
        self, command: Command, request_id: str, rerun: Rerun, earlier: tuple[str, ...], signer: Signer | None = None
    ) -> Reached | Answer:
        request = requests.start(
            command,
            namespace=self.namespace,
            group=self.group,
            request_id=request_id,
            rerun=rerun,
            earlier=earlier,
            signer=signer,
            sealing=self._sealing,
        )
        response = await self._ask(self._start_workflow, request)
        if isinstance(response, workflowservice.StartWorkflowExecutionResponse):
            # Once a reset has put another run in its place, the server answers a repeated start with that one.
            run_id = response.first_execution_run_id or response.run_id
            if rerun is Rerun.NEVER:
                self._history.note_first(run_id)
            return Reached(run_id, began=True)
        return response

    async def signal(self, command: Command, run_id: str = "") -> Reached | Answer:
        """Signal the latest run, or the run `run_id`; a repeated signal is `Reached` too, without effect."""
        request = requests.signal(
            command, namespace=self.namespace, group=self.group, run_id=run_id, sealing=self._sealing
        )
        response = await self._ask(self._service.signal_workflow_execution, request)
        if isinstance(response, workflowservice.SignalWorkflowExecutionResponse):
            return Reached(_linked_run(response.link) or run_id or None)
        return response

    async def signal_with_start(self, command: Command, rerun: Rerun) -> Reached | Answer:
        """Signal the open run, or start one with the signal."""
        request = requests.signal_with_start(
            command, namespace=self.namespace, group=self.group, rerun=rerun, sealing=self._sealing
        )
        response = await self._ask(self._service.signal_with_start_workflow_execution, request)
        if isinstance(response, workflowservice.SignalWithStartWorkflowExecutionResponse):
            if response.started and rerun is Rerun.NEVER:
                self._history.note_first(response.run_id)
            return Reached(response.run_id, began=response.started)
        return response

    async def cancel(self, command: Command, first_run_id: str) -> Reached | Answer:
        """Ask the chain of runs that began with `first_run_id` to cancel."""
        request = requests.cancel(command, namespace=self.namespace, group=self.group, first_run_id=first_run_id)
        response = await self._ask(self._service.request_cancel_workflow_execution, request)
        if isinstance(response, workflowservice.RequestCancelWorkflowExecutionResponse):
            return Reached(None)
        return response

    async def terminate(self, command: Command, first_run_id: str) -> Reached | Answer:
        """Terminate the latest run of the chain that began with `first_run_id`."""
        request = requests.terminate(command, namespace=self.namespace, group=self.group, first_run_id=first_run_id)
        response = await self._ask(self._service.terminate_workflow_execution, request)
        if isinstance(response, workflowservice.TerminateWorkflowExecutionResponse):
            return Reached(None)
        return response

    async def update(self, command: Command, run_id: str = "") -> Reached | Refused | Answer:
        """Update the latest run, or the run `run_id`; a repeated update that was accepted is `Reached` too.

        Raises `NoWorkerYetError` where Temporal is there, and nobody takes the update.
        """
        request = requests.update(
            command, namespace=self.namespace, group=self.group, run_id=run_id, sealing=self._sealing
        )
        return await self._updates.ask(request)

    async def describe(self, workflow_id: str, run_id: str = "") -> Run | None:
        """Return the latest run of a workflow id, or the run `run_id`; None where Temporal knows none."""
        request = workflowservice.DescribeWorkflowExecutionRequest(
            namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        response = await self._ask(self._service.describe_workflow_execution, request)
        if isinstance(response, workflowservice.DescribeWorkflowExecutionResponse):
            return run.of(response.workflow_execution_info, self._sealing)
        return None

    def earlier_runs(self, latest: Run, since_ms: int) -> AsyncIterator[str]:
        """Yield the run ids before `latest` that were open at or after `since_ms`, at most 200."""
        return self._history.earlier_runs(latest.workflow_id, latest.run_id, since_ms)

    async def is_ended_by(self, command: Command, run_id: str) -> bool:
        """Return whether the run holds this command's cancel request or termination."""
        since_ms = decision.looked_back_to_ms(command)
        mine = requests.identity(self.group, command)
        return await self._history.is_signed_by(mine, command.workflow_id, run_id, since_ms)

    async def _ask(self, call: Callable[..., Awaitable[Response]], request: Any) -> Response | Answer:
        began = time.perf_counter()
        try:
            response = await call(request, retry=False, timeout=CALL_TIMEOUT)
        except RPCError as error:
            self._calls.took(call, began, error.status.name)
            if error.__context__ is not None:
                # The client's future holds it, and its traceback the frame that holds the future: with that, all that
                # was there at the call stays until the next collection of garbage.
                error.__context__.__traceback__ = None
            return failures.meaning(error)
        except RuntimeError as error:  # how the client says that it cannot connect
            self._calls.took(call, began, RPCStatusCode.UNAVAILABLE.name)
            raise TemporalAwayError(str(error)) from error
        self._calls.took(call, began)
        return response


def _linked_run(link: Link) -> str | None:
    return link.workflow_event.run_id or None
