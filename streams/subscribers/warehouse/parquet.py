"""Writes Parquet files, with DuckDB."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import duckdb

from streams.subscribers.warehouse.tables import quoted, rows_of_files, rows_of_lines

Config = dict[str, str | bool | int | float | list[str]]

CONFIG: Config = {
    "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
    "autoload_known_extensions": False,
}
_FORM = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, USE_TMP_FILE false"
_ONE_THREAD: Config = {"threads": 1, "memory_limit": "1GB", "temp_directory": ""}


class Parquet:
    """One DuckDB in memory, for one thread, from the first file on. Raises duckdb.Error."""

    def write(self, table: str, lines: Path, to: Path) -> None:
        """Write the rows that are in a file of lines, in their order."""
        self._copy(rows_of_lines(table, lines), to)

    def merge(self, table: str, files: Iterable[Path], to: Path) -> None:
        """Write the rows of files, one file after the other."""
        self._copy(rows_of_files(table, files), to)

    def close(self) -> None:
        """End it; the next file begins another."""
        begun = vars(self).pop("_duckdb", None)
        if begun is not None:
            begun.close()

    @cached_property
    def _duckdb(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(":memory:", config=CONFIG | _ONE_THREAD)

    def _copy(self, rows: str, to: Path) -> None:
        self._duckdb.execute(f"COPY ({rows}) TO {quoted(str(to))} ({_FORM})")
