"""Makes Finance's tables."""

from alembic import op

from streams.subscribers.finance.tables import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Drop all tables; they are rebuilt from the topic."""
    METADATA.drop_all(op.get_bind())
