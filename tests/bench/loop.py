"""The shortest honest loop: the bridge's client calls, and none of its promises.

`python -m tests.bench.loop TOPIC`. Poll, start as many side by side as the bridge does, commit, again.
"""

import asyncio
import json
import os
import signal
import sys
import uuid
from datetime import timedelta
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client, GrpcCompression

from tests.bench import rows

IN_FLIGHT = 256
CALL_TIMEOUT = timedelta(seconds=10)


async def run(topic: str) -> None:
    """Start a workflow for each record, until SIGTERM."""
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], grpc_compression=GrpcCompression.NONE)
    service = client.workflow_service

    async def start(record: "ConsumerRecord[Any, Any]") -> None:
        value: bytes = record.value or b""
        request = StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=f"order-{json.loads(value)['order_id']}",
            workflow_type=WorkflowType(name=rows.WORKFLOW),
            task_queue=TaskQueue(name=rows.TASK_QUEUE),
            input=Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=value)]),
            request_id=str(uuid.uuid4()),
        )
        await service.start_workflow_execution(request, retry=False, timeout=CALL_TIMEOUT)

    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=topic,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=45_000,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with consumer:
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=200, max_records=IN_FLIGHT)
            await asyncio.gather(*(start(record) for records in batches.values() for record in records))
            if batches:
                await consumer.commit()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
