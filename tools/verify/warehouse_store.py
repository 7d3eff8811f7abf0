"""One moment of the warehouse: the files that count and their rows, read with DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tools.verify.held import AbsentError, Held
from tools.verify.rows import TABLES, columns_of
from tools.verify.warehouse_files import (
    Live,
    Named,
    commit_numbers,
    live_files,
    read_name,
    unnamed_files,
)

ROWS_AT_ONCE = 5_000
TRIES = 20
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
    "autoload_known_extensions": False,
    "threads": 1,
    "memory_limit": "512MB",
    "temp_directory": "",
}


class _HasGoneOnError(Exception):
    """Files that counted were merged and deleted meanwhile."""


class WarehouseStore:
    """All rows as digests, and what is wrong with the files themselves."""

    name = "Warehouse"

    def __init__(self, folder: Path) -> None:
        """Read the rows of all files that count. Raises AbsentError, LookupError."""
        if not (folder / "commits").is_dir():
            raise AbsentError(f"There is no {folder}.")
        self._folder = folder
        self._duckdb = duckdb.connect(":memory:", config=_CONFIG)
        for _ in range(TRIES):
            try:
                live = live_files(folder)
                self._read(live)
            except (FileNotFoundError, _HasGoneOnError):
                continue
            self.unnamed = unnamed_files(folder, live)
            return
        raise LookupError(f"Files and commits in {folder} do not fit together.")

    def at(self, table: str, partition: int, offset: int) -> Sequence[Mapping[str, Any]]:
        """Look up the rows that say they come from a record; none if their file is gone."""
        found: list[Mapping[str, Any]] = []
        for file in self._named:
            if (file.table, file.partition) != (table, partition):
                continue
            try:
                found += self._rows(file, offset)
            except duckdb.Error:
                continue
        return found

    def close(self) -> None:
        """Let go of DuckDB."""
        self._duckdb.close()

    def _read(self, live: Live) -> None:
        """Read every file, or none: raises _HasGoneOnError where one went meanwhile."""
        self.following, self.seqs = live.following, live.seqs
        self.faults = list(live.faults)
        self.files = len(live.paths)
        self.tables = {table: Held((*columns_of(table), "date")) for table in TABLES}
        self._absent: dict[str, None] = {}
        self._named: list[Named] = []
        for path in live.paths:
            file = read_name(path)
            if file is None:
                self.faults.append(f"{path} is no name of a file of rows")
                continue
            try:
                self._take_in(file)
            except duckdb.Error as error:
                if commit_numbers(self._folder)[-1] != live.number:
                    raise _HasGoneOnError from error
                is_there = (self._folder / path).exists()
                fault = f"is not readable ({_short(error)})" if is_there else "is not there"
                self.faults.append(f"{path} counts since a commit names it, but {fault}")

    @property
    def absent_columns(self) -> Sequence[str]:
        """The columns that a file does not have."""
        return list(self._absent)

    def _take_in(self, file: Named) -> None:
        held = self.tables[file.table]
        first = last = None
        strangers = 0
        for row in self._rows(file):
            held.add(row)
            last = row["topic_offset"]
            first = last if first is None else first
            strangers += row["topic_partition"] != file.partition
        self._named.append(file)
        if (first, last) != (file.first, file.last):
            self.faults.append(f"the rows of {file.path} go from offset {first} to {last}")
        if strangers:
            self.faults.append(f"{strangers} rows of {file.path} are of another partition")

    def _rows(self, file: Named, offset: int | None = None) -> Iterator[dict[str, Any]]:
        path = "".join(f"[{c}]" if c in "*?[" else c for c in str(self._folder / file.path))
        cursor = self._duckdb.execute(
            "SELECT * FROM read_parquet($path, hive_partitioning = false) "
            "WHERE $offset IS NULL OR topic_offset = $offset",
            {"path": path, "offset": offset},
        )
        names = [column[0] for column in cursor.description or ()]
        absent = [name for name in self.tables[file.table].columns if name not in {*names, "date"}]
        for column in absent:
            self._absent[f"{file.table}.{column} in {file.path}"] = None
        names += [*absent, "date"]
        more = (*(None for _ in absent), file.date)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from (dict(zip(names, (*row, *more), strict=True)) for row in rows)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0]
