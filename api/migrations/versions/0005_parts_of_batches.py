"""Keeps a batch's selection in parts: a cache is made anew, from the topics."""

from alembic import op

from api.tables import METADATA

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Drop the tables there were, and make those of today."""
    METADATA.drop_all(op.get_bind())
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Drop all tables; they are rebuilt from the topics."""
    METADATA.drop_all(op.get_bind())
