"""The command reaches handlers and activities through the headers that the bridge writes."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.api.common.v1 import Header, Payload, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from tests.servers.fixtures import Temporal
from tests.workers import commands, echo, waiting
from tests.workers.commands import TRACEPARENT
from tests.workers.echo import Child, Echo
from workers.converter import data_converter
from workers.sdk import BridgeInterceptor, CommandReference, headers
from workers.sdk.plugin import BridgePlugin

Options = Mapping[str, Any]


def header(command_id: str, trace: str | None = None, **attributes: str) -> Header:
    fields = {"id": command_id, "source": "/shop", "type": "echo", "time": "2026-11-21T10:00:00Z"} | attributes
    payloads = {"bridge-command": commands.json_payload(fields)}
    if trace is not None:
        payloads["_tracer-data"] = commands.json_payload({"traceparent": trace})
    return Header(fields=payloads)


class Bridge:
    """Sends raw requests as the bridge does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.service = client.workflow_service
        self.id = f"echo-{uuid.uuid4()}"

    @property
    def run(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.id)

    async def start(self, head: Header | None, **fields: Any) -> None:
        await self.service.start_workflow_execution(StartWorkflowExecutionRequest(**self._new(head), **fields))

    async def signal(self, name: str, head: Header | None = None, *arguments: Any) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self.id),
            signal_name=name,
            header=head,
            request_id=str(uuid.uuid4()),
        )
        request.input.payloads.extend(await self.client.data_converter.encode(arguments))
        await self.service.signal_workflow_execution(request)

    async def signal_with_start(self, name: str, head: Header, *arguments: Any) -> None:
        request = SignalWithStartWorkflowExecutionRequest(**self._new(head), signal_name=name)
        request.signal_input.payloads.extend(await self.client.data_converter.encode(arguments))
        await self.service.signal_with_start_workflow_execution(request)

    async def update(self, name: str, head: Header) -> Any:
        answer = await self.service.update_workflow_execution(
            UpdateWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=self.id),
                wait_policy=WaitPolicy(
                    lifecycle_stage=UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
                ),
                request=Request(meta=Meta(update_id=str(uuid.uuid4())), input=Input(name=name, header=head)),
            )
        )
        (value,) = await self.client.data_converter.decode(list(answer.outcome.success.payloads))
        return value

    async def continued(self) -> None:
        """Wait for the second run: a signal to the first would end with it."""

        async def there() -> bool:
            description = await self.run.describe()
            return description.run_id != description.raw_description.workflow_execution_info.first_run_id

        await waiting.until_told(there)

    async def result(self) -> dict[str, str | None]:
        await self.signal("finish")
        found: dict[str, str | None] = await self.run.result()
        return found

    def _new(self, head: Header | None) -> dict[str, Any]:
        return {
            "namespace": self.client.namespace,
            "workflow_id": self.id,
            "workflow_type": WorkflowType(name="Echo"),
            "task_queue": TaskQueue(name=self.id),
            "request_id": str(uuid.uuid4()),
            "header": head,
        }


@asynccontextmanager
async def working(temporal: Temporal, **options: Any) -> AsyncIterator[Bridge]:
    how = options or {"plugins": [BridgePlugin()]}
    bridge = Bridge(await Client.connect(temporal.address, data_converter=data_converter))
    async with Worker(bridge.client, task_queue=bridge.id, workflows=[Echo, Child], activities=[echo.cause], **how):
        yield bridge


PLUGIN: Options = {"plugins": [BridgePlugin()]}
INTERCEPTOR: Options = {"interceptors": [BridgeInterceptor()]}


@pytest.mark.parametrize("options", [PLUGIN, INTERCEPTOR], ids=["plugin", "interceptor alone"])
async def test_the_start_s_command_is_found_wherever_the_run_goes(temporal: Temporal, options: Options) -> None:
    async with working(temporal, **options) as bridge:
        await bridge.start(header("c-1", TRACEPARENT, correlationid="case-1"))
        found = await bridge.result()
    start = f"c-1 {TRACEPARENT} case-1"
    assert found == {
        "run": start,
        "activity": start,
        "local": start,
        "child": start,
        "acting for another": "other - -",
        "afterwards": start,
    }


async def test_each_of_several_signals_finds_its_own_command(temporal: Temporal) -> None:
    async with working(temporal) as bridge:
        await bridge.start(header("c-1"))
        for name in ("a", "b", "c"):
            await bridge.signal("tell", header(f"signal-{name}"), name)
        found = await bridge.result()
    assert {name: found[name] for name in found if name[0] in "abc" and (len(name) == 1 or name[1] == " ")} == {
        name + suffix: f"signal-{name} - -" for name in ("a", "b", "c") for suffix in ("", " activity")
    }


async def test_the_command_of_a_signal_with_start_is_found_by_the_signal_and_the_run(
    temporal: Temporal,
) -> None:
    async with working(temporal) as bridge:
        await bridge.signal_with_start("tell", header("c-1", TRACEPARENT), "a")
        found = await bridge.result()
    assert {found["run"], found["a"], found["a activity"]} == {f"c-1 {TRACEPARENT} -"}


async def test_an_update_finds_its_own_command(temporal: Temporal) -> None:
    async with working(temporal) as bridge:
        await bridge.start(header("c-1"))
        answer = await bridge.update("ask", header("update-1", TRACEPARENT))
        await bridge.result()
    assert answer == f"update-1 {TRACEPARENT} -"


async def test_the_run_that_continues_as_new_finds_the_command_of_the_first(temporal: Temporal) -> None:
    again = Payload(metadata={"encoding": b"json/plain"}, data=b"true")
    async with working(temporal) as bridge:
        await bridge.start(header("c-1", TRACEPARENT), input={"payloads": [again]})
        await bridge.continued()
        found = await bridge.result()
    assert found["activity"] == f"c-1 {TRACEPARENT} -"


async def test_a_run_that_no_command_led_to_finds_none(temporal: Temporal) -> None:
    async with working(temporal) as bridge:
        await bridge.start(None)
        found = await bridge.result()
    assert (found["run"], found["activity"]) == (None, None)


@pytest.mark.parametrize(
    "payload",
    [
        Payload(data=b"{"),
        Payload(data=b"[]"),
        commands.json_payload({"id": "c-1"}),
        commands.json_payload({"id": 1, "source": "/shop", "type": "echo"}),
    ],
)
def test_a_header_that_cannot_be_read_is_no_command(payload: Payload) -> None:
    assert headers.read({"bridge-command": payload}) is None


def test_a_command_is_read_as_it_was_written() -> None:
    command = CommandReference("c-1", "/shop", "echo", "2026-11-21T10:00:00Z", "case-1", TRACEPARENT, "vendor=1")
    assert headers.read(headers.write({}, command)) == command


def test_the_trace_that_another_interceptor_wrote_stays() -> None:
    theirs = commands.json_payload({"traceparent": "theirs"})
    command = CommandReference("c-1", "/shop", "echo", traceparent=TRACEPARENT)
    written = headers.write({"_tracer-data": theirs}, command)
    assert (written["_tracer-data"], headers.read(written)) == (theirs, command)


def test_unknown_attributes_of_the_header_are_ignored() -> None:
    fields = {"id": "c-1", "source": "/shop", "type": "echo", "new": "x", "correlationid": None}
    assert headers.read({"bridge-command": commands.json_payload(fields)}) == CommandReference("c-1", "/shop", "echo")
