"""Small files of the warehouse become large ones, and nobody notices."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from streams.subscribers.images import Batch
from streams.subscribers.warehouse import merging
from streams.subscribers.warehouse.commits import Standing, read_commits
from streams.subscribers.warehouse.layout import DataFile, Place, today
from streams.subscribers.warehouse.merging import Merging
from streams.subscribers.warehouse.views import connect
from tests.streams.subscribers.topic import Partition, batch_of
from tests.streams.subscribers.warehousing import (
    FUTURE_MS,
    PAST_MS,
    goes_on,
    places_of,
    rows_in,
    strangers_in,
    warehouse,
)

PAST = Place("account", "2023-11-14", 0)


def accounts(count: int, at_ms: int, partition: int = 0) -> list[Any]:
    published = Partition(partition)
    for version in range(1, count + 1):
        published.publish("account", at_ms=at_ms, version=version)
    return published.records


def standing_of(place: Place, files: int) -> Standing:
    standing = Standing()
    standing.files[place] = [DataFile(place, number, number) for number in range(files)]
    return standing


def kept_one_by_one(folder: Path, records: list[Any]) -> None:
    instance = warehouse(folder)
    goes_on(instance, records)
    instance.close()


def ticked(folder: Path, ticks: int) -> None:
    instance = warehouse(folder)
    instance.open()
    for _ in range(ticks):
        instance.keep(Batch())
    instance.close()


def test_files_of_a_day_that_is_over_become_one_for_each_entity_and_partition(
    tmp_path: Path,
) -> None:
    records = [*accounts(3, PAST_MS), *accounts(2, PAST_MS, partition=1)]
    kept_one_by_one(tmp_path, records)

    ticked(tmp_path, 2)

    assert sorted(read_commits(tmp_path).paths()) == [
        "account/date=2023-11-14/business-transactions-0-0-3.parquet",
        "account/date=2023-11-14/business-transactions-1-0-2.parquet",
    ]
    assert rows_in(tmp_path) == places_of(records)
    assert strangers_in(tmp_path) == set()


def test_a_tick_merges_one_place_only_so_that_reading_goes_on(tmp_path: Path) -> None:
    kept_one_by_one(tmp_path, [*accounts(2, PAST_MS), *accounts(2, PAST_MS, partition=1)])

    ticked(tmp_path, 1)

    assert len(read_commits(tmp_path).paths()) == 3


def test_rows_stay_in_the_order_of_offsets(tmp_path: Path) -> None:
    records = accounts(12, PAST_MS)
    kept_one_by_one(tmp_path, records)

    ticked(tmp_path, 1)

    (file,) = tmp_path.glob("account/*/*")
    with connect(tmp_path) as database:
        found = database.execute(
            "SELECT topic_offset, version FROM read_parquet($1)", [str(file)]
        ).fetchall()
    assert found == [(each.offset, version) for version, each in enumerate(records, 1)]


def test_a_merge_that_falls_on_a_commit_of_all_files_counts(tmp_path: Path) -> None:
    for name in ("first", "second"):
        records = accounts(98 if name == "first" else 99, PAST_MS)
        kept_one_by_one(tmp_path / name, records)

        ticked(tmp_path / name, 1)

        assert len(read_commits(tmp_path / name).paths()) == 1
        assert rows_in(tmp_path / name) == places_of(records)
        assert strangers_in(tmp_path / name) == set()


def test_a_day_that_is_not_over_is_merged_once_its_files_are_many(tmp_path: Path) -> None:
    records = accounts(merging.OPEN_FILES_MIN, FUTURE_MS)
    kept_one_by_one(tmp_path, records[:-1])
    ticked(tmp_path, 1)
    assert len(read_commits(tmp_path).paths()) == len(records) - 1

    kept_one_by_one(tmp_path, records)
    ticked(tmp_path, 1)

    assert len(read_commits(tmp_path).paths()) == 1
    assert rows_in(tmp_path) == places_of(records)


def test_a_day_to_which_rows_are_being_added_is_left_for_a_while(tmp_path: Path) -> None:
    instance = warehouse(tmp_path)
    records = accounts(3, PAST_MS)
    goes_on(instance, records)

    instance.keep(Batch())

    assert len(read_commits(tmp_path).paths()) == len(records)


def test_no_merge_makes_a_file_too_large() -> None:
    half = merging.CLOSED_BYTES_MAX // 2
    sizes = [2 * half, half, half, half, 1]
    standing = standing_of(PAST, len(sizes))

    run = Merging().choose(standing, lambda file: sizes[file.first])

    assert run == [DataFile(PAST, 1, 1), DataFile(PAST, 2, 2)]


def test_large_files_are_left_alone() -> None:
    standing = standing_of(PAST, 4)

    assert Merging().choose(standing, lambda _: merging.CLOSED_BYTES_MAX) is None


def test_today_is_not_over() -> None:
    standing = standing_of(Place("account", today(), 0), 2)

    assert Merging().choose(standing, lambda _: 1) is None


def test_a_reader_whose_files_were_merged_is_told_and_connects_again(
    tmp_path: Path,
) -> None:
    records = accounts(3, PAST_MS)
    kept_one_by_one(tmp_path, records)
    with connect(tmp_path) as before:
        ticked(tmp_path, 1)

        count = "SELECT count(*) FROM account_history"
        with pytest.raises(duckdb.IOException):
            before.execute(count)
        with connect(tmp_path) as after:
            assert after.execute(count).fetchall() == [(len(records),)]


def test_a_file_that_cannot_be_read_is_left_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, sound = accounts(3, PAST_MS), accounts(3, PAST_MS, partition=1)
    kept_one_by_one(tmp_path, [*damaged[:2], *sound[:2]])
    (file,) = tmp_path.glob("account/*/business-transactions-0-0-0.parquet")
    file.write_bytes(b"no Parquet")
    instance = warehouse(tmp_path)
    instance.open()

    for _ in range(2):
        instance.keep(Batch())
    instance.keep(batch_of(damaged[2], sound[2]))

    assert str(file) in caplog.text
    assert len(read_commits(tmp_path).paths()) == 2 + 1 + 2


def test_offsets_that_merged_files_span_are_read_on_from(tmp_path: Path) -> None:
    records = accounts(4, PAST_MS)
    kept_one_by_one(tmp_path, records[:3])
    ticked(tmp_path, 1)

    instance = warehouse(tmp_path)
    positions = instance.open()
    assert positions[0].following == records[2].offset + 1
    instance.keep(batch_of(records[3]))
    instance.close()

    assert rows_in(tmp_path) == places_of(records)
