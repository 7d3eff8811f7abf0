"""What a worker delivers: its inputs and their handlers, its outputs, its tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

PROGRESS_TABLE = b"progress"


@dataclass(frozen=True)
class Table:
    """Rows kept in the local store and in a changelog."""

    name: str
    changelog: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    is_kept: bool = False  # whether rows stay in memory: of few rows that many records need

    @cached_property
    def prefix(self) -> bytes:
        """What its keys begin with in the local store."""
        return self.name.encode()


@dataclass(frozen=True)
class Plan:
    """The topics of one app, all with the same number of partitions."""

    app_id: str
    partitions: int
    inputs: Mapping[str, Callable[[Any, Any], None]]  # topic: handler of (Work, record)
    outputs: tuple[str, ...]  # numbered by `seq`
    dead_letters: dict[str, str]  # input topic: where what cannot be read goes
    tables: dict[str, Table]
    progress_changelog: str

    @property
    def prefixes(self) -> dict[str, bytes]:
        """Of each changelog: what its rows' keys begin with in the local store."""
        prefixes = {table.changelog: table.prefix for table in self.tables.values()}
        return prefixes | {self.progress_changelog: PROGRESS_TABLE}

    @property
    def changelogs(self) -> list[str]:
        """Of all tables, that of the progress rows last."""
        return list(self.prefixes)
