"""Statements in the driver's own words, with rows as tuples.

Building a statement takes longer than running it, and so does naming each value of each row.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sql

MARKS = {"sqlite": "?", "postgresql": "%s"}
"""What stands for a value, by the database."""

_STYLES = {"sqlite": "qmark", "postgresql": "format"}


class Prepared:
    """A statement that is run with many rows."""

    def __init__(self, engine: sql.Engine, statement: Any, values: Sequence[str]) -> None:
        """Write it out; `values` names the places of a row, in their order."""
        dialect = type(engine.dialect)(paramstyle=_STYLES[engine.dialect.name])  # type: ignore[call-arg]
        is_of_rows = statement.is_insert and statement.select is None
        written = statement.compile(dialect=dialect, column_keys=values if is_of_rows else None)
        assert [*written.positiontup] == [*values], "a row has its values as the statement has"
        self._text = str(written)
        types = [written.binds[name].type for name in values]
        processors = [
            None if isinstance(each, sql.Boolean) else processor(each, dialect)  # taken as it is
            for each in types
        ]
        self._processors: list[Callable[[Any], Any] | None] | None = (
            processors if any(processors) else None
        )

    def run(self, connection: sql.Connection, rows: Iterable[tuple[Any, ...]]) -> int:
        """Run it once for each row, not at all if there is none; give how many rows it wrote."""
        given = [*rows] if self._processors is None else [self._processed(row) for row in rows]
        return connection.exec_driver_sql(self._text, given).rowcount if given else 0

    def _processed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self._processors is not None
        pairs = zip(self._processors, row, strict=True)
        return tuple(value if process is None else process(value) for process, value in pairs)


def processor(type_: sql.types.TypeEngine[Any], dialect: sql.Dialect) -> Any:
    """Give what makes of a value what the driver takes; None if it takes it as it is."""
    return type_.dialect_impl(dialect).bind_processor(dialect)
