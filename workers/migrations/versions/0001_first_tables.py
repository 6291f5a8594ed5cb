"""Make the tables of invoices and campaigns.

Revision ID: 0001
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    money = sa.Numeric().with_variant(sa.Text(), "sqlite")
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("customer_email", sa.Text(), nullable=False),
        sa.Column("total", money, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text()),
        _changed_at(),
        sa.PrimaryKeyConstraint("invoice_id", name="invoices_pkey"),
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("brief", sa.Text(), nullable=False),
        sa.Column("budget_amount", money, nullable=False),
        sa.Column("budget_currency", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Text(), nullable=False),
        _changed_at(),
        sa.PrimaryKeyConstraint("campaign_id", name="campaigns_pkey"),
    )
    op.create_table(
        "publications",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _changed_at(),
        sa.PrimaryKeyConstraint("campaign_id", "channel", name="publications_pkey"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name="publications_campaign_id_fkey"),
    )
    op.create_table(
        "mailings",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        _changed_at(),
        sa.PrimaryKeyConstraint("campaign_id", "address", name="mailings_pkey"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name="mailings_campaign_id_fkey"),
    )


def _changed_at() -> sa.Column[datetime]:
    return sa.Column(
        "changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.current_timestamp()
    )
