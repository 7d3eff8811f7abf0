"""Runs the migrations on the connection that `api.store` hands over; Alembic executes this file."""

from alembic import context

from api.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
