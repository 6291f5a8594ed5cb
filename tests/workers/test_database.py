"""The database: SQLite and PostgreSQL do the same."""

import asyncio
import contextlib
import multiprocessing
import sqlite3
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select

from workers import database, migrations, schema
from workers.database import Database
from workers.invoice import records
from workers.invoice.models import Recording

RECORDING = Recording(
    invoice_id="INV-1",
    customer_name="Ada\x00Lovelace",
    customer_email="ada@example.com",
    total=Decimal("123456789012345678.10"),
    currency="EUR",
    status="rejected",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a new database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/workers.db"
    server: str = request.getfixturevalue("postgresql_url")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Database]:
    """Give an open database of each kind."""
    async with database.open_database(database.parse_url(url)) as found:
        yield found


async def invoices(opened: Database) -> list[tuple[str, Decimal, str]]:
    async with opened.engine.connect() as connection:
        rows = await connection.execute(select(schema.invoices))
        return [(row.invoice_id, row.total, row.status) for row in rows]


async def test_money_keeps_every_digit(opened: Database) -> None:
    await opened.run(records.save, RECORDING)
    ((_, total, _),) = await invoices(opened)
    assert str(total) == "123456789012345678.10"


async def test_an_invoice_that_is_saved_again_has_one_row_with_the_later_word(opened: Database) -> None:
    await opened.run(records.save, RECORDING)
    await opened.run(records.save, RECORDING.model_copy(update={"status": "sent", "total": Decimal("1.00")}))
    assert await invoices(opened) == [("INV-1", Decimal("1.00"), "sent")]


async def test_many_savings_at_once_leave_one_row_an_invoice(opened: Database) -> None:
    copies = [RECORDING.model_copy(update={"invoice_id": f"INV-{number % 5}"}) for number in range(50)]
    await asyncio.gather(*(opened.run(records.save, copy) for copy in copies))
    assert sorted(row[0] for row in await invoices(opened)) == [f"INV-{number}" for number in range(5)]


async def test_the_revisions_make_the_tables_of_the_schema(opened: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrations.VERSION_TABLE, "compare_type": True}
        )
        return list(compare_metadata(context, schema.metadata))

    async with opened.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_open_that_finds_the_tables_leaves_what_they_hold(url: str, opened: Database) -> None:
    await opened.run(records.save, RECORDING)
    async with database.open_database(database.parse_url(url)) as again:
        assert len(await invoices(again)) == 1


def open_and_save(url: str, number: int) -> None:
    async def work() -> None:
        async with database.open_database(database.parse_url(url)) as opened:
            await opened.run(records.save, RECORDING.model_copy(update={"invoice_id": f"INV-{number}"}))

    asyncio.run(work())


async def test_processes_that_start_at_once_migrate_one_after_another(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=open_and_save, args=(url, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 60)
    assert [process.exitcode for process in processes] == [0] * 4
    async with database.open_database(database.parse_url(url)) as opened:
        assert len(await invoices(opened)) == 4


async def test_a_process_that_opens_a_file_waits_for_one_that_writes_there(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "workers.db", isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(asyncio.to_thread(open_and_save, f"sqlite:///{tmp_path}/workers.db", 1))
        assert await asyncio.wait({opening}, timeout=0.5) == (set(), {opening})
        another.execute("COMMIT")
        await opening


async def test_sqlite_holds_the_total_as_text(tmp_path: Path) -> None:
    async with database.open_database(database.parse_url(f"sqlite:///{tmp_path}/workers.db")) as opened:
        await opened.run(records.save, RECORDING)
    with sqlite3.connect(tmp_path / "workers.db") as connection:
        found = connection.execute("SELECT total, typeof(total) FROM invoices").fetchall()
    connection.close()
    assert found == [("123456789012345678.10", "text")]


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///a.db", "sqlite+aiosqlite"),
        ("postgresql://user:secret@host/name", "postgresql+psycopg"),
        ("postgres://host/name", "postgresql+psycopg"),
    ],
)
def test_a_url_gets_the_driver_that_we_bring(given: str, driver: str) -> None:
    assert database.parse_url(given).drivername == driver


@pytest.mark.parametrize("given", ["", "workers.db", "mysql://host/name", "postgresql+asyncpg://host/name"])
def test_a_url_of_another_database_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"postgresql://"):
        database.parse_url(given)
