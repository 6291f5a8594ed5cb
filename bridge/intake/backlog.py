"""How far the whole group has come in a topic: a missing target may still be waiting in it."""

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge.errors import KafkaAwayError
from bridge.intake import offsets, progress

QUERY_TIMEOUT = timedelta(seconds=5)
REMEMBERED = timedelta(seconds=1)
REMEMBERED_MAX = 1000

_Question: TypeAlias = tuple[str, int, TopicPartition]


class Backlog:
    """Asks Kafka how far the group has come, through its consumer; answers are remembered for a second.

    What can begin no run counts as done: it may itself be waiting, for a run of which the asker has the start.
    """

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        """Take what gives the group's consumer, which may change."""
        self._consumer = consumer
        self._answers: dict[_Question, tuple[float, bool]] = {}

    async def is_read(self, topics: Collection[str], until_ms: int, but: TopicPartition) -> bool:
        """Return whether the group has done all starts in `topics` up to a time, but for those of the partition `but`.

        Raises `KafkaAwayError` where Kafka does not answer.
        """
        until_s = -(-until_ms // 1000)  # whole seconds, so that many waiting commands share an answer
        for topic in topics:
            if not await self._topic_is_read((topic, until_s, but)):
                return False
        return True

    async def _topic_is_read(self, question: _Question) -> bool:
        asked, answer = self._answers.get(question, (float("-inf"), False))
        if time.monotonic() - asked < REMEMBERED.total_seconds():
            return answer
        try:
            async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
                answer = await self._ask(*question)
        except (KafkaError, TimeoutError) as error:
            raise KafkaAwayError(f"how far {question[0]} is read could not be asked: {error}") from error
        if len(self._answers) >= REMEMBERED_MAX:
            self._answers.clear()
        self._answers[question] = (time.monotonic(), answer)
        return answer

    async def _ask(self, topic: str, until_s: int, but: TopicPartition) -> bool:
        consumer = self._consumer()
        numbers = consumer.partitions_for_topic(topic) or set()
        partitions = [tp for number in numbers if (tp := TopicPartition(topic, number)) != but]
        first_after = await consumer.offsets_for_times(dict.fromkeys(partitions, until_s * 1000))
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        told = await offsets.told(consumer, partitions)
        for tp in partitions:
            found = first_after.get(tp)
            needed = found.offset if found is not None else ends[tp]
            if max(told.get(tp, progress.NOTHING).starts_done, begins[tp]) < needed:
                return False
        return True
