"""What SQL sees of the warehouse, and what a person is shown."""

import io
from pathlib import Path
from typing import Any

import pytest

from streams.subscribers.columns import columns_of
from streams.subscribers.errors import StoreError
from streams.subscribers.images import ENTITIES
from streams.subscribers.warehouse.sql import run_sql
from streams.subscribers.warehouse.views import connect
from tests.streams.subscribers.topic import Partition, record
from tests.streams.subscribers.warehousing import kept

EFFECTS = [
    "effect_tax_excluded_amount",
    "effect_tax_amount",
    "effect_tax_included_amount",
]


def asked(folder: Path, query: str) -> list[Any]:
    with connect(folder) as database:
        return database.execute(query).fetchall()


def shown(folder: Path, query: str) -> str:
    out = io.StringIO()
    assert run_sql(folder, query, out) == 0
    return out.getvalue()


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_warehouse_without_files_has_all_views_with_their_columns(
    tmp_path: Path, entity: str
) -> None:
    names = [column.name for column in columns_of(ENTITIES[entity])]

    for folder in (tmp_path, tmp_path / "not there"):
        with connect(folder) as database:
            for view in (entity, f"{entity}_history"):
                found = database.execute(f"SELECT * FROM {view}")  # noqa: S608 - a name of ours
                assert [name for name, *_ in found.description or ()] == [
                    *names,
                    "topic_partition",
                    "topic_offset",
                ]
                assert found.fetchall() == []


def test_a_warehouse_without_files_has_no_sums_and_nothing_set_aside(tmp_path: Path) -> None:
    with connect(tmp_path) as database:
        found = database.execute("FROM adjustments_by_day_and_reason")
        names = [name for name, *_ in found.description or ()]
        assert names == ["day", "currency", "reason", "adjustments", *EFFECTS]
        assert found.fetchall() == []
        assert database.execute("FROM set_aside").fetchall() == []


def test_an_entity_is_as_its_last_image_says(tmp_path: Path) -> None:
    partition, other = Partition(), Partition(1)
    for version in (1, 2, 3):
        partition.publish("account", refId="ACC-1", version=version)
        other.publish("account", refId="ACC-2", version=10 * version)
    kept(tmp_path, *partition.records[:2], *other.records)
    kept(tmp_path, *partition.records[2:])

    assert asked(tmp_path, "SELECT ref_id, version FROM account ORDER BY ALL") == [
        ("ACC-1", 3),
        ("ACC-2", 30),
    ]
    assert asked(tmp_path, "SELECT count(*) FROM account_history") == [(6,)]


def test_one_event_id_under_two_accounts_is_two_events(tmp_path: Path) -> None:
    partition = Partition()
    for owner in ("ACC-1", "ACC-2", "ACC-1"):
        partition.publish("chargeable-event", account={"refId": owner}, refId="CE-1")
    kept(tmp_path, *partition.records)

    assert asked(tmp_path, "SELECT account_ref_id FROM chargeable_event ORDER BY ALL") == [
        ("ACC-1",),
        ("ACC-2",),
    ]


def test_adjustments_are_summed_up_by_the_utc_day_on_which_they_were_asked_for(
    tmp_path: Path,
) -> None:
    partition = Partition()
    day, next_day = "2026-11-05T23:59:59.999Z", "2026-11-06T00:00:00.000Z"
    partition.adjust("CE-1", (-10, -2, -12), 1, requestedAt=day, reason="GOODWILL")
    partition.adjust("CE-1", (5, 1, 6), 2, requestedAt=day, reason="GOODWILL")
    partition.adjust("CE-1", (-7, 0, -7), 3, requestedAt=day, reason="DISPUTE")
    partition.adjust("CE-1", (-1, -1, -2), 4, requestedAt=next_day, reason="GOODWILL")
    partition.adjust("CE-1", (-3, 0, -3), 5, requestedAt=day, reason="DISPUTE", currency="CHF")
    kept(tmp_path, *partition.records)

    found = asked(
        tmp_path, "SELECT * REPLACE (day::VARCHAR AS day) FROM adjustments_by_day_and_reason"
    )

    assert found == [
        ("2026-11-05", "CHF", "DISPUTE", 1, -3, 0, -3),
        ("2026-11-05", "EUR", "DISPUTE", 1, -7, 0, -7),
        ("2026-11-05", "EUR", "GOODWILL", 2, -5, -1, -6),
        ("2026-11-06", "EUR", "GOODWILL", 1, -1, -1, -2),
    ]


def test_files_that_no_commit_names_are_not_seen(tmp_path: Path) -> None:
    partition = Partition()
    partition.publish("account")
    kept(tmp_path, *partition.records)
    (file,) = tmp_path.glob("account/*/*")
    (file.parent / "business-transactions-0-7-9.parquet").write_bytes(file.read_bytes())

    assert asked(tmp_path, "SELECT topic_offset FROM account_history") == [(0,)]


def test_a_column_that_older_files_lack_is_null_in_their_rows(tmp_path: Path) -> None:
    partition = Partition()
    partition.publish("account", version=1)
    partition.publish("account", version=2)
    kept(tmp_path, partition.records[0])
    (old,) = tmp_path.glob("account/*/*")
    with connect(tmp_path) as database:
        older = database.sql("SELECT * EXCLUDE state FROM account_history")
        older.write_parquet(f"{old}.new")
    old.with_name(f"{old.name}.new").replace(old)
    kept(tmp_path, partition.records[1])

    assert asked(tmp_path, "SELECT version, state FROM account_history ORDER BY ALL") == [
        (1, None),
        (2, "ACTIVE"),
    ]


def test_a_person_is_shown_an_aligned_table(tmp_path: Path) -> None:
    partition = Partition()
    partition.publish("account", refId="ACC-1", externalId=None, version=5)
    partition.publish("account", refId="ACC-1000", externalId="a\nb\x1b[2J", version=12)
    kept(tmp_path, *partition.records)

    query = "SELECT ref_id, version, external_id, tax_exempt FROM account ORDER BY ref_id;"

    assert shown(tmp_path, query) == (
        "ref_id    version  external_id  tax_exempt\n"
        "--------  -------  -----------  ----------\n"
        "ACC-1           5  null         false\n"
        "ACC-1000       12  a\\nb\\x1b[2J  false\n"
        "(2 rows)\n"
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 12100000 AS money", "   money\n--------\n12100000\n(1 row)\n"),
        ("SELECT 1 AS a, 2 AS a", "a  a\n-  -\n1  2\n(1 row)\n"),
        ("SELECT date '2026-11-05' AS day", "day\n----------\n2026-11-05\n(1 row)\n"),
        ("SELECT [1, 2] AS list", "list\n------\n[1, 2]\n(1 row)\n"),
        ("SELECT ref_id FROM account", "ref_id\n------\n(0 rows)\n"),
    ],
)
def test_what_a_query_gives_is_shown(tmp_path: Path, query: str, expected: str) -> None:
    assert shown(tmp_path, query) == expected


def test_times_are_shown_without_further_packages(tmp_path: Path) -> None:
    assert "(1 row)" in shown(tmp_path, "SELECT now() AS now")


def test_views_and_their_columns_can_be_listed(tmp_path: Path) -> None:
    assert "adjustments_by_day_and_reason" in shown(tmp_path, "SHOW TABLES")
    assert "current_tax_included_amount" in shown(tmp_path, "DESCRIBE chargeable_event")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEC 1", "Parser Error: syntax error at or near"),
        ("SELECT * FROM accounts", "Table with name accounts does not exist!"),
        ("SELECT nothing FROM account", '"nothing" not found'),
        ("SELECT 'a'::INTEGER", "Could not convert string 'a' to INT32"),
        ("SELECT 1; SELECT 2", "Ask one question at a time."),
        ("", "Ask one question at a time."),
        ("FROM read_parquet('nothing.parquet')", "No files found"),
    ],
)
def test_a_mistake_in_a_query_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], query: str, said: str
) -> None:
    out = io.StringIO()

    assert run_sql(tmp_path, query, out) == 2

    assert out.getvalue() == ""
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_warehouse_that_is_damaged_is_told_to_who_asks(tmp_path: Path) -> None:
    partition = Partition()
    partition.append(record(None))
    kept(tmp_path, *partition.records)
    (tmp_path / "commits" / "2.json").write_text("{")

    with pytest.raises(StoreError, match=r"2\.json is damaged"):
        run_sql(tmp_path, "FROM account", io.StringIO())
