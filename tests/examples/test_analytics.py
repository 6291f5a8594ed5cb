"""The analytics example against what Temporal itself tells."""

import asyncio
import contextlib
import math
import signal
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from temporalio.client import Client

from tests.acceptance.commands import fresh
from tests.examples import conftest
from tests.examples.conftest import EXAMPLE, LIFECYCLE, Rides
from tests.workers import postgresql

RIDES_OF_A_KIND = 40
STATES = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "cancelled",
    "TERMINATED": "terminated",
    "TIMED_OUT": "timed_out",
    "CONTINUED_AS_NEW": "continued_as_new",
}
FIGURES = ("ended", *STATES.values(), "failures_percent", "p50_ms", "p95_ms")
DAMAGED: list[tuple[bytes, list[tuple[str, bytes | None]]]] = [
    (b"{}", [("ce_id", None), ("ce_type", b"workflow.completed")]),
    (b"{}", [("ce_id", b"\xff"), ("ce_type", b"workflow.completed")]),
    (b"no JSON", [("ce_id", b"1"), ("ce_type", b"workflow.completed"), ("ce_time", b"2026-01-01T00:00:00Z")]),
    (b"{}", []),
]


@dataclass(frozen=True)
class Run:
    """A closed run as Temporal lists it."""

    run_id: str
    workflow_type: str
    state: str
    day: str
    duration_ms: int
    is_continued: bool


def send_rides(rides: Rides, word: str) -> None:
    """Begin rides that end in six ways, and end those that do not end by themselves."""
    for number in range(RIDES_OF_A_KIND):
        for ending in ("completed", "failed", "continued_as_new"):
            rides.send("ride.begin", f"{word}-{ending}-{number}", ending=ending)
        rides.send("ride.hurry", f"{word}-timed_out-{number}")
        for end, ending in (("ride.cancel", "cancelled"), ("ride.kill", "terminated")):
            rides.send("ride.begin", f"{word}-{ending}-{number}")
            rides.send(end, f"{word}-{ending}-{number}")


def closed_runs(address: str, begin: str) -> list[Run]:
    """Return the closed runs whose workflow ids begin so, by Temporal's own list."""

    async def ask() -> list[Run]:
        client = await Client.connect(address)
        found = client.list_workflows(f"WorkflowId STARTS_WITH '{begin}' AND ExecutionStatus != 'Running'")
        runs = []
        async for run in found:
            assert run.close_time is not None
            assert run.status is not None
            runs.append(
                Run(
                    run_id=run.run_id,
                    workflow_type=run.workflow_type,
                    state=STATES[run.status.name],
                    day=run.close_time.astimezone(UTC).date().isoformat(),
                    duration_ms=_ms(run.close_time) - _ms(run.start_time),
                    is_continued=run.status.name == "CONTINUED_AS_NEW",
                )
            )
        return runs

    return asyncio.run(ask())


def _ms(time: datetime) -> int:
    return math.floor(time.timestamp() * 1000 + 1e-4)  # a float of µs may lie just below the ms


def wait_for_ends(rides: Rides, word: str) -> None:
    """Wait until all rides with a word have closed."""

    def closed() -> int:
        return len(closed_runs(rides.temporal.address, f"ride-{word}"))

    wanted = 7 * RIDES_OF_A_KIND  # those that continue as new have two runs each
    conftest.wait_until(lambda: closed() == wanted, lambda: f"{closed()} of {wanted} runs have closed")


def write_copies(rides: Rides, count: int) -> int:
    """Write every event once more when there are `count`, and what is no event; return how many copies."""
    rides.journal.wait_for(count)
    records = rides.journal.events()
    for record in records:
        rides.producer.send_raw(LIFECYCLE, record.key, record.value, record.headers)
    for value, headers in DAMAGED:
        rides.producer.send_raw(LIFECYCLE, b"ride", value, headers)
    return len(records)


def expected(runs: list[Run]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the query of the example must say of ends, by type and day, computed another way."""
    found = {}
    for key in {(run.workflow_type, run.day) for run in runs}:
        of_key = [run for run in runs if (run.workflow_type, run.day) == key]
        states = Counter(run.state for run in of_key)
        last = [run for run in of_key if not run.is_continued]
        failures = sum(run.state in {"failed", "timed_out"} for run in last)
        durations = sorted(run.duration_ms for run in of_key)
        found[key] = {
            "ended": len(of_key),
            **{state: states[state] for state in STATES.values()},
            "failures_percent": round(100 * failures / len(last), 1),
            "p50_ms": durations[math.ceil(0.5 * len(durations)) - 1],
            "p95_ms": durations[math.ceil(0.95 * len(durations)) - 1],
        }
    return found


def told_by_sqlite(database: Path) -> list[dict[str, Any]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        cursor = connection.execute((EXAMPLE / "by_type_and_day.sql").read_text())
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def told_by_postgresql(url: str) -> list[dict[str, Any]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute((EXAMPLE / "by_type_and_day.sql").read_bytes())
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return [row | {"day": row["day"].isoformat(), "failures_percent": float(row["failures_percent"])} for row in rows]


@pytest.mark.timeout(300)
def test_the_table_is_what_temporal_tells_though_the_consumer_was_killed_and_every_event_came_twice(
    rides: Rides,
) -> None:
    word, database = fresh("counted"), rides.folder / "counted.db"
    events = "SELECT run_id, state FROM lifecycle_events"
    with postgresql.running(rides.guard) as url:
        on_sqlite = rides.consumer("analytics-sqlite", f"sqlite+aiosqlite:///{database}")
        on_postgresql = rides.consumer("analytics-postgresql", url.replace("postgresql", "postgresql+psycopg", 1))
        on_sqlite.start()
        on_postgresql.start()
        send_rides(rides, word)
        conftest.wait_until(lambda: bool(conftest.select(database, events)), lambda: on_sqlite.text[-3000:])
        assert on_sqlite.end(signal.SIGKILL) == -signal.SIGKILL
        kept = set(conftest.select(database, events))

        wait_for_ends(rides, word)
        runs = closed_runs(rides.temporal.address, "ride-")  # those of other tests are in the topic too
        wanted = {(run.run_id, state) for run in runs for state in (run.state, "started")}
        assert write_copies(rides, len(wanted)) == len(wanted)
        assert set() < kept < wanted, "it was not killed in the middle"
        on_sqlite.start()
        for consumer, group in ((on_sqlite, "analytics-sqlite"), (on_postgresql, "analytics-postgresql")):
            rides.wait_until_read(group, consumer)
        assert [on_sqlite.end(signal.SIGTERM), on_postgresql.end(signal.SIGTERM)] == [0, 0]

        assert Counter(wanted) == Counter(conftest.select(database, events))
        assert on_sqlite.text.count("is no lifecycle event") == len(DAMAGED)
        told = told_by_sqlite(database)
        assert expected(runs) == {
            (row["workflow_type"], row["day"]): {name: row[name] for name in FIGURES} for row in told if row["ended"]
        }
        assert len(runs) == sum(row["started"] for row in told)
        assert told == told_by_postgresql(url)


def test_what_the_database_does_not_take_is_read_again(rides: Rides) -> None:
    word, database = fresh("locked"), rides.folder / "locked.db"
    events = f"SELECT state FROM lifecycle_events WHERE workflow_id LIKE 'ride-{word}%'"
    consumer = rides.consumer("analytics-locked", f"sqlite+aiosqlite:///{database}")
    consumer.start()
    conftest.wait_until(
        lambda: bool(conftest.select(database, "SELECT count(*) FROM lifecycle_events")), lambda: consumer.text[-3000:]
    )
    rides.wait_until_read("analytics-locked", consumer)

    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        for number in range(3):
            rides.send("ride.begin", f"{word}-{number}", ending="completed")
        conftest.wait_until(lambda: "database is locked" in consumer.text, lambda: consumer.text[-3000:])
        connection.execute("ROLLBACK")

    conftest.wait_until(lambda: len(conftest.select(database, events)) == 6, lambda: consumer.text[-3000:])
    assert consumer.end(signal.SIGTERM) == 0
    assert Counter({("started",): 3, ("completed",): 3}) == Counter(conftest.select(database, events))
