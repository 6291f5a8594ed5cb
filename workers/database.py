"""The workers' database: SQLite on one machine, PostgreSQL in production."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from workers import migrations

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql+psycopg": "postgresql+psycopg",
}
BUSY_SECONDS = 30
"""How long SQLite waits for another process that writes."""

CONNECT_SECONDS = 10
MIGRATION_LOCK = 7_012_233_890_441_357_126
"""Any number; PostgreSQL's advisory lock by which one process migrates at a time."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Database:
    """An open, migrated database."""

    engine: AsyncEngine

    async def run(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Return `work(connection, ...)`, done in one transaction."""
        async with self.engine.begin() as connection:
            return await work(connection, *args, **kwargs)


def parse_url(given: str) -> URL:
    """Return SQLAlchemy's URL with the driver we bring; raises `ValueError`."""
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise ValueError("give a URL such as postgresql://user@host/name or sqlite:///path/to/file") from error
    if url.drivername not in DRIVERS:
        raise ValueError(f"{url.drivername} is no database we know: give a sqlite:// or postgresql:// URL")
    return url.set(drivername=DRIVERS[url.drivername])


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[Database]:
    """Connect, bring the tables up to date, and disconnect in the end.

    Several processes may do so at once. Raises SQLAlchemy's `OperationalError`, `OSError`.
    """
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                # Held until the transaction ends; SQLite's BEGIN IMMEDIATE does the same there.
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(migrations.upgrade)
        yield Database(engine)
    finally:
        await engine.dispose()


def _postgresql(url: URL) -> AsyncEngine:
    return create_async_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}
    )


def _sqlite(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver begins transactions late and ends them before DDL: switch that off, _begin_sqlite does it.
    # The journal mode stays what the file has: SQLite waits for no lock when two connections change it at once.
    connection.isolation_level = None
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A writer from the start: a reader that turns writer later fails at once if another wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
