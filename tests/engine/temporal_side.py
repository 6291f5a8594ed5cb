"""What the tests do with the real Temporal: commands of a workflow id of their own, and one workflow task at a time."""

import asyncio
import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    CancelWorkflowExecutionCommandAttributes,
    CompleteWorkflowExecutionCommandAttributes,
    ContinueAsNewWorkflowExecutionCommandAttributes,
    FailWorkflowExecutionCommandAttributes,
)
from temporalio.api.command.v1 import Command as TaskCommand
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType, WorkflowExecutionStatus
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import Client

from bridge import mark
from bridge.callback import Signer
from bridge.command import Command
from bridge.dispatch import dispatcher, requests
from bridge.dispatch.run import Run
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Outcome
from bridge.routes import Missing, Rerun, Route, Verb
from tests.engine import records

CALL = timedelta(seconds=10)
POLL = timedelta(seconds=20)

COMPLETED = TaskCommand(
    command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(),
)
CANCELLED = TaskCommand(
    command_type=CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
    cancel_workflow_execution_command_attributes=CancelWorkflowExecutionCommandAttributes(),
)


def completed(*results: bytes, encoding: bytes = b"json/plain") -> TaskCommand:
    payloads = [Payload(metadata={"encoding": encoding}, data=text) for text in results]
    return TaskCommand(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(
            result=Payloads(payloads=payloads)
        ),
    )


def failed(failure: Failure) -> TaskCommand:
    return TaskCommand(
        command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        fail_workflow_execution_command_attributes=FailWorkflowExecutionCommandAttributes(failure=failure),
    )


class Stage:
    """One workflow id, its task queue, and the commands for it; each has the record's own place in a partition."""

    def __init__(self, client: Client, group: str | None = None) -> None:
        self.client = client
        self.group = group or f"group-{uuid.uuid4().hex[:8]}"
        self.temporal = Temporal(client, self.group)
        self.name = uuid.uuid4().hex[:12]
        self.workflow_id = f"engine-{self.name}"
        self.queue = f"queue-{self.name}"
        self.topic = f"{self.group}.do"
        self.lifecycle = f"{self.group}.lifecycle"
        self.replies = f"{self.group}.replies"

    def sibling(self) -> "Stage":
        """Return another workflow id of the same group and topics."""
        return Stage(self.client, self.group)

    def route(self, verb: Verb, rerun: Rerun = Rerun.AFTER_FAILURE, missing: Missing = Missing.WAIT) -> Route:
        return Route(
            command="engine.do",
            verb=verb,
            id="engine-{id}",
            workflow="Entity",
            task_queue=self.queue,
            signal="go",
            update="go",
            topic=self.topic,
            lifecycle=self.lifecycle,
            rerun=rerun,
            missing=missing,
        )

    def command(
        self,
        verb: Verb,
        command_id: str,
        *,
        offset: int = 0,
        partition: int = 0,
        rerun: Rerun = Rerun.AFTER_FAILURE,
        missing: Missing = Missing.WAIT,
        timestamp_ms: int | None = None,
        update: str = "go",
        data: Mapping[str, Any] | None = None,
        **attributes: str,
    ) -> Command:
        value = json.dumps({"id": self.name, "reason": "because", **(data or {})}).encode()
        headers = records.binary(id=command_id, source="/test", type="engine.do", **attributes)
        place = records.record(
            value,
            headers,
            topic=self.topic,
            offset=offset,
            partition=partition,
            timestamp_ms=timestamp_ms if timestamp_ms is not None else now_ms(),
        )
        row = dataclasses.replace(self.route(verb, rerun, missing), update=update)
        return records.command(place, rows=[row], reply_topics=[self.replies])

    async def do(self, command: Command, *, fresh: bool = False) -> Outcome:
        return await dispatcher.dispatch(self.temporal, command, fresh=fresh)

    async def begin(self, command_id: str = "first", **options: Any) -> str:
        """Start a run; return its id."""
        outcome = await self.do(self.command(Verb.START, command_id, **options))
        assert isinstance(outcome, Accepted), outcome
        assert outcome.run_id is not None
        return outcome.run_id

    async def begin_elsewhere(self) -> str:
        """Start a run that is none of the bridge's; return its id."""
        return (
            await self.client.start_workflow("Entity", id=self.workflow_id, task_queue=self.queue)
        ).first_execution_run_id or ""

    async def begin_with_timeout(self, signer: Signer | None = None) -> str:
        """Start a run that times out within a second; return its id."""
        return await self.begin_with(lambda request: request.workflow_run_timeout.FromSeconds(1), signer)

    async def begin_with(
        self,
        change: Callable[[workflowservice.StartWorkflowExecutionRequest], None],
        signer: Signer | None = None,
    ) -> str:
        """Start a run with what no route can ask for; return its id."""
        command = self.command(Verb.START, "first")
        encoded = requests.start(
            command,
            namespace=self.client.namespace,
            group=self.group,
            request_id=command.record_request_id,
            rerun=Rerun.NEVER,
            signer=signer,
        )
        request = workflowservice.StartWorkflowExecutionRequest.FromString(encoded)
        change(request)
        return (await self.client.workflow_service.start_workflow_execution(request, timeout=CALL)).run_id

    async def reset(self, run_id: str, event_id: int = 4) -> str:
        """Let another run begin at an event of a run; return the other's id."""
        request = workflowservice.ResetWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self.workflow_id, run_id=run_id),
            reason="test",
            workflow_task_finish_event_id=event_id,
            request_id=str(uuid.uuid4()),
        )
        return (await self.client.workflow_service.reset_workflow_execution(request, timeout=CALL)).run_id

    async def terminate(self) -> None:
        await self.client.get_workflow_handle(self.workflow_id).terminate()

    async def latest(self) -> Run:
        run = await self.temporal.describe(self.workflow_id)
        assert run is not None
        return run

    async def work(self, *commands: TaskCommand) -> None:
        """Take the next workflow task, and answer it with commands."""
        await self._answer(await self._task(), commands)

    async def _task(self) -> workflowservice.PollWorkflowTaskQueueResponse:
        task = await self.client.workflow_service.poll_workflow_task_queue(
            workflowservice.PollWorkflowTaskQueueRequest(
                namespace=self.client.namespace, task_queue=TaskQueue(name=self.queue), identity="test"
            ),
            timeout=POLL,
        )
        assert task.task_token, "no workflow task came"
        return task

    async def _answer(
        self, task: workflowservice.PollWorkflowTaskQueueResponse, commands: Sequence[TaskCommand]
    ) -> None:
        await self.client.workflow_service.respond_workflow_task_completed(
            workflowservice.RespondWorkflowTaskCompletedRequest(
                namespace=self.client.namespace, task_token=task.task_token, commands=commands, identity="test"
            ),
            timeout=CALL,
        )

    async def renew(self, *, with_mark: bool = True, with_group: bool = True) -> None:
        """Let the run continue as new; it keeps memo and attributes, as the SDKs do, unless it gives its own."""
        task = await self._task()
        started = task.history.events[0].workflow_execution_started_event_attributes
        attributes = ContinueAsNewWorkflowExecutionCommandAttributes(
            workflow_type=WorkflowType(name="Entity"),
            task_queue=TaskQueue(name=self.queue),
            input=Payloads(payloads=[]),
            workflow_task_timeout=Duration(seconds=10),
            memo=started.memo if with_mark else None,
            search_attributes=started.search_attributes if with_group else None,
        )
        command = TaskCommand(
            command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
            continue_as_new_workflow_execution_command_attributes=attributes,
        )
        await self._answer(task, [command])

    async def events(self, run_id: str, kind: "EventType.ValueType") -> list[HistoryEvent]:
        response = await self.client.workflow_service.get_workflow_execution_history(
            workflowservice.GetWorkflowExecutionHistoryRequest(
                namespace=self.client.namespace,
                execution=WorkflowExecution(workflow_id=self.workflow_id, run_id=run_id),
            ),
            timeout=CALL,
        )
        return [event for event in response.history.events if event.event_type == kind]

    async def signals(self, run_id: str) -> int:
        return len(await self.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))

    async def updates(self, run_id: str) -> int:
        return len(await self.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED))

    async def cancels(self, run_id: str) -> int:
        return len(await self.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED))

    async def listed(self, count: int) -> list[str]:
        """Return the ids of all runs of the workflow id, once visibility shows `count` closed or open ones."""
        async with asyncio.timeout(30):
            while True:
                query = f"WorkflowId = '{self.workflow_id}'"
                found = [run.run_id async for run in self.client.list_workflows(query)]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)

    async def shown_as_closed(self, run_id: str) -> None:
        """Wait until visibility shows that the run has closed: a look-back by list needs it."""
        async with asyncio.timeout(30):
            while True:
                query = f"WorkflowId = '{self.workflow_id}' AND RunId = '{run_id}' AND ExecutionStatus != 'Running'"
                if [run async for run in self.client.list_workflows(query)]:
                    return
                await asyncio.sleep(0.02)


def now_ms() -> int:
    return int(time.time() * 1000)


__all__ = ["CANCELLED", "COMPLETED", "Stage", "WorkflowExecutionStatus", "failed", "mark", "now_ms"]
