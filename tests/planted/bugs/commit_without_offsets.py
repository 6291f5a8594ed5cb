"""The consumer commits what it has read, not what is done."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge.intake import offsets
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    async def commit(consumer: AIOKafkaConsumer, moved: Mapping[TopicPartition, tuple[int, str]]) -> bool:
        planting.met()
        try:
            await consumer.commit()
        except KafkaError:
            return False
        return True

    planting.replace(offsets, "commit", commit)
