"""The database of the workers."""

import os
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bridge.cli.examine import workers
from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings
from topics.environment import reader

CHECK = "database"
ADVICE = "Start the database, or correct WORKERS_DATABASE_URL."
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


async def examine(settings: Settings) -> list[Finding]:
    """Connect and ask for 1; a SQLite file is not made here."""
    try:
        url = make_url(settings.workers.database_url.get_secret_value())
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    except ArgumentError:
        return [fail(CHECK, "WORKERS_DATABASE_URL is no SQLAlchemy URL", "Give postgresql://USER@HOST/NAME.")]
    new = _new_file(settings, url)
    return [new or await _ask(url, reader.show("database_url", settings.workers.database_url))]


async def _ask(url: URL, name: str) -> Finding:
    try:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        finally:
            await engine.dispose()
    except (SQLAlchemyError, OSError, ImportError) as error:
        return fail(CHECK, f"{name}: {str(error).splitlines()[0]}", ADVICE)
    return ok(CHECK, name)


def _new_file(settings: Settings, url: URL) -> Finding | None:
    """Return what to say of a SQLite file that is not there; None where there is something to connect to."""
    if url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists():
        return None
    path = Path(url.database)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK):
        detail = f"{path} is not there, and {folder} cannot be written"
        return workers.away(settings, "database_url", CHECK, detail, "Correct WORKERS_DATABASE_URL.")
    return warn(CHECK, f"{path} is not there yet", "The workers make it when they start.")
