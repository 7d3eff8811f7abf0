"""Runs the migrations on the connection that the store hands over; Alembic executes this file."""

from alembic import context

from streams.subscribers.finance.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="finance_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
