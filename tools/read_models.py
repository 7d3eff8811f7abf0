"""Compares two read models row by row: `python -m tools.read_models sqlite:///a.db sqlite:///b.db`.

Both must have read the topics to the same end, which is compared as well. What a database numbers
by itself is left out.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import sqlalchemy as sql
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from api.tables import METADATA, REQUEST, RESULT

SHOWN_MAX = 5  # differing rows of a table

_IS_ITS = RESULT.c.id == REQUEST.c.id


def differences(one: sql.Engine, other: sql.Engine) -> Iterator[tuple[str, int, list[str]]]:
    """Give each table's name, how many rows the first one has, and rows that differ."""
    with one.connect() as first, other.connect() as second:
        for table in METADATA.sorted_tables:
            asked = _in_order(table)
            rows, found = 0, []
            pairs = zip_longest(first.execute(asked), second.execute(asked))
            for here, there in pairs:
                rows += here is not None
                if here is None or there is None or tuple(here) != tuple(there):
                    found.append(f"{table.name}: {_shortened(here)} | {_shortened(there)}")
            yield table.name, rows, found


def main() -> int:
    """Give the exit code: 0 if they are the same."""
    parser = argparse.ArgumentParser(prog="python -m tools.read_models", description=__doc__)
    parser.add_argument("one", help="SQLAlchemy URL, for example sqlite:///.adjust/api.db")
    parser.add_argument("other", help="SQLAlchemy URL of the one to compare with")
    asked, console = parser.parse_args(), Console()
    try:
        compared = list(differences(*map(sql.create_engine, (asked.one, asked.other))))
    except SQLAlchemyError as error:
        console.print(f"A read model cannot be read: {str(error).splitlines()[0]}", markup=False)
        return 1
    table = Table("table", "rows", "differ")
    for name, rows, found in compared:
        table.add_row(name, f"{rows:,}", f"{len(found):,}")
    console.print(table)
    for line in (line for _, _, found in compared for line in found[:SHOWN_MAX]):
        console.print(line, markup=False, soft_wrap=True)
    return 1 if any(found for _, _, found in compared) else 0


def _in_order(table: sql.Table) -> sql.Select[Any]:
    """Ask for rows by what names them; a result is named by its request."""
    if table is RESULT:
        values = (column for column in RESULT.columns if not column.primary_key)
        names = (REQUEST.c.request_id, REQUEST.c.account)
        return sql.select(*names, *values).join(REQUEST, _IS_ITS).order_by(*names)
    columns = [column for column in table.columns if column.identity is None]
    keys = [column for column in columns if column.primary_key]
    for constraint in () if keys else table.constraints:
        if isinstance(constraint, sql.UniqueConstraint):
            keys = [*constraint.columns]
    return sql.select(*columns).order_by(*keys)


def _shortened(row: Any) -> str:
    return "no such row" if row is None else str(tuple(row))[:200]


if __name__ == "__main__":
    sys.exit(main())
