"""The history of the tables that Finance keeps, applied by Alembic at start."""
