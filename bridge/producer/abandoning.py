"""Close a producer at once, whatever it holds.

The client's own `stop` waits for a broker or a topic that may be gone, and, cancelled in that, leaves its tasks behind.
"""

import asyncio
import contextlib
from datetime import timedelta

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

STOP_TIMEOUT = timedelta(seconds=5)


def give_up(producer: AIOKafkaProducer) -> None:
    """Let a producer write nothing more; who waits for it to write something gets `ProducerClosed`."""
    accumulator = producer._message_accumulator  # noqa: SLF001 - the client has no other way to give something up
    waiting = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001 - as above
    accumulator._pending_batches.update(waiting)  # noqa: SLF001 - the client takes each out of it when it has failed
    accumulator.fail_all(ProducerClosed())
    accumulator._batches.clear()  # noqa: SLF001 - its task would stumble over what has failed
    for batch in waiting:
        batch._drain_waiter.exception()  # noqa: SLF001 - nobody waits for it, and an error unseen would be logged


async def stop(producer: AIOKafkaProducer) -> None:
    """Close a producer, and give up what it holds."""
    give_up(producer)
    # The client's tasks may stumble over what they no longer find: the connections must be closed all the same.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.stop()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.client.close()
