"""Writes a period's journal as CSV, for a spreadsheet or for another ledger.

Amounts are in whole currency with six decimals, debit and credit in columns of their own: no cell
begins with a sign that a spreadsheet takes for the beginning of a formula.
"""

import csv
from collections.abc import Iterable
from datetime import date
from typing import Any, TextIO

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from streams.subscribers.errors import StoreError
from streams.subscribers.finance.store import engine_of, file_of
from streams.subscribers.finance.tables import ENTITY_TABLES, JOURNAL_ENTRY

HEADINGS = (
    *("requested_at", "adjustment_ref_id", "line", "account_ref_id", "chargeable_event_ref_id"),
    *("gl_account", "debit", "credit", "currency", "reason", "billing_treatment"),
)
MICRO = 1_000_000
ROWS_AT_ONCE = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def export(url: str, first: date, end: date, out: TextIO) -> int:
    """Write the journal from a day to before another, UTC; give the number of lines.

    Raises StoreError.
    """
    if first >= end:
        raise StoreError(f"The period is empty: {end} is not after {first}.")
    engine = engine_of(url)
    if file_of(engine) == "gone":
        raise StoreError(f"There is no {engine.url.database}: Finance has kept nothing yet.")
    written = csv.writer(out, lineterminator="\n")
    count = 0
    try:
        with engine.connect() as connection:
            rows = _rows(connection, first, end)
            written.writerow(HEADINGS)
            for count, row in enumerate(rows, 1):  # noqa: B007 - how many there were
                written.writerow(_cells(row))
    except SQLAlchemyError as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        raise StoreError(f"Finance's database cannot be read: {cause}") from error
    finally:
        engine.dispose()
    return count


def _rows(connection: sql.Connection, first: date, end: date) -> Iterable[Any]:
    line, adjustment = JOURNAL_ENTRY.c, ENTITY_TABLES["adjustment"].c
    of_period = sql.and_(line.requested_at >= str(first), line.requested_at < str(end))
    asked = (
        sql.select(*line, adjustment.account_ref_id, adjustment.chargeable_event_ref_id)
        .join(ENTITY_TABLES["adjustment"], adjustment.ref_id == line.adjustment_ref_id)
        .where(of_period)
        .order_by(line.requested_at, line.adjustment_ref_id, line.line)
    )
    return connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked)


def _cells(row: Any) -> tuple[object, ...]:
    return (
        as_text(row.requested_at),
        as_text(row.adjustment_ref_id),
        row.line,
        as_text(row.account_ref_id),
        as_text(row.chargeable_event_ref_id),
        as_text(row.gl_account),
        decimal(max(row.amount, 0)),
        decimal(max(-row.amount, 0)),
        as_text(row.currency),
        as_text(row.reason),
        as_text(row.billing_treatment),
    )


def as_text(value: str) -> str:
    """Give a text that no spreadsheet takes for a formula: an apostrophe marks it as text."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def decimal(amount: int) -> str:
    """Write micro-units in whole currency: 1.500000."""
    whole, fraction = divmod(amount, MICRO)
    return f"{whole}.{fraction:06d}"
