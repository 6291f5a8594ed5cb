"""Keep how every run began and ended in a table, each event once, whatever crashes in between.

Told by KAFKA_BOOTSTRAP_SERVERS, ANALYTICS_TOPICS (default: the lifecycle topics of all domains), ANALYTICS_GROUP_ID and
ANALYTICS_DATABASE_URL (SQLAlchemy's, with an async driver; default: a SQLite file).
"""

import asyncio
import contextlib
import dataclasses
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

from aiokafka import ConsumerRecord
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from topics import spec, tables

Records: TypeAlias = "tuple[ConsumerRecord[Any, Any], ...]"
Row: TypeAlias = dict[str, Any]

BATCH_RECORDS = 500
AGAIN_AFTER_SECONDS = 1.0

lifecycle_events = Table(
    "lifecycle_events",
    MetaData(),
    Column("event_id", Text, primary_key=True),  # a copy of an event has the same id: that makes each count once
    Column("workflow_type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("workflow_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("command_type", Text),  # null: a child, or a run of a schedule
    Column("attempt", Integer, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("day", Date, nullable=False, index=True),  # of happened_at, UTC
    Column("duration_ms", BigInteger),  # null until the run has ended
    Column("new_run_id", Text),  # the run that continues it: null at the end of the chain
)
INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}

log = logging.getLogger("analytics")


def row(record: "ConsumerRecord[Any, Any]") -> Row:
    """Return the row that a record tells of; raises `KeyError` or `ValueError` where it is no lifecycle event."""
    headers = {name: (value or b"").decode() for name, value in record.headers}
    event = tables.LIFECYCLE_MODELS[headers["ce_type"]].model_validate_json(record.value or b"")
    happened_at = datetime.fromisoformat(headers["ce_time"]).astimezone(UTC)
    known = dict.fromkeys(lifecycle_events.columns.keys())
    return {
        **known,
        **event.model_dump(mode="json", include=set(known)),
        "event_id": str(uuid.UUID(headers["ce_id"])),
        "happened_at": happened_at,
        "day": happened_at.date(),
    }


async def parse(records: Records, original: Callable[[Records], Awaitable[KafkaMessage]]) -> KafkaMessage:
    """Hide the headers from FastStream: for one value that is null or no UTF-8 it would lose the whole batch."""
    message = await original(tuple(dataclasses.replace(record, headers=()) for record in records))
    message.raw_message = records
    return message


async def decode(message: KafkaMessage) -> list[Row]:
    """Return the rows of a batch; what is no lifecycle event is told of and passed over."""
    rows, records = [], cast("Records", message.raw_message)
    for record in records:
        try:
            rows.append(row(record))
        except (KeyError, ValueError) as error:
            log.warning("%s/%d/%d is no lifecycle event: %r", record.topic, record.partition, record.offset, error)
    return rows


async def keep(engine: AsyncEngine, rows: list[Row]) -> None:
    """Write the rows that are not there yet, all of them or none."""
    insert = INSERTS[engine.dialect.name](lifecycle_events).on_conflict_do_nothing()
    async with engine.begin() as connection:
        await connection.execute(insert, rows)


def application(bootstrap: str, topics: list[str], group: str, database: str) -> FastStream:
    """Return the consumer."""
    engine = create_async_engine(database, hide_parameters=True)
    broker = KafkaBroker(
        bootstrap,
        apply_types=False,  # what `decode` returns is checked already
        allow_auto_create_topics=False,  # `bridge setup apply` makes them, with the partitions they need
        consumer_only=True,
    )

    # Offsets are committed when the handler has returned, so behind the transaction; if it raises, the batch is read
    # again. FastStream's default and ACK commit what has failed.
    @broker.subscriber(
        *topics,
        group_id=group,
        batch=True,
        max_records=BATCH_RECORDS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # the sweep writes in transactions
        parser=parse,
        decoder=decode,
    )
    async def handle(rows: list[Row]) -> None:
        try:
            if rows:
                await keep(engine, rows)
        except (SQLAlchemyError, OSError):
            await asyncio.sleep(AGAIN_AFTER_SECONDS)  # FastStream itself would not wait
            raise

    @contextlib.asynccontextmanager
    async def with_table() -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(lifecycle_events.metadata.create_all)
        yield
        await engine.dispose()

    return FastStream(broker, lifespan=with_table)


if __name__ == "__main__":
    every_topic = ",".join(domain.name + spec.LIFECYCLE_SUFFIX for domain in tables.DOMAINS)
    consumer = application(
        os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
        os.environ.get("ANALYTICS_TOPICS", every_topic).split(","),
        os.environ.get("ANALYTICS_GROUP_ID", "analytics"),
        os.environ.get("ANALYTICS_DATABASE_URL", "sqlite+aiosqlite:///analytics.db"),
    )
    asyncio.run(consumer.run())
