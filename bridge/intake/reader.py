"""Reads from the consumer, and past the bytes that break it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, UnsupportedCodecError
from aiokafka.structs import ConsumerRecord

from bridge.command import Record
from bridge.intake import offsets, received, tolerant
from bridge.intake.assignment import Assignment
from bridge.telemetry.health import Health, Part

AGAIN_AFTER_ERROR = timedelta(seconds=1)

Batches: TypeAlias = dict[TopicPartition, "list[ConsumerRecord[Any, Any]]"]


class Reader:
    """Fetches; `take` gets what only a reader that is tolerant of damage could read, if the assignment is current."""

    def __init__(
        self,
        health: Health,
        take: Callable[[TopicPartition, Sequence[Record]], None],
        is_current: Callable[[Assignment], bool],
    ) -> None:
        self._health = health
        self._take = take
        self._is_current = is_current
        self._positions_hold = True

    def begin(self) -> None:
        """Note that the consumer begins anew: its positions are those of what it handed over."""
        self._positions_hold = True

    async def fetch(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, records_max: int, timeout_ms: int
    ) -> Batches | None:
        """Return what a poll brings; None where it failed, which is dealt with."""
        try:
            found: Batches = await consumer.getmany(timeout_ms=timeout_ms, max_records=records_max)
        except (CorruptRecordException, UnsupportedCodecError):
            await self._read_past_damage(consumer, assignment)
        except KafkaError as error:
            await self._fail(error)
        except Exception:  # noqa: BLE001 - the client's parsers raise whatever they like at bytes that are not sound
            await self._read_past_damage(consumer, assignment)
        else:
            return found
        return None

    async def positions(self, consumer: AIOKafkaConsumer, assignment: Assignment) -> dict[TopicPartition, int]:
        """Return where the consumer is, as far as that tells what it handed over."""
        return await offsets.positions(consumer, assignment) if self._positions_hold else {}

    async def _read_past_damage(self, consumer: AIOKafkaConsumer, assignment: Assignment) -> None:
        """Read each partition once in a way that no record breaks: the client says not which one it was."""
        # What the client had read of other partitions is thrown away, and yet counts as read.
        self._positions_hold = False
        try:
            positions = {
                tp: partition.watermark.position or await offsets.begin(consumer, tp)
                for tp, partition in assignment.partitions.items()
            }
            found = await tolerant.read(consumer, positions)
            if not self._is_current(assignment):
                return
            # No await from here on: the assignment cannot change under the records.
            for tp, position in positions.items():
                records, next_position = found.get(tp, ([], position))
                self._take(tp, [received.damaged(record) for record in records])
                consumer.seek(tp, next_position)
            self._positions_hold = True
        except KafkaError as error:
            await self._fail(error)

    async def _fail(self, error: KafkaError) -> None:
        self._health.fails(Part.INTAKE, f"{type(error).__name__}: {error}")
        await asyncio.sleep(AGAIN_AFTER_ERROR.total_seconds())
