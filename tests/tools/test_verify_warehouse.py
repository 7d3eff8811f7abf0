"""The warehouse is compared with the topic: each edit of a good one is named in a line."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import pytest

from tests.tools.transactions import ALL, POSITIONS, Values, published, rows
from tools.verify.checks import Report
from tools.verify.held import AbsentError
from tools.verify.rows import row_of
from tools.verify.standing import Kind, Looked, Standing
from tools.verify.warehouse import WarehouseCheck
from tools.verify.warehouse_files import live_files
from tools.verify.warehouse_store import WarehouseStore

DAYS = {True: "2026-11-05", False: "2026-11-06"}
Rows = dict[str, list[Values]]
Edit = Callable[[Rows], None]


@dataclass
class Folder:
    """A warehouse written by hand."""

    at: Path
    paths: list[str] = field(default_factory=list)

    def write(self, tables: Rows) -> "Folder":
        files: defaultdict[tuple[str, str, int], list[Values]] = defaultdict(list)
        for table, content in tables.items():
            for row in content:
                day = row.pop("day", DAYS[row["topic_offset"] < 4])
                files[table, day, row["topic_partition"]].append(row)
        for (table, day, partition), content in files.items():
            ends = f"{content[0]['topic_offset']}-{content[-1]['topic_offset']}"
            path = f"{table}/date={day}/business-transactions-{partition}-{ends}.parquet"
            write_file(self.at / path, content)
            self.paths.append(path)
        self.commit(1, self.paths)
        return self

    def commit(self, number: int, files: list[str], *removed: str, **more: bool) -> None:
        following = {str(partition): place[0] for partition, place in POSITIONS.items()}
        seqs = {str(partition): place[1] for partition, place in POSITIONS.items()}
        commit = {"files": files, "removed": removed, "next": following, "seq": seqs} | more
        (self.at / "commits").mkdir(parents=True, exist_ok=True)
        (self.at / "commits" / f"{number}.json").write_text(json.dumps(commit))

    def path_of(self, table: str, day: str = "2026-11-05") -> str:
        return next(path for path in self.paths if path.startswith(f"{table}/date={day}"))

    def report(self) -> Report:
        store = WarehouseStore(self.at)
        check = WarehouseCheck(store)
        for one in published():
            check.enter(one, row_of(one))
        report = check.finish(ALL)
        store.close()
        return report


def write_file(file: Path, content: list[Values]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    names = {bool: "BOOLEAN", int: "BIGINT", bytes: "BLOB"}
    columns = ", ".join(
        f'"{name}" {names.get(type(value), "VARCHAR")}' for name, value in content[0].items()
    )
    connection, marks = writer(), ", ".join("?" * len(content[0]))
    connection.execute(f"CREATE OR REPLACE TABLE rows ({columns})")
    connection.executemany(
        f"INSERT INTO rows VALUES ({marks})",  # noqa: S608
        [list(row.values()) for row in content],
    )
    connection.execute(f"COPY rows TO '{file}' (FORMAT parquet)")


@cache
def writer() -> duckdb.DuckDBPyConnection:
    """One for all: it takes long to start."""
    return duckdb.connect(":memory:", config={"threads": 1})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "dwh")


@pytest.fixture
def good(folder: Folder) -> Folder:
    return folder.write(rows(last_only=False))


def altered(table: str, number: int, **values: object) -> Edit:
    return lambda tables: tables[table][number].update(values)


def dropped(table: str, number: int) -> Edit:
    return lambda tables: tables[table].__delitem__(number)


def doubled(table: str, number: int) -> Edit:
    return lambda tables: tables[table].insert(number, dict(tables[table][number]))


EVENT = "Warehouse, chargeable event CE-500001 of account ACC-1001"
ADJUSTMENT = "Warehouse, adjustment ADJ-ACC-1001-7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
EDITS = [
    (
        altered("chargeable_event", 0, current_tax_included_amount=1),
        (
            f"{EVENT}: current_tax_included_amount is 0.000001, must be 11.10 "
            "(business-transactions-3-1)."
        ),
    ),
    (
        altered("account", 0, state="CLOSED"),
        (
            "Warehouse, account ACC-1001: state is 'CLOSED', must be 'ACTIVE' "
            "(business-transactions-3-0)."
        ),
    ),
    (
        altered("adjustment", 0, batch="b"),
        f"{ADJUSTMENT}: batch is 'b', must be None (business-transactions-3-3).",
    ),
    (
        altered("set_aside", 0, timestamp_ms=1),
        (
            "Warehouse, the unreadable record: timestamp_ms is 1, must be 1793923200000 "
            "(business-transactions-3-6)."
        ),
    ),
    (
        altered("adjustment", 0, day="2026-11-06"),
        f"{ADJUSTMENT}: date is '2026-11-06', must be '2026-11-05' (business-transactions-3-3).",
    ),
    (
        altered("adjustment", 0, topic_offset=2),
        f"{ADJUSTMENT}: is missing (business-transactions-3-3).",
    ),
    (
        altered("adjustment", 0, topic_offset=2),
        (
            f"{ADJUSTMENT}: must not stand there; before the store's position the topic has no "
            "adjustment at business-transactions-3-2."
        ),
    ),
    (dropped("chargeable_event", 0), f"{EVENT}: is missing (business-transactions-3-1)."),
    (dropped("adjustment", 0), f"{ADJUSTMENT}: is missing (business-transactions-3-3)."),
    (
        dropped("set_aside", 0),
        "Warehouse, the unreadable record: is missing (business-transactions-3-6).",
    ),
    (doubled("chargeable_event", 0), f"{EVENT}: stands 2 times (business-transactions-3-1)."),
    (doubled("adjustment", 0), f"{ADJUSTMENT}: stands 2 times (business-transactions-3-3)."),
]


def test_a_good_warehouse_agrees(good: Folder) -> None:
    report = good.report()

    assert report.disagreements == []
    behind = "Warehouse: 2 records behind the end of the topic."
    assert report.looked == Looked(Kind.WAREHOUSE, "Warehouse", Standing.BEHIND, 2, behind)
    assert {check.name: check.rows for check in report.checks} == {
        "Warehouse: its position is on the topic": 2,
        "Warehouse: files are there and named for their rows": len(good.paths),
        "Warehouse: account is what the topic says": 2,
        "Warehouse: chargeable_event is what the topic says": 3,
        "Warehouse: adjustment is what the topic says": 2,
        "Warehouse: set_aside is what the topic says": 1,
    }


@pytest.mark.parametrize(("edit", "line"), EDITS)
def test_an_edit_is_named(folder: Folder, edit: Edit, line: str) -> None:
    tables = rows(last_only=False)
    edit(tables)

    found = folder.write(tables).report().disagreements

    assert line in found


def test_a_file_that_is_gone_is_named_with_its_rows(good: Folder) -> None:
    path = good.path_of("adjustment")
    (good.at / path).unlink()

    assert good.report().disagreements == [
        f"Warehouse: {path} counts since a commit names it, but is not there.",
        f"{ADJUSTMENT}: is missing (business-transactions-3-3).",
    ]


def test_a_file_that_is_damaged_is_named(good: Folder) -> None:
    path = good.path_of("adjustment")
    (good.at / path).write_bytes(b"PAR1")

    assert f"{path} counts since a commit names it, but is not readable" in "".join(
        good.report().disagreements
    )


def test_a_file_whose_name_is_not_that_of_its_rows_is_named(good: Folder) -> None:
    path = good.path_of("chargeable_event")
    renamed = path.replace("-1-2.parquet", "-0-2.parquet")
    (good.at / path).rename(good.at / renamed)
    good.commit(2, [renamed], path)

    assert good.report().disagreements == [
        f"Warehouse: the rows of {renamed} go from offset 1 to 2."
    ]


def test_a_file_in_the_folder_of_another_partition_is_named(good: Folder) -> None:
    path = good.path_of("chargeable_event")
    renamed = path.replace("transactions-3", "transactions-4")
    (good.at / path).rename(good.at / renamed)
    good.commit(2, [renamed, "odd"], path)

    assert good.report().disagreements[:2] == [
        f"Warehouse: 2 rows of {renamed} are of another partition.",
        "Warehouse: odd is no name of a file of rows.",
    ]


def test_a_file_that_no_commit_names_is_mentioned_only(good: Folder) -> None:
    path = good.path_of("adjustment").replace("-3-3-3", "-3-3-9")
    (good.at / path).write_bytes(b"")

    report = good.report()

    assert report.disagreements == []
    assert path in report.notes[0]


def test_a_file_added_twice_or_removed_without_being_there_is_named(good: Folder) -> None:
    path = good.path_of("adjustment")
    good.commit(2, [path], "nothing")

    assert good.report().disagreements[:2] == [
        "Warehouse: commit 2 removes nothing, which did not count before.",
        f"Warehouse: commit 2 adds {path}, which counted already.",
    ]


def test_the_last_commit_that_names_all_files_is_enough(good: Folder) -> None:
    first, *others = good.paths
    good.commit(7, [*others, "old"], all=True)
    good.commit(8, [first], "old")
    (good.at / "commits/1.json").unlink()

    assert good.report().disagreements == []
    assert sorted(live_files(good.at).paths) == sorted(good.paths)


def test_commits_that_are_missing_are_an_error(good: Folder) -> None:
    good.commit(3, [])

    with pytest.raises(LookupError, match="do not fit together"):
        good.report()


def test_files_merged_while_they_are_read_are_read_anew(good: Folder) -> None:
    """The list is read again as soon as a newer commit explains what is gone."""
    tables = rows(last_only=False)
    path = good.path_of("chargeable_event")
    halves = [path.replace("-1-2.", "-1-1."), path.replace("-1-2.", "-2-2.")]
    for half, content in zip(halves, tables["chargeable_event"], strict=False):
        write_file(good.at / half, [content])

    class Merging(WarehouseStore):
        def _read(self, live: object) -> None:
            if (good.at / path).exists():
                (good.at / path).unlink()
                good.commit(2, halves, path)
            super()._read(live)  # type: ignore[arg-type]

    assert Merging(good.at).tables["chargeable_event"].count == len(tables["chargeable_event"])


def test_a_missing_column_is_named_once(good: Folder) -> None:
    path = good.path_of("adjustment")
    query = f"SELECT * EXCLUDE batch FROM '{good.at / path}'"  # noqa: S608
    writer().execute(f"CREATE OR REPLACE TABLE rows AS {query}")
    writer().execute(f"COPY rows TO '{good.at / path}' (FORMAT parquet)")

    assert good.report().disagreements == [
        f"Warehouse: there is no column adjustment.batch in {path}."
    ]


def test_a_warehouse_that_is_not_there_is_absent(folder: Folder) -> None:
    with pytest.raises(AbsentError, match="dwh"):
        WarehouseStore(folder.at)

    (folder.at / "commits").mkdir(parents=True)
    with pytest.raises(AbsentError, match="no commits"):
        WarehouseStore(folder.at)
