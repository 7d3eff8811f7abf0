"""Reads of the read model that all see the same rows, whatever is written meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sql


@contextmanager
def snapshot(engine: sql.Engine) -> Iterator[sql.Connection]:
    """Give a connection to which nothing changes for as long as the block lasts."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # else each statement is on its own there
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
