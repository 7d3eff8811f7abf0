"""Finance's database is compared with the topic: each edit of a good one is named in a line."""

# ruff: noqa: S608 - statements of our own on a database of our own

import sqlite3
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sql
from rich.console import Console

from tests.postgres import PostgresServer
from tests.tools.transactions import (
    ADJUSTMENT,
    ALL,
    POSITIONS,
    WITHOUT_TAX,
    Values,
    published,
    rows,
)
from tools.verify.checks import LINES_MAX, Check, Report
from tools.verify.finance import FinanceCheck
from tools.verify.finance_store import FinanceStore
from tools.verify.findings import Findings, show
from tools.verify.held import AbsentError
from tools.verify.log import Bounds, Record
from tools.verify.rows import row_of
from tools.verify.standing import Kind, Looked, Standing
from tools.verify.stores import open_stores

FIRST, SECOND = str(ADJUSTMENT["refId"]), str(WITHOUT_TAX["refId"])
LINES = [
    (FIRST, 1, "1200-RECV", -1_000_000, "2026-11-05T09:30:00.123Z"),
    (FIRST, 2, "4000-ROAM", 826_446, "2026-11-05T09:30:00.123Z"),
    (FIRST, 3, "2100-TAX", 173_554, "2026-11-05T09:30:00.123Z"),
    (SECOND, 1, "1200-RECV", 500_000, "2026-11-06T00:00:00.000Z"),
    (SECOND, 2, "4902-METR", -500_000, "2026-11-06T00:00:00.000Z"),
]
NOTED = ("EUR", "SAME_PERIOD", "INCORRECT_METERING")


def journal() -> list[Values]:
    names = ("adjustment_ref_id", "line", "gl_account", "amount", "requested_at")
    noted = dict(zip(("currency", "billing_treatment", "reason"), NOTED, strict=True))
    return [dict(zip(names, line, strict=True)) | noted for line in LINES]


def totals() -> list[Values]:
    return [
        {
            "day": at[:10],
            "currency": "EUR",
            "reason": "INCORRECT_METERING",
            "gl_account": account,
            "amount": amount,
            "lines": 1,
        }
        for _, _, account, amount, at in LINES
    ]


def fill(url: str) -> None:
    """Make a good one, without the keys that would refuse a doubled row."""
    positions = [
        {"topic": "business-transactions", "partition": number, "next": following, "seq": seq}
        for number, (following, seq) in POSITIONS.items()
    ]
    tables = rows(last_only=True) | {"journal_entry": journal(), "daily_total": totals()}
    engine = sql.create_engine(url)
    types = {bool: "BOOLEAN", int: "BIGINT", bytes: "BYTEA"}
    with engine.begin() as connection:
        for name, content in (tables | {"topic_offset": positions}).items():
            columns = [(key, types.get(type(value), "TEXT")) for key, value in content[0].items()]
            defined = ", ".join(f'"{key}" {kind}' for key, kind in columns)
            connection.execute(sql.text(f"CREATE TABLE {name} ({defined})"))
            marks = ", ".join(f":{key}" for key, _ in columns)
            connection.execute(sql.text(f"INSERT INTO {name} VALUES ({marks})"), content)
    engine.dispose()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "finance.db"
    fill(f"sqlite:///{file}")
    return file


def report_of(
    database: Path | str, log: list[Record] | None = None, bounds: Bounds = ALL
) -> Report:
    store = FinanceStore(f"sqlite:///{database}" if isinstance(database, Path) else database)
    check = FinanceCheck(store)
    for one in log or published():
        check.enter(one, row_of(one))
    report = check.finish(bounds)
    store.close()
    return report


def edited(database: Path, statement: str) -> list[str]:
    connection = sqlite3.connect(database)
    assert connection.execute(statement).rowcount == 1
    connection.commit()
    connection.close()
    return report_of(database).disagreements


def again(table: str, where: str) -> str:
    return f"INSERT INTO {table} SELECT * FROM {table} WHERE {where}"


EVENT_1 = "Finance, chargeable event CE-500001 of account ACC-1001"
FIRST_1, SECOND_1 = f"Finance, adjustment {FIRST}", f"Finance, adjustment {SECOND}"
TOTAL_1 = "Finance, daily total of 2026-11-05, EUR, INCORRECT_METERING, account"
AT, BEFORE = "business-transactions-3", "before the store's position"
IS_EVENT = "ref_id = 'CE-500001'"
IS_FIRST = f"ref_id = '{FIRST}'"
IS_LINE_1 = f"line = 1 AND adjustment_{IS_FIRST}"
IS_TAX = "gl_account = '2100-TAX'"
ONE_MORE = f"UPDATE journal_entry SET amount = -1000001 WHERE {IS_LINE_1}"
EDITS = [
    (
        f"UPDATE chargeable_event SET current_tax_included_amount = 11100001 WHERE {IS_EVENT}",
        f"{EVENT_1}: current_tax_included_amount is 11.100001, must be 11.10 ({AT}-2).",
    ),
    (
        "UPDATE account SET tax_exempt = 1 WHERE ref_id = 'ACC-1001'",
        f"Finance, account ACC-1001: tax_exempt is 1, must be 0 ({AT}-0).",
    ),
    (
        "UPDATE account SET ref_id = 'ACC-9' WHERE ref_id = 'ACC-1001'",
        f"Finance, account ACC-1001: ref_id is 'ACC-9', must be 'ACC-1001' ({AT}-0).",
    ),
    (
        f"UPDATE chargeable_event SET topic_offset = 1 WHERE {IS_EVENT}",
        f"{EVENT_1}: version is 2, must be 1 ({AT}-1).",
    ),
    (
        f"UPDATE chargeable_event SET topic_offset = 1, version = 1 WHERE {IS_EVENT}",
        f"{EVENT_1}: stands as it was at {AT}-1, not as it was published last ({AT}-2).",
    ),
    (f"DELETE FROM chargeable_event WHERE {IS_EVENT}", f"{EVENT_1}: is missing ({AT}-2)."),
    (again("chargeable_event", IS_EVENT), f"{EVENT_1}: stands 2 times ({AT}-2)."),
    (f"DELETE FROM adjustment WHERE {IS_FIRST}", f"{FIRST_1}: is missing ({AT}-3)."),
    (again("adjustment", IS_FIRST), f"{FIRST_1}: stands 2 times ({AT}-3)."),
    (
        f"UPDATE adjustment SET comment = 'x' WHERE {IS_FIRST}",
        f"{FIRST_1}: comment is 'x', must be 'metered twice in roaming' ({AT}-3).",
    ),
    (
        f"UPDATE adjustment SET topic_offset = 60 WHERE {IS_FIRST}",
        f"{FIRST_1}: must not stand there; {BEFORE} the topic has no adjustment at {AT}-60.",
    ),
    (
        f"UPDATE adjustment SET topic_offset = NULL WHERE {IS_FIRST}",
        "Finance, adjustment: 1 rows name no record.",
    ),
    ("DELETE FROM set_aside", f"Finance, the unreadable record: is missing ({AT}-6)."),
    (
        "UPDATE set_aside SET value = x'7b'",
        f"""the unreadable record: value is b'{{', must be b'{{"refId": "half"}}' ({AT}-6).""",
    ),
    (ONE_MORE, f"{FIRST_1}, line 1: amount is -1.000001, must be -1.00 ({AT}-3)."),
    (ONE_MORE, f"{FIRST_1}: its lines add up to -0.000001, not 0.00."),
    (ONE_MORE, "ACC-1001: line 1 of its adjustments adds up to -0.500001, their effects to -0.50."),
    (ONE_MORE, f"{TOTAL_1} 1200-RECV: -1.00 (lines: 1), but the journal has -1.000001 (lines: 1)."),
    (
        f"DELETE FROM journal_entry WHERE {IS_TAX}",
        f"{FIRST_1}, line 3: is missing, 0.173554 must stand there ({AT}-3).",
    ),
    (again("journal_entry", IS_TAX), f"{FIRST_1}, line 3: stands 2 times ({AT}-3)."),
    (
        "UPDATE journal_entry SET gl_account = '4000-X' WHERE gl_account = '4902-METR'",
        f"{SECOND_1}, line 2: gl_account is '4000-X', must be '4902-METR' ({AT}-5).",
    ),
    (
        f"UPDATE journal_entry SET reason = 'OTHER' WHERE {IS_TAX}",
        f"{FIRST_1}, line 3: reason is 'OTHER', must be 'INCORRECT_METERING' ({AT}-3).",
    ),
    (
        f"UPDATE journal_entry SET gl_account = '1100' WHERE {IS_LINE_1}",
        f"{FIRST_1}, line 1: posts EUR on 1100, others on 1200-RECV (such lines: 1).",
    ),
    (
        "UPDATE journal_entry SET line = 3 WHERE gl_account = '4902-METR'",
        f"{SECOND_1}, line 3: must not stand there, its amount is 0.00 ({AT}-5).",
    ),
    (
        f"UPDATE journal_entry SET adjustment_ref_id = 'gone' WHERE {IS_TAX}",
        "gone, line 3: posts 0.173554 on 2100-TAX, but the topic has no such adjustment",
    ),
    (
        f"UPDATE daily_total SET amount = 173555 WHERE {IS_TAX}",
        f"{TOTAL_1} 2100-TAX: 0.173555 (lines: 1), but the journal has 0.173554 (lines: 1).",
    ),
    (
        f"UPDATE daily_total SET lines = 2 WHERE {IS_TAX}",
        f"{TOTAL_1} 2100-TAX: 0.173554 (lines: 2), but the journal has 0.173554 (lines: 1).",
    ),
    (
        f"DELETE FROM daily_total WHERE {IS_TAX}",
        f"{TOTAL_1} 2100-TAX: is missing; the journal has 0.173554 (lines: 1).",
    ),
    (again("daily_total", IS_TAX), f"{TOTAL_1} 2100-TAX: stands there again."),
    (
        "UPDATE topic_offset SET next = 20 WHERE partition = 3",
        "position in partition 3: the next offset is 20, but the topic ends at 9.",
    ),
    (
        "UPDATE topic_offset SET next = 8 WHERE partition = 7",
        "Finance, account ACC-2002: stands as it was at business-transactions-7-0, not as it was",
    ),
    (
        "UPDATE topic_offset SET next = 5 WHERE partition = 3",
        f"{SECOND_1}: must not stand there; {BEFORE} the topic has no adjustment at {AT}-5.",
    ),
    (
        "UPDATE topic_offset SET seq = 7 WHERE partition = 3",
        "partition 3: seq is 7, must be 6 as in the last record before offset 7.",
    ),
]


def test_a_good_database_agrees(database: Path) -> None:
    report = report_of(database)

    assert report.disagreements == []
    behind = "Finance: 2 records behind the end of the topic."
    assert report.looked == Looked(Kind.FINANCE, "Finance", Standing.BEHIND, 2, behind)
    assert {check.name: check.rows for check in report.checks} == {
        "Finance: its position is on the topic": 2,
        "Finance: account is what the topic says": 2,
        "Finance: chargeable_event is what the topic says": 2,
        "Finance: adjustment is what the topic says": 2,
        "Finance: set_aside is what the topic says": 1,
        "Finance: each adjustment is posted by the rule": 5,
        "Finance: the lines of each adjustment add up to zero": 2,
        "Finance: one receivable account per currency": 2,
        "Finance: line 1 adds up to the effects, per account": 1,
        "Finance: daily totals are the journal grouped anew": 5,
    }


@pytest.mark.parametrize(("statement", "line"), EDITS)
def test_an_edit_is_named(database: Path, statement: str, line: str) -> None:
    found = edited(database, statement)

    assert any(line in each for each in found), found


def test_a_database_of_postgresql_is_checked_likewise(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        fill(url)
        assert report_of(url).disagreements == []

        engine = sql.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sql.text("UPDATE account SET tax_exempt = TRUE"))
            connection.execute(sql.text("DELETE FROM set_aside"))
        engine.dispose()

        assert report_of(url).disagreements == [
            "Finance, account ACC-1001: tax_exempt is 1, must be 0 (business-transactions-3-0).",
            "Finance, account ACC-2002: tax_exempt is 1, must be 0 (business-transactions-7-0).",
            "Finance, the unreadable record: is missing (business-transactions-3-6).",
        ]


def test_a_database_that_changes_while_it_is_checked_is_seen_at_one_moment_on_postgresql(
    postgres: PostgresServer,
) -> None:
    with postgres.fresh_database() as url:
        fill(url)
        store, engine = FinanceStore(url), sql.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sql.text("DELETE FROM journal_entry"))

        assert len(list(store.lines())) == len(LINES)
        store.close()
        engine.dispose()


def test_a_missing_column_is_named_once(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("ALTER TABLE adjustment DROP COLUMN comment")
    connection.close()

    assert report_of(database).disagreements == ["Finance: there is no column adjustment.comment."]


def test_a_readable_record_that_was_set_aside_is_missing(database: Path) -> None:
    log = [replace(one, headers=dict(one.headers)) for one in published()]
    log[6] = replace(log[6], value=published()[4].value, headers=published()[4].headers)

    found = report_of(database, log).disagreements

    assert any("not as it was published last (business-transactions-3-6)" in one for one in found)
    assert any("no such record at business-transactions-3-6" in one for one in found)


def test_what_has_expired_from_the_topic_is_not_compared(database: Path) -> None:
    log = [one for one in published() if one.partition != 3 or one.offset >= 4]
    begins = Bounds({3: 4}, ALL.ends)

    report = report_of(database, log, begins)

    assert report.disagreements == []
    assert "has expired" in report.notes[0]


def test_a_database_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match=r"finance\.db"):
        FinanceStore(f"sqlite:///{tmp_path / 'finance.db'}")

    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(AbsentError, match=r"no tables"):
        FinanceStore(f"sqlite:///{tmp_path / 'empty.db'}")


def test_a_database_is_seen_at_one_moment(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    store = FinanceStore(f"sqlite:///{database}")

    connection.execute("DELETE FROM journal_entry")
    connection.commit()
    connection.close()

    assert len(list(store.lines())) == len(LINES)
    store.close()


def test_of_many_lines_some_are_shown_and_the_rest_are_counted() -> None:
    check = Check("something")
    for number in range(LINES_MAX + 3):
        check.say(f"line {number}")

    assert [*check.lines()][-1] == "and 3 more of: something."
    assert len([*check.lines()]) == LINES_MAX + 1


def test_stores_that_are_not_there_are_told_and_those_that_cannot_be_read(tmp_path: Path) -> None:
    stores = open_stores(tmp_path, None)
    assert [each.standing for each in stores.others] == [Standing.ABSENT] * 2

    (tmp_path / "finance.db").write_bytes(b"no database" * 100)
    (tmp_path / "dwh/commits").mkdir(parents=True)
    (tmp_path / "dwh/commits/1.json").write_text("{")
    stores = open_stores(tmp_path, None)
    assert [each.standing for each in stores.others] == [Standing.UNREADABLE] * 2
    assert [each.text[:22] for each in stores.others] == [
        "Finance was not read: ",
        "The warehouse was not ",
    ]


def test_what_was_checked_is_shown_with_its_rows(database: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM set_aside")
    connection.commit()
    connection.close()
    stores, text = open_stores(tmp_path, None), StringIO()
    for one in published():
        stores.enter(one)

    findings = Findings()
    findings.add(stores.finish(ALL))
    show(findings, Console(file=text, width=120))

    assert "Finance: each adjustment is posted by the rule" in text.getvalue()
    assert "Finance, the unreadable record: is missing" in text.getvalue()
    assert "Finance: 2 records behind the end of the topic." in text.getvalue()
