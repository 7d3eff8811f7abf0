"""What tests of the warehouse need: instances of it, disks that go wrong, and what lies there."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from streams.subscribers.errors import FencedError, HeldError, StoreError
from streams.subscribers.warehouse.commits import read_commits
from streams.subscribers.warehouse.disk import Disk
from streams.subscribers.warehouse.store import Warehouse
from tests.streams.subscribers.topic import Partition, batch_of

PAST_MS = 1_700_000_000_000  # 2023-11-14, a day that is over
FUTURE_MS = 4_102_444_800_000  # 2100-01-01, a day that is not


Rows = list[tuple[int, int]]  # partitions and offsets


class Crash(BaseException):
    """The process is gone: nobody catches this."""


class QuickDisk(Disk):
    """Waits for no real disk: power is not lost here."""

    def sync(self, path: Path) -> None:
        path.stat()


class BreakingDisk(QuickDisk):
    """Meets an accident at one step; after a crash nothing is done any more."""

    def __init__(self, at: int, accident: Callable[[], None], *, is_last: bool = False) -> None:
        self.at = at
        self.accident = accident
        self.is_last = is_last
        self.steps = 0

    def make_folder(self, folder: Path) -> None:
        self._step()
        super().make_folder(folder)

    def write(self, file: Path, content: Any) -> None:
        self._step()
        super().write(file, content)

    def sync(self, path: Path) -> None:
        self._step()
        super().sync(path)

    def put(self, part: Path, file: Path) -> None:
        self._step()
        super().put(part, file)

    def remove(self, file: Path) -> None:
        self._step()
        super().remove(file)

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.at or (self.is_last and self.steps > self.at):
            self.accident()


class SlowDisk(QuickDisk):
    """Others do something just before a day's folder or a commit is made, once it is said what."""

    def __init__(self, before: str) -> None:
        self._before = before
        self.others_do: Callable[[], None] | None = None

    def make_folder(self, folder: Path) -> None:
        self._look("folder" if folder.name.startswith("date=") else "")
        super().make_folder(folder)

    def write(self, file: Path, content: Any) -> None:
        self._look("commit" if file.parent.name == "commits" else "")
        super().write(file, content)

    def _look(self, step: str) -> None:
        if step == self._before and self.others_do is not None:
            others_do, self.others_do = self.others_do, None
            others_do()


def giving_up() -> "suppress":
    """Pass over what ends or stops an instance."""
    return suppress(FencedError, HeldError, StoreError)


def raises(error: BaseException) -> Callable[[], None]:
    """Make an accident of an error."""

    def accident() -> None:
        raise error

    return accident


def warehouse(folder: Path, disk: Disk | None = None, flush_s: float = 0.0) -> Warehouse:
    """Give an instance that takes over at its second try, and makes files of what it is given."""
    return Warehouse(folder, lease_s=0.0, flush_s=flush_s, disk=disk or QuickDisk())


def takes_over(instance: Warehouse) -> None:
    """Let an instance take over: at the second look a mark has stood still for no time at all."""
    with suppress(HeldError):
        instance.open()
    instance.open()


def kept(folder: Path, *records: Any) -> None:
    """Let an instance keep records, and end."""
    instance = warehouse(folder)
    instance.open()
    instance.keep(batch_of(*records))
    instance.close()


def goes_on(instance: Warehouse, records: list[Any]) -> None:
    """Let an instance keep what it does not have yet, a record at a time, as the reader does."""
    positions = instance.open()
    for record in records:
        known = positions.get(record.partition)
        if known is None or record.offset >= known.following:
            instance.keep(batch_of(record))


def some_records(at_ms: int = PAST_MS) -> list[Any]:
    """Give an account, two charges and an adjustment."""
    partition = Partition()
    partition.publish("account", at_ms=at_ms)
    partition.publish("chargeable-event", at_ms=at_ms)
    partition.publish("adjustment", at_ms=at_ms)
    partition.publish("chargeable-event", at_ms=at_ms, version=2)
    return partition.records


def places_of(records: list[Any]) -> Rows:
    """Give partitions and offsets of records."""
    return sorted((record.partition, record.offset) for record in records)


def rows_in(folder: Path) -> Rows:
    """Give partitions and offsets of all rows that count, without asking a view."""
    paths = [str(folder / path) for path in read_commits(folder).paths()]
    if not paths:
        return []
    found = duckdb.execute(
        "SELECT topic_partition, topic_offset FROM read_parquet($paths, union_by_name = true)",
        {"paths": paths},
    )
    return sorted(found.fetchall())


def strangers_in(folder: Path) -> set[str]:
    """Name the files of rows that do not count, and those that were not finished."""
    there = {file for file in folder.rglob("*") if file.is_file()}
    commits = {file for file in there if file.match("commits/[1-9]*.json")}
    lying = {file.relative_to(folder).as_posix() for file in there - commits}
    return lying - set(read_commits(folder).paths()) - {"holder.json"}
