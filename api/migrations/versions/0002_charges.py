"""Adds accounts, charges and adjustments: a cache is made anew, and read from the topics again."""

from alembic import op

from api.tables import METADATA

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the tables there were, and make those of today."""
    for table in ("cluster", "topic_offset", "adjustment_result", "adjustment_request"):
        op.drop_table(table)
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Drop all tables; they are rebuilt from the topics."""
    METADATA.drop_all(op.get_bind())
