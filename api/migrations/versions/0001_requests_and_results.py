"""The first tables: requests, results, and how far each partition has been read."""

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "adjustment_request",
        sql.Column("account", sql.Text, primary_key=True),
        sql.Column("request_id", sql.Text, primary_key=True),
        sql.Column("topic_offset", sql.BigInteger, nullable=False),
        sql.Column("chargeable_event_ref_id", sql.Text),
        sql.Column("requested_at", sql.Text, nullable=False),
    )
    op.create_index("adjustment_request_by_id", "adjustment_request", ["request_id"])
    op.create_table(
        "adjustment_result",
        sql.Column("account", sql.Text, primary_key=True),
        sql.Column("request_id", sql.Text, primary_key=True),
        sql.Column("request_offset", sql.BigInteger, nullable=False),
        sql.Column("remembered", sql.Boolean, nullable=False),
        sql.Column("value", sql.LargeBinary, nullable=False),
    )
    op.create_index("adjustment_result_by_id", "adjustment_result", ["request_id"])
    op.create_table(
        "topic_offset",
        sql.Column("topic", sql.Text, primary_key=True),
        sql.Column("partition", sql.Integer, primary_key=True),
        sql.Column("next", sql.BigInteger, nullable=False),
    )
    op.create_table("cluster", sql.Column("id", sql.Text, primary_key=True))


def downgrade() -> None:
    """Drop the tables; they are rebuilt from the topics."""
    for table in ("cluster", "topic_offset", "adjustment_result", "adjustment_request"):
        op.drop_table(table)
