"""A file of items: CSV with the columns `account` and `chargeableEventRefId`, in any order."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from api.batches.entries import Item
from api.batches.submission import ITEMS_MAX, ref_id_fault, size_faults, twice
from schemas.adjustment_result import Fault
from schemas.faults import FAULTS_MAX
from schemas.refusals import Refusal

COLUMNS = ("account", "chargeableEventRefId")
SEPARATORS = ",;\t|"
_SAYS = re.compile(rf'[^\s"{SEPARATORS}]')


def read_items(file: bytes) -> tuple[Item, ...] | list[Fault]:
    """Give the items of a file, or all that is wrong with it, by row.

    UTF-8 with or without a byte-order mark, fields quoted or not, separated by one of `,;|` or a
    tab; empty rows are passed over. The first other one is the heading.
    """
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = file.count(b"\n", 0, error.start) + 1
        return [_fault(row, f"is not UTF-8 at byte {error.start}; is it a CSV file")]
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        return [_fault(row, "has a NUL; is it a CSV file")]
    lines = io.StringIO(text, newline="")
    heading = next(filter(_SAYS.search, lines), "")
    lines.seek(0)
    separator = max(SEPARATORS, key=heading.count)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows = ((reader.line_num, row) for row in reader if any(field.strip() for field in row))
    try:
        return _items_of([*islice(rows, 1 + ITEMS_MAX + 1)])  # a heading, and one too many
    except csv.Error as error:
        return [_fault(reader.line_num, f"is not CSV: {error}")]


def _items_of(rows: Sequence[tuple[int, list[str]]]) -> tuple[Item, ...] | list[Fault]:
    place, heading = rows[0] if rows else (1, [])
    names = [name.strip() for name in heading]
    if sorted(names) != sorted(COLUMNS):
        return [_fault(place, f"must name the columns {' and '.join(COLUMNS)}")]
    account, event = (names.index(name) for name in COLUMNS)
    if len(rows) == 1:
        return [*size_faults(0)]
    if len(rows) > 1 + ITEMS_MAX:
        return [
            _fault(rows[-1][0], f"is one too many: there may be {ITEMS_MAX:,} chargeable events")
        ]
    faults: list[Fault] = []
    first: dict[Item, int] = {}
    for number, row in rows[1:]:
        found = [*_row_faults(number, row)]
        if not found:
            item = Item(row[account].strip(), row[event].strip())
            found = [*_item_faults(number, item, first.setdefault(item, number))]
        faults += found
        if len(faults) >= FAULTS_MAX:
            break
    return faults[:FAULTS_MAX] or tuple(first)


def _row_faults(number: int, row: Sequence[str]) -> Iterator[Fault]:
    if len(row) != len(COLUMNS):
        yield _fault(number, f"has {len(row)} fields instead of {len(COLUMNS)}")


def _item_faults(number: int, item: Item, first: int) -> Iterator[Fault]:
    for name, text in zip(COLUMNS, item, strict=True):
        if fault := ref_id_fault(f"row {number}, {name}", text or None):
            yield fault
    if first != number:
        yield twice(f"row {number}", f"row {first}")


def _fault(row: int, what: str) -> Fault:
    return Fault(code=Refusal.INVALID_FORMAT, field=f"row {row}", message=f"Row {row} {what}.")
