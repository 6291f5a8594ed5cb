"""The tables. `workers.migrations` makes them; a test holds both equal."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, ForeignKey, MetaData, Numeric, Table, Text, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeDecorator, TypeEngine


class Money(TypeDecorator[Decimal]):
    """A decimal with the digits it was given; text on SQLite, whose numbers are floats."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """See base class."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """See base class."""
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 -- both have text or decimals
        """See base class."""
        return None if value is None else Decimal(value)


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
    }
)


def _changed_at() -> Column[Any]:
    return Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.current_timestamp())


invoices = Table(
    "invoices",
    metadata,
    Column("invoice_id", Text, primary_key=True),
    Column("customer_name", Text, nullable=False),
    Column("customer_email", Text, nullable=False),
    Column("total", Money, nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("message_id", Text),
    _changed_at(),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("brief", Text, nullable=False),
    Column("budget_amount", Money, nullable=False),
    Column("budget_currency", Text, nullable=False),
    Column("starts_on", Text, nullable=False),
    Column("ends_on", Text, nullable=False),
    _changed_at(),
)

publications = Table(
    "publications",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("headline", Text, nullable=False),
    Column("body", Text, nullable=False),
    _changed_at(),
)
"""What was published to channels that have no endpoint."""

mailings = Table(
    "mailings",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("status", Text, nullable=False),
    _changed_at(),
)
"""Whom a campaign's mail went to, so that a retry does not mail them again."""

_INSERTS: Mapping[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


async def upsert(connection: AsyncConnection, table: Table, row: Mapping[str, Any]) -> None:
    """Write `row`, over the one with its primary key if there is one."""
    keys: Sequence[str] = [column.name for column in table.primary_key]
    insert = _INSERTS[connection.dialect.name](table).values({name: _storable(value) for name, value in row.items()})
    changes: dict[str, Any] = {name: insert.excluded[name] for name in row if name not in keys}
    changes["changed_at"] = func.current_timestamp()
    await connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes))


def _storable(value: Any) -> Any:
    # JSON text may hold U+0000, PostgreSQL's may not.
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
