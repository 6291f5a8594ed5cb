"""What the workers log: with the trace of the command, and without ever waiting for who reads it."""

import io
import json
import logging
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from temporalio.api.common.v1 import Header, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.servers.fixtures import Temporal
from tests.workers import commands, teller
from topics.environment.outlet import Outlet
from workers import logs
from workers.sdk.plugin import BridgePlugin

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def configured(stream: io.TextIOBase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the workers' log lines go to a stream in the block."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure()
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = before
        root.setLevel(level)
        structlog.reset_defaults()


async def test_a_line_of_a_workflow_and_of_an_activity_has_the_trace_of_the_command(
    temporal: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(temporal.address)
    workflow_id = f"teller-{uuid.uuid4()}"
    reference = {"id": "c-1", "source": "/shop", "type": "tell", "time": "2026-11-21T10:00:00Z"}
    traced = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
    header = Header(
        fields={"bridge-command": commands.json_payload(reference), "_tracer-data": commands.json_payload(traced)}
    )
    out = io.StringIO()
    with configured(out, monkeypatch):
        async with Worker(
            client, task_queue=workflow_id, workflows=[teller.Teller], activities=[teller.act], plugins=[BridgePlugin()]
        ):
            await client.workflow_service.start_workflow_execution(
                StartWorkflowExecutionRequest(
                    namespace=client.namespace,
                    workflow_id=workflow_id,
                    workflow_type=WorkflowType(name="Teller"),
                    task_queue=TaskQueue(name=workflow_id),
                    request_id=workflow_id,
                    header=header,
                )
            )
            await client.get_workflow_handle(workflow_id).result()
        logs.get("workers").warning("nobody's line")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    found = {
        line["event"].partition(" (")[0]: line.get("trace_id")
        for line in lines
        if line["logger"] != "temporalio.worker._worker"
    }
    assert found == {"the workflow speaks": TRACE_ID, "the activity speaks": TRACE_ID, "nobody's line": None}


def test_a_pipe_that_nobody_reads_holds_up_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    found: list[Any] = []
    with open(writer, "w", encoding="utf-8") as stream, configured(stream, monkeypatch):  # noqa: PTH123 - it is a descriptor
        for number in range(200):  # 200 KB, of which a pipe takes 64
            logs.get("workers").warning("x" * 1000, number=number)
        found = logging.getLogger().handlers[:]
        taken = b""
        while b'"number": 199' not in taken:
            taken += os.read(reader, 65536)
    os.close(reader)
    assert [type(handler) for handler in found] == [Outlet]
