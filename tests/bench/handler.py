"""The usual handler: FastStream's decorator and `client.start_workflow`, with its log, as its tutorials write it.

`python -m tests.bench.handler TOPIC`.
"""

import asyncio
import os
import sys
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from temporalio.client import Client

from tests.bench import rows


async def run(topic: str, ack: AckPolicy = AckPolicy.ACK_FIRST, **options: Any) -> None:
    """Start a workflow for each record, for ever; `ack` is FastStream's own default, `options` are `KafkaBroker`'s."""
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"], **options)

    @broker.subscriber(topic, group_id=topic, ack_policy=ack, auto_offset_reset="earliest", session_timeout_ms=45_000)
    async def handle(order: dict[str, Any]) -> None:
        await client.start_workflow(rows.WORKFLOW, order, id=f"order-{order['order_id']}", task_queue=rows.TASK_QUEUE)

    await FastStream(broker).run()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
