"""What `bridge doctor` says of callbacks, found out without an effect."""

import asyncio
import uuid

import pytest
from temporalio import exceptions
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsResponse
from temporalio.client import Client, WorkflowFailureError

from bridge import settings
from bridge.cli.examine import callbacks
from bridge.cli.examine.finding import Finding, Status
from tests.engine.temporal_side import Stage
from tests.servers.fixtures import Temporal


async def examined(temporal: Temporal, **environment: str) -> list[tuple[str, str]]:
    env = {
        "TEMPORAL_ADDRESS": temporal.address,
        "BRIDGE_GROUP_ID": "doctor",
        "BRIDGE_CALLBACK_SECRET": "s",
        **environment,
    }
    found: list[Finding] = await callbacks.examine(settings.load(env))
    return [(one.status.value, one.detail) for one in found]


async def test_without_a_url_the_sweep_is_named(temporal: Temporal) -> None:
    assert await examined(temporal) == [("ok", "mode: sweep, every 5 s (BRIDGE_CALLBACK_URL is not set)")]


async def test_an_address_that_temporal_allows_is_callbacks_and_nothing_is_begun(
    prepared: Temporal, stage: Stage
) -> None:
    run_id = await stage.begin()
    found = await examined(prepared, BRIDGE_CALLBACK_URL="http://127.0.0.1:9")
    assert found == [("ok", "default: mode: callbacks, to http://127.0.0.1:9/callbacks/doctor")]
    assert (await stage.latest()).run_id == run_id
    client = await Client.connect(prepared.address)
    assert [one async for one in client.list_workflows("WorkflowType = 'doctor'")] == []


async def test_where_the_id_that_it_asks_by_has_become_free_nothing_stays(
    prepared: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(prepared.address)
    free = f"free-{uuid.uuid4().hex[:8]}"
    one = WorkflowExecutionInfo(execution=WorkflowExecution(workflow_id=free))

    async def listed(*_: object, **__: object) -> ListWorkflowExecutionsResponse:
        return ListWorkflowExecutionsResponse(executions=[one])

    monkeypatch.setattr(client.workflow_service, "list_workflow_executions", listed)
    assert (await callbacks._mode(client, "http://127.0.0.1:9/callbacks/doctor")).status is Status.OK
    with pytest.raises(WorkflowFailureError) as ended:
        async with asyncio.timeout(30):
            await client.get_workflow_handle(free).result()
    assert isinstance(ended.value.cause, exceptions.TimeoutError)


async def test_an_address_that_temporal_bars_is_the_sweep_and_says_what_to_do(prepared: Temporal, stage: Stage) -> None:
    await stage.begin()
    ((status, detail),) = await examined(prepared, BRIDGE_CALLBACK_URL="http://10.1.2.3:9")
    assert status == "warn"
    assert detail.startswith("default: mode: sweep: invalid url: url does not match any configured callback address")
