"""The history of the tables that REST keeps, applied by Alembic at start."""
