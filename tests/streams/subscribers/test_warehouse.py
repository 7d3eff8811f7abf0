"""The warehouse as its readers find it: folders, names, columns, values, commits."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.headers import MESSAGE_CODE, SEQ
from streams.subscribers.columns import columns_of, row_of
from streams.subscribers.errors import HeldError, StoreError
from streams.subscribers.images import ENTITIES, Batch, Progress
from streams.subscribers.warehouse.store import Warehouse
from streams.subscribers.warehouse.views import connect
from tests.streams.subscribers.topic import Partition, batch_of, record
from tests.streams.subscribers.warehousing import (
    FUTURE_MS,
    PAST_MS,
    BreakingDisk,
    QuickDisk,
    goes_on,
    kept,
    places_of,
    raises,
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
    "x" * 10_000,
]
AMOUNTS = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
EXTREMES = [2**63 - 1, -(2**63), 2**53 + 1, 10**18 - 1, 0, -1]


class GarblingDisk(QuickDisk):
    is_garbling = False

    def write(self, file: Path, content: Iterable[bytes]) -> None:
        super().write(file, [b"no JSON"] if self.is_garbling else content)


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
    assert newest == {
        "n": commits[-1],
        "epoch": 2,
        "all": False,
        "removed": [],
        "next": {"0": 6, "1": 1},
        "seq": {"0": 4, "1": None},
    }


def test_reading_goes_on_where_the_last_commit_ends(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())

    assert warehouse(tmp_path).open() == {0: Progress(6, 4)}


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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("2.json", b"", "2.json is damaged"),
        ("2.json", b'{"n": 2, "ep', "2.json is damaged"),
        ("2.json", b"\xff", "2.json is damaged"),
        ("3.json", b"{}", "3.json is damaged"),
        ("4.json", b"{}", "4.json is damaged"),
        ("notes.txt", b"mine", "notes.txt is no commit"),
        ("02.json", b"{}", "02.json is no commit"),
    ],
)
def test_a_damaged_or_foreign_commit_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    kept(tmp_path, *some_records())
    (tmp_path / "commits" / name).write_bytes(content)

    with pytest.raises(StoreError, match=said):
        warehouse(tmp_path).open()


def test_a_commit_that_contradicts_those_before_is_named(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    newest = tmp_path / "commits" / "2.json"
    content = json.loads(newest.read_bytes())
    for wrong in ({"files": ["../etc"]}, {"removed": content["files"]}, {"n": 1}):
        newest.write_text(json.dumps(content | {"files": []} | wrong))

        with pytest.raises(StoreError, match="damaged"):
            warehouse(tmp_path).open()


def test_a_gap_in_the_commits_is_named(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    kept(tmp_path)
    (tmp_path / "commits" / "2.json").unlink()

    with pytest.raises(StoreError, match=r"2\.json is missing"):
        warehouse(tmp_path).open()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    (file,) = tmp_path.glob("account/*/*")
    file.unlink()

    with pytest.raises(StoreError, match=f"{file.name} is missing"):
        warehouse(tmp_path).open()


def test_files_of_others_stay(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    (day,) = tmp_path.glob("account/*")
    for name in ("notes.txt", "business-transactions-0-7.parquet", "tmp_.parquet"):
        (day / name).write_text("mine")

    kept(tmp_path)

    assert len(strangers_in(tmp_path)) == 3


def test_files_that_no_commit_names_are_deleted(tmp_path: Path) -> None:
    kept(tmp_path, *some_records())
    (day,) = tmp_path.glob("account/*")
    left = tmp_path / "account" / "date=2020-02-02"
    left.mkdir()
    for folder in (day, left, tmp_path, tmp_path / "commits"):
        (folder / ".0.part").write_text("half")
    (left / "business-transactions-0-7-9.parquet").write_text("whole")

    kept(tmp_path)

    assert strangers_in(tmp_path) == set()
    assert not left.exists()


@pytest.mark.parametrize("gone", ["", "commits"])
def test_a_folder_that_was_deleted_is_noticed_and_begun_anew(tmp_path: Path, gone: str) -> None:
    folder = tmp_path / "dwh"
    instance = warehouse(folder)
    records = some_records(FUTURE_MS)
    goes_on(instance, records)
    (folder / gone).rename(tmp_path / "gone")

    with pytest.raises(StoreError, match="was deleted"):
        instance.keep(Batch())

    goes_on(instance, records)
    assert rows_in(folder) == places_of(records)
    assert strangers_in(folder) == set()


def test_a_folder_that_was_deleted_and_made_again_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "dwh"
    instance = warehouse(folder)
    records = some_records()
    goes_on(instance, records)
    folder.rename(tmp_path / "gone")
    goes_on(warehouse(folder), records)

    with pytest.raises(StoreError, match="was deleted"):
        instance.keep(Batch())


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    disk = BreakingDisk(10**9, raises(OSError(28, "No space left on device")))
    instance = warehouse(tmp_path / "dwh", disk)
    instance.open()
    disk.at = disk.steps + 2

    with pytest.raises(StoreError, match=r"dwh cannot be used: No space left on device$"):
        instance.keep(batch_of(*some_records()))

    assert instance.open() == {}


def test_a_place_that_is_no_folder_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dwh").write_text("a file")

    with pytest.raises(StoreError, match="dwh cannot be used: "):
        warehouse(tmp_path / "dwh").open()


def test_lines_that_duckdb_cannot_read_are_told_in_one_sentence_and_read_again(
    tmp_path: Path,
) -> None:
    disk = GarblingDisk()
    instance = warehouse(tmp_path, disk)
    instance.open()
    disk.is_garbling = True

    with pytest.raises(StoreError, match=r"cannot be written: .+$"):
        instance.keep(batch_of(*some_records()))

    disk.is_garbling = False
    goes_on(instance, some_records())
    assert rows_in(tmp_path) == places_of(some_records())
    assert strangers_in(tmp_path) == set()


def test_closing_raises_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    instance = warehouse(tmp_path / "dwh", flush_s=3600.0)
    instance.open()
    instance.keep(batch_of(*some_records()))
    (tmp_path / "dwh").rename(tmp_path / "gone")

    instance.close()
    warehouse(tmp_path / "never-opened").close()

    assert "what waited is read again" in caplog.text
