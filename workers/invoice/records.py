"""The rows of invoices."""

from sqlalchemy.ext.asyncio import AsyncConnection

from workers import schema
from workers.invoice.models import Recording


async def save(connection: AsyncConnection, recording: Recording) -> None:
    """Write the invoice's row, over the one it may have."""
    await schema.upsert(connection, schema.invoices, dict(recording))
