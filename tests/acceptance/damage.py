"""A record that no client of Python will write: one with a header name that is not UTF-8."""

import asyncio
from typing import Any

import aiokafka
import pytest
from aiokafka.producer import message_accumulator
from aiokafka.record import default_records

Place = tuple[str, int, int]


class Name(str):
    """A header name that is written as other bytes than its text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        del encoding, errors
        return b"name-\xff"


def send(bootstrap: str, topic: str, partition: int, value: bytes, headers: list[tuple[str, bytes]]) -> Place:
    """Write a record with these headers and one more whose name is not UTF-8; return where it lies."""

    async def send() -> Any:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            batch = producer.create_batch()
            named = [*headers, (Name("name"), b"value")]
            assert batch.append(key=b"key", value=value, timestamp=None, headers=named) is not None
            batch.close()
            return await (await producer.send_batch(batch, topic, partition=partition))

    with pytest.MonkeyPatch.context() as patch:
        # The other one, in C, takes no subclass of str.
        patch.setattr(message_accumulator, "DefaultRecordBatchBuilder", default_records._DefaultRecordBatchBuilderPy)
        found = asyncio.run(send())
    return found.topic, found.partition, found.offset
