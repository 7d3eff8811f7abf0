"""What is wrong with the folder of the warehouse is said, in one sentence, and got over."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from streams.subscribers.errors import StoreError
from streams.subscribers.images import Batch
from tests.streams.subscribers.topic import batch_of
from tests.streams.subscribers.warehousing import (
    FUTURE_MS,
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


class GarblingDisk(QuickDisk):
    is_garbling = False

    def write(self, file: Path, content: Iterable[bytes]) -> None:
        super().write(file, [b"no JSON"] if self.is_garbling else content)


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


def test_a_log_begun_anew_takes_no_commit_of_an_instance_of_before(tmp_path: Path) -> None:
    records = some_records()
    before = warehouse(tmp_path / "dwh")
    goes_on(before, records[:1])
    shutil.rmtree(tmp_path / "dwh")  # its inode may be given to the next folder
    after = warehouse(tmp_path / "dwh")
    goes_on(after, records[:1])

    with pytest.raises(StoreError, match="was deleted"):
        before.keep(batch_of(*records[2:]))

    after.keep(batch_of(*records[1:]))
    assert rows_in(tmp_path / "dwh") == places_of(records)


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
