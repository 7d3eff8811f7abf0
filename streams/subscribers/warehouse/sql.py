"""Answers a question to the warehouse in SQL, for people."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import duckdb

from streams.subscribers.warehouse.views import connect

MISTAKEN = 2  # an exit code
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)")
_GAP = "  "

Table = tuple[Sequence[str], Sequence[bool], list[tuple[str | None, ...]]]


def run_sql(folder: Path, query: str, out: TextIO) -> int:
    """Print what a query gives, and give the exit code. Raises StoreError."""
    try:
        names, numbers, rows = _answer(folder, query)
    except duckdb.Error as error:
        sys.stderr.write(f"{_in_one_line(error)}\n")
        return MISTAKEN
    out.writelines(f"{line}\n" for line in _aligned(names, numbers, rows))
    return 0


def _answer(folder: Path, query: str) -> Table:
    try:
        return _asked(folder, query)
    except duckdb.IOException:  # files were merged and deleted meanwhile
        return _asked(folder, query)


def _asked(folder: Path, query: str) -> Table:
    with connect(folder) as database:
        if len(database.extract_statements(query)) != 1:
            raise duckdb.ParserException("Ask one question at a time.")
        found = database.sql(query)
        numbers = [_NUMBER.fullmatch(str(kind)) is not None for kind in found.types]
        texts = found.project("CAST(COLUMNS(*) AS VARCHAR)")
        return found.columns, numbers, texts.fetchall()


def _aligned(
    names: Sequence[str], numbers: Sequence[bool], rows: list[tuple[str | None, ...]]
) -> Iterable[str]:
    cells = [names, *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        yield _GAP.join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numbers, strict=True)
        ).rstrip()
    yield f"({len(rows)} row{'' if len(rows) == 1 else 's'})"


def _shown(cell: str | None) -> str:
    """Write a cell on one line, without letters that a terminal would act on."""
    if cell is None:
        return "null"
    if cell.isprintable():
        return cell
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in cell
    )


def _in_one_line(error: duckdb.Error) -> str:
    """Leave out where in the query it is, which takes lines."""
    said = str(error).partition("\nLINE ")[0]
    return " ".join(said.split())
