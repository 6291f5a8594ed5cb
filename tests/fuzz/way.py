"""A record's whole way through decoder and flow, to servers that take everything, and what came out of it."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
from aiokafka import TopicPartition
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from bridge import routes
from bridge.announcing import Announcing
from bridge.command import Record
from bridge.dispatch.admission import Admission
from bridge.dispatch.namespaces import Namespaces
from bridge.flow import Flow
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.breaker import Breaker
from bridge.intake.decode import Decoder
from bridge.intake.item import Item
from bridge.intake.lanes import Lane
from bridge.intake.watermark import Watermark
from bridge.outcomes.event import OutRecord
from bridge.routes import Routes, toml
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric
from topics import spec

COMPLETED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
REQUEST_BYTES_MAX = 4 * 1024 * 1024  # of gRPC
OTHERS: Sequence[dict[str, Any]] = (
    {"command": "order.amend", "verb": "update", "update": "amend", "id": "order-{order_id}"},
    {"command": "order.end", "verb": "terminate", "id": "{order_id}"},
    {
        "command": "order.place",
        "verb": "start",
        "workflow": "Order",
        "task_queue": "q",
        "id": "{a}-{b}",
        "result": True,
    },
)
SKIPPING = "order.place"
ROUTES = Routes((*routes.table(("invoice", "campaign", "lead")).rows, *toml.read([*OTHERS], "fuzz").rows))
DECODER = Decoder(ROUTES, frozenset({SKIPPING}), frozenset({"bridge.replies"}))
TRIES_MAX = 5


class Temporal:
    """Stands for the client: takes what it can parse, as the server would; a run of each id has been open for long."""

    namespace = "default"
    data_converter = DataConverter.default

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.workflow_service: Any = self
        core = SimpleNamespace(_ref=SimpleNamespace(call_workflow_service=self._of_core))
        self.service_client = SimpleNamespace(_connected_client=lambda: _given(core))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, **_: Any) -> Any:
            return self._answer(name, request.SerializeToString())

        return call

    async def _of_core(self, call: Any) -> bytes:
        text: bytes = self._answer(call.rpc, call.req).SerializeToString()
        return text

    def _answer(self, name: str, text: bytes) -> Any:
        assert len(text) <= REQUEST_BYTES_MAX
        kind = "".join(word.capitalize() for word in name.split("_"))
        parsed = getattr(workflowservice, f"{kind}Request").FromString(text)
        if name == "describe_workflow_execution":
            return _described(parsed.execution.workflow_id)
        if name.startswith(("get", "list")):
            raise RPCError("no such run", RPCStatusCode.NOT_FOUND, b"")
        self.requests.append(parsed)
        if name == "update_workflow_execution":
            return workflowservice.UpdateWorkflowExecutionResponse(stage=COMPLETED)
        return getattr(workflowservice, f"{kind}Response")()


async def _given(what: Any) -> Any:
    return what


def _described(workflow_id: str) -> workflowservice.DescribeWorkflowExecutionResponse:
    info = WorkflowExecutionInfo(
        execution=WorkflowExecution(workflow_id=workflow_id, run_id="r"),
        first_run_id="r",
        start_time=Timestamp(seconds=1),
        status=WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    )
    return workflowservice.DescribeWorkflowExecutionResponse(workflow_execution_info=info)


class Kafka:
    """Stands for what goes out: takes what a producer could write."""

    def __init__(self) -> None:
        self.written: list[OutRecord] = []

    async def send(self, written: Sequence[OutRecord]) -> None:
        for one in written:
            size = len(one.key or b"") + len(one.value or b"")
            size += sum(len(name.encode()) + len(value or b"") for name, value in one.headers)
            assert size <= spec.DEAD_LETTER_BYTES_MAX
        self.written += written

    def problem(self) -> None:
        """Every topic takes records."""


async def _no_wait(*_: object) -> None:
    """Say that a target that is missing does not come any more."""


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the one loop of this process: to make one for each input costs more than all the rest."""
    return asyncio.new_event_loop()


def go(record: Record) -> tuple[str, list[OutRecord]]:
    """Take a record to its end; return its outcome and what was written."""
    temporal, kafka, metrics = Temporal(), Kafka(), Metrics()
    client: Any = temporal
    outgoing: Any = kafka
    targets: Any = SimpleNamespace(wait_for=_no_wait)
    namespaces = Namespaces([client], "g", 256)
    health = Health()
    announcing = Announcing(namespaces, outgoing, health, metrics)
    flow = Flow(namespaces, announcing, targets, Admission(256), Breaker(), health, metrics)
    place = TopicPartition(record.topic, record.partition)
    assignment = Assignment(10)
    partition = assignment.partitions[place] = Partition(Watermark(), end_offset=0)
    partition.take(record.offset, record.size_bytes)
    lane: Any = Lane((place, record.offset))
    lane.items.append(Item(DECODER.decode(record), place, assignment, is_new=True, size_bytes=record.size_bytes))
    loop().run_until_complete(_work(flow, lane))
    assert partition.watermark.committable == record.offset + 1
    lettered = [one for one in kafka.written if one.topic == record.topic + spec.DEAD_LETTER_SUFFIX]
    counted = {labels[1]: count for labels, count in metrics._counts[Metric.COMMANDS].items()}
    outcomes = ["executed"] * bool(temporal.requests and not lettered) + ["dead-lettered"] * len(lettered)
    outcomes += ["skipped"] * counted.get("skipped", 0)
    assert len(outcomes) == 1, f"{outcomes} of {record}"
    return outcomes[0], kafka.written


async def _work(flow: Flow, lane: Any) -> None:
    for _ in range(TRIES_MAX):
        if await flow.work(lane) is None:
            return
        lane.attempts += 1
    raise AssertionError(f"no end after {TRIES_MAX} tries: {flow.health.problems}")
