"""The journal of a period as CSV: it sums to what was posted, and no cell is a formula."""

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from streams.subscribers.errors import StoreError
from streams.subscribers.finance.export import as_text, export
from streams.subscribers.finance.gl_accounts import GlAccounts
from streams.subscribers.finance.store import FinanceStore
from tests.postgres import on_both_databases
from tests.streams.subscribers.topic import Partition, batch_of

ACCOUNTS = GlAccounts(receivable="=1200", tax_payable="2200")
NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def exported(url: str, first: date, end: date) -> list[dict[str, str]]:
    written = io.StringIO()
    count = export(url, first, end, written)
    rows = list(csv.DictReader(io.StringIO(written.getvalue())))
    assert count == len(rows)
    return rows


@on_both_databases
def test_a_period_is_from_a_day_to_before_another_and_adds_up(database: str) -> None:
    partition, store = Partition(), FinanceStore(database, ACCOUNTS, lease_s=60.0)
    store.open()
    for number, day in enumerate(("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"), 1):
        at = f"{day}T00:00:00.000Z"
        partition.adjust("CE-1", (-826446, -173554, -1000000), number, requestedAt=at)
    store.keep(batch_of(*partition.records))
    store.close()

    rows = exported(database, *NOVEMBER)

    assert [row["requested_at"][:10] for row in rows] == ["2026-11-01"] * 3 + ["2026-11-30"] * 3
    debit, credit = (sum(Decimal(row[name]) for row in rows) for name in ("debit", "credit"))
    assert debit == credit == 2
    assert rows[0]["credit"] == "1.000000"
    assert rows[0]["gl_account"] == "'=1200"
    assert rows[0]["account_ref_id"] == "ACC-1001"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_calculate_is_marked_as_text(text: str) -> None:
    assert as_text(text) == f"'{text}"
    assert as_text("4000-ROAM") == "4000-ROAM"


def test_a_database_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Finance has kept nothing yet"):
        export(f"sqlite:///{tmp_path / 'finance.db'}", *NOVEMBER, io.StringIO())
    assert not list(tmp_path.iterdir())
