"""The warehouse as its readers find it: folders, names, columns, values, commits."""

import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.headers import MESSAGE_CODE, SEQ
from streams.subscribers.columns import columns_of, row_of
from streams.subscribers.errors import HeldError
from streams.subscribers.images import ENTITIES, Batch
from streams.subscribers.warehouse.store import Warehouse
from streams.subscribers.warehouse.views import connect
from tests.streams.subscribers.topic import Partition, batch_of, record
from tests.streams.subscribers.warehousing import (
    PAST_MS,
    kept,
    places_of,
    rows_in,
    some_records,
    strangers_in,
    warehouse,
)

LIMIT_S = 10.0
STRANGE = [
    "",
    "\0",
    "a\0b",
    "\N{SNOWMAN} \N{GRINNING FACE}",
    "'\"\\\n\r\t\u2028",
    "null",
    "123",
    "{}",
    "x" * 256,
]
AMOUNTS = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
EXTREMES = [2**63 - 1, -(2**63), 2**53 + 1, 10**18 - 1, 0, -1]


def parquet_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.parquet")}


def test_a_file_lies_in_the_day_of_its_records_and_is_named_for_its_first_and_last_row(
    tmp_path: Path,
) -> None:
    partition = Partition(3)
    for at_ms in (PAST_MS, PAST_MS, PAST_MS + 86_400_000):
        partition.publish("account", at_ms=at_ms)
        partition.publish("adjustment", at_ms=at_ms)

    kept(tmp_path, *partition.records)

    assert [each.offset for each in partition.records] == [0, 2, 3, 5, 6, 8]
    assert parquet_in(tmp_path) == {
        "account/date=2023-11-14/business-transactions-3-0-3.parquet",
        "adjustment/date=2023-11-14/business-transactions-3-2-5.parquet",
        "account/date=2023-11-15/business-transactions-3-6-6.parquet",
        "adjustment/date=2023-11-15/business-transactions-3-8-8.parquet",
    }


@pytest.mark.parametrize("entity", ENTITIES)
def test_columns_are_those_of_the_entity_then_the_place_of_the_record(
    tmp_path: Path, entity: str
) -> None:
    kept(tmp_path, *some_records())
    (file, *_) = tmp_path.glob(f"{entity}/*/*.parquet")

    with duckdb.connect() as database:
        described = database.execute(f"DESCRIBE FROM read_parquet('{file}', hive_partitioning = 0)")
        found = [(name, kind) for name, kind, *_ in described.fetchall()]

    types = {"integer": "BIGINT", "boolean": "BOOLEAN", "text": "VARCHAR"}
    assert found == [
        *((column.name, types[column.kind]) for column in columns_of(ENTITIES[entity])),
        ("topic_partition", "INTEGER"),
        ("topic_offset", "BIGINT"),
    ]


def test_every_value_comes_back_as_it_was_published(tmp_path: Path) -> None:
    partition = Partition()
    for text in STRANGE:
        for number in EXTREMES:
            texts: dict[str, Any] = dict.fromkeys(
                ("refId", "usageType", "glCode", "invoiceRefId"), text
            )
            partition.publish(
                "chargeable-event",
                **texts,
                adjusted=dict.fromkeys(AMOUNTS, number),
                quantity=max(number, 0),
                unitOfMeasure=None,
                attributeOfTomorrow={"refId": [text]},
            )
    published = batch_of(*partition.records).images

    kept(tmp_path, *partition.records)

    take = row_of(ENTITIES["chargeable_event"])
    expected = [(*take(image.content), image.partition, image.offset) for image in published]
    with connect(tmp_path) as database:
        found = database.execute("FROM chargeable_event_history").fetchall()
    assert len(expected) == len(STRANGE) * len(EXTREMES)
    assert found == expected


def test_an_attribute_that_stands_twice_is_kept_as_the_reader_takes_it(tmp_path: Path) -> None:
    partition = Partition()
    value = partition.publish("account").value.replace(b'{"refId"', b'{"version": 7, "refId"', 1)
    partition.append(record(value, (MESSAGE_CODE, b"account"), (SEQ, b"2")))

    kept(tmp_path, *partition.records)

    _, image = batch_of(*partition.records).images
    with connect(tmp_path) as database:
        found = database.execute("SELECT version FROM account_history").fetchall()
    assert found[1] == (image.content.version,)


def test_what_cannot_be_read_is_set_aside_whole(tmp_path: Path) -> None:
    partition = Partition()
    value = bytes(range(256))
    partition.append(record(value, (MESSAGE_CODE, b"account"), at_ms=-1))
    partition.append(record(None, at_ms=2**62))

    kept(tmp_path, *partition.records)

    with connect(tmp_path) as database:
        cursor = database.execute("SELECT * EXCLUDE fault FROM set_aside ORDER BY topic_offset")
        assert [name for name, *_ in cursor.description or ()] == [
            *("topic_partition", "topic_offset", "timestamp_ms", "code", "key", "value")
        ]
        assert cursor.fetchall() == [
            (0, 0, -1, "account", b"ACC-1001", value),
            (0, 2, 2**62, None, b"ACC-1001", None),
        ]
    assert parquet_in(tmp_path) == {
        "set_aside/date=1970-01-01/business-transactions-0-0-0.parquet",
        "set_aside/date=9999-12-31/business-transactions-0-2-2.parquet",
    }


def test_one_commit_names_the_files_and_how_far_all_partitions_are(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    other = Partition(1)
    other.append(record(None))

    kept(tmp_path, *other.records)

    commits = sorted(int(file.stem) for file in (tmp_path / "commits").iterdir())
    newest = json.loads((tmp_path / "commits" / f"{commits[-1]}.json").read_bytes())
    assert commits[0] == 1
    assert len(newest.pop("files")) == 1
    assert newest.pop("digest").keys() == {"0", "1"}
    assert newest == {
        "n": commits[-1],
        "all": False,
        "removed": [],
        "next": {"0": 6, "1": 1},
        "seq": {"0": 4, "1": None},
    }


def test_reading_goes_on_where_the_last_commit_ends(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())

    assert warehouse(tmp_path).open()[0][:2] == (6, 4)


def test_rows_wait_until_they_are_many(tmp_path: Path) -> None:
    instance = Warehouse(tmp_path, lease_s=5.0, flush_s=3600.0, rows_max=3)
    first, second, third, fourth = some_records()
    instance.open()

    instance.keep(batch_of(first, second))
    assert rows_in(tmp_path) == []
    instance.keep(batch_of(third))
    assert rows_in(tmp_path) == places_of([first, second, third])
    instance.keep(batch_of(fourth))
    assert rows_in(tmp_path) == places_of([first, second, third])


def test_rows_wait_for_a_while_and_no_longer(tmp_path: Path) -> None:
    instance = Warehouse(tmp_path, lease_s=5.0, flush_s=0.05)
    records = some_records()
    end = time.monotonic() + LIMIT_S
    instance.open()
    instance.keep(batch_of(*records))

    while not rows_in(tmp_path) and time.monotonic() < end:
        instance.keep(Batch())

    assert rows_in(tmp_path) == places_of(records)


def test_closing_keeps_what_waits_and_leaves_nothing_else(tmp_path: Path) -> None:
    instance = warehouse(tmp_path, flush_s=3600.0)
    records = some_records()
    instance.open()
    instance.keep(batch_of(*records))

    instance.close()

    assert rows_in(tmp_path) == places_of(records)
    assert strangers_in(tmp_path) == set()
    assert not (tmp_path / "holder.json").exists()


def test_another_instance_waits_while_one_is_at_work_and_begins_when_it_ends(
    tmp_path: Path,
) -> None:
    first, second = (Warehouse(tmp_path, lease_s=60.0, flush_s=0.0) for _ in range(2))
    first.open()

    with pytest.raises(HeldError, match=r"^waits: another instance is at work on"):
        second.open()

    first.close()
    assert second.open() == {}


def test_an_instance_that_opens_again_reads_again_what_waited(tmp_path: Path) -> None:
    instance = warehouse(tmp_path, flush_s=3600.0)
    records = some_records()
    instance.open()
    instance.keep(batch_of(*records))

    assert instance.open() == {}
    instance.keep(batch_of(*records))
    instance.close()

    assert rows_in(tmp_path) == places_of(records)
    assert (tmp_path / "commits" / "2.json").exists()
    assert not (tmp_path / "commits" / "3.json").exists(), "it took over from itself"
