"""Fixtures of the workers' tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workers.inbox import Inbox, running_inbox
from tests.workers.postgresql import postgresql_url
from tests.workers.stage import Stage, server_path
from workers import database
from workers.converter import data_converter
from workers.database import Database

__all__ = ["postgresql_url"]


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """Give a mail server."""
    async with running_inbox() as inbox:
        yield inbox


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """Give a new SQLite database."""
    async with database.open_database(database.parse_url(f"sqlite:///{tmp_path}/workers.db")) as opened:
        yield opened


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """Give Temporal's time-skipping server."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server_path(), data_converter=data_converter
    ) as environment:
        yield environment


@pytest.fixture
def stage(environment: WorkflowEnvironment, inbox: Inbox, sqlite: Database) -> Stage:
    """Give what a workflow test plays on."""
    return Stage(environment, inbox, sqlite)
