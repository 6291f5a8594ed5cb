"""Close a consumer, also while Kafka is away.

The client cancels its own fetches then, and where one of them waits after a failure, its cancellation comes out of
`stop` half way (aiokafka 0.14, `Fetcher.close`): who stops it would seem to be cancelled, and the rest stay open.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer


async def close(consumer: AIOKafkaConsumer, stop: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
    """Close a consumer; `stop` is how, where another owns it. Raises what stopping raises."""
    stopping = asyncio.create_task((stop or consumer.stop)())
    try:
        await asyncio.wait((stopping,))
    finally:
        stopping.cancel()  # of one that has ended: nothing
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 - `stop` begins only once
    else:
        stopping.result()
