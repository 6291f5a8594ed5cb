"""Ask for updates. Without a worker the server answers nothing: the time and number of such calls are bounded."""

from datetime import timedelta

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest, UpdateWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge.dispatch import failures
from bridge.dispatch.failures import Answer, NoWorkerYetError
from bridge.dispatch.history import Ask
from bridge.dispatch.reached import Reached, Refused
from bridge.errors import TemporalAwayError

CALL_TIMEOUT = timedelta(seconds=5)
UPDATES_MAX = 64
DETAIL_CHARACTERS_MAX = 500

_TIMED_OUT = {RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED}
_ACCEPTED = {
    Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
    Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
}


class Updates:
    """Asks one namespace for updates, at most `at_once` side by side: those without a worker must not hold the rest."""

    def __init__(self, client: Client, ask: Ask, at_once: int) -> None:
        self._service = client.workflow_service
        self._ask = ask
        self._at_once = at_once
        self._asking = 0

    async def ask(self, request: UpdateWorkflowExecutionRequest) -> Reached | Refused | Answer:
        """Return what became of an update; raises `NoWorkerYetError` where nobody took it in time."""
        if self._asking >= self._at_once:
            raise NoWorkerYetError(f"{self._asking} updates wait for their workflows already")
        self._asking += 1
        try:
            response = await self._service.update_workflow_execution(request, retry=False, timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status in _TIMED_OUT:
                return await self._without_answer(request)
            return failures.meaning(error)
        except RuntimeError as error:  # how the client says that it cannot connect
            raise TemporalAwayError(str(error)) from error
        finally:
            self._asking -= 1
        return await self._judged(request, response)

    async def _without_answer(self, request: UpdateWorkflowExecutionRequest) -> Answer:
        """Find out whether Temporal is away or only the worker: no other call needs one."""
        response = await self._ask(
            self._service.describe_workflow_execution,
            workflowservice.DescribeWorkflowExecutionRequest(
                namespace=request.namespace, execution=request.workflow_execution
            ),
        )
        if not isinstance(response, workflowservice.DescribeWorkflowExecutionResponse):
            answer: Answer = response
            return answer
        raise NoWorkerYetError(f"no worker has taken the update of {request.workflow_execution.workflow_id} yet")

    async def _judged(
        self, request: UpdateWorkflowExecutionRequest, response: UpdateWorkflowExecutionResponse
    ) -> Reached | Refused | Answer:
        run_id = response.update_ref.workflow_execution.run_id or None
        if response.outcome.HasField("failure"):
            # The answer is the same for an update that was accepted and then failed, but only that one is remembered.
            poll = workflowservice.PollWorkflowExecutionUpdateRequest(
                namespace=request.namespace,
                update_ref=UpdateRef(
                    workflow_execution=response.update_ref.workflow_execution, update_id=request.request.meta.update_id
                ),
                identity=request.request.meta.identity,
            )
            known = await self._ask(self._service.poll_workflow_execution_update, poll)
            if not isinstance(known, workflowservice.PollWorkflowExecutionUpdateResponse):
                return Refused(response.outcome.failure.message[:DETAIL_CHARACTERS_MAX], run_id)
        elif response.stage not in _ACCEPTED:
            raise NoWorkerYetError(f"no worker has taken the update of {request.workflow_execution.workflow_id} yet")
        return Reached(run_id)
