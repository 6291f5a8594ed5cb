"""Read on past a record that breaks the client: anybody who may write a topic can put one there."""

from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, UnsupportedCodecError
from aiokafka.structs import ConsumerRecord

from bridge.intake import tolerant

Batches: TypeAlias = "dict[TopicPartition, list[ConsumerRecord[Any, Any]]]"


async def getmany(
    consumer: AIOKafkaConsumer, *partitions: TopicPartition, timeout_ms: int, max_records: int
) -> Batches:
    """Return what a poll brings, of some partitions or of all that the consumer has. Raises `KafkaError`.

    What can be had of a record that breaks the client is among it; a header name that is no text is a `Damage` then.
    """
    # Taken before: what a poll that fails has read of other partitions is thrown away, and yet counts as read.
    positions = {tp: await consumer.position(tp) for tp in partitions or consumer.assignment()}
    try:
        found: Batches = await consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
    except (CorruptRecordException, UnsupportedCodecError):
        return await _past_damage(consumer, positions)
    except KafkaError:
        raise
    except Exception:  # noqa: BLE001 - the client's parsers raise whatever they like at bytes that are not sound
        return await _past_damage(consumer, positions)
    return found


async def _past_damage(consumer: AIOKafkaConsumer, positions: dict[TopicPartition, int]) -> Batches:
    found = await tolerant.read(consumer, positions)
    for tp, position in positions.items():
        consumer.seek(tp, found[tp][1] if tp in found else position)
    return {tp: records for tp, (records, _) in found.items()}
