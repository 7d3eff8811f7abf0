"""The warehouse as the reader of business transactions sees it: a place to keep images.

Rows wait a while, then become files, and one commit says that the files count and how far they go.
What is in no commit never happened: it is read again, and its files are deleted.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from streams.subscribers.errors import FencedError, HeldError, StoreError
from streams.subscribers.images import Batch, Progress
from streams.subscribers.warehouse.disk import Disk
from streams.subscribers.warehouse.files import Files, Made
from streams.subscribers.warehouse.holder import Holder
from streams.subscribers.warehouse.layout import DataFile
from streams.subscribers.warehouse.log import Log
from streams.subscribers.warehouse.merging import Merging
from streams.subscribers.warehouse.waiting import Waiting

ROWS_MAX = 50_000

_log = logging.getLogger(__name__)


class Warehouse:
    """One instance; a Store of the reader. Its calls come from one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        lease_s: float,
        flush_s: float,
        rows_max: int = ROWS_MAX,
        disk: Disk | None = None,
    ) -> None:
        """Say where it is, and how long and how many rows may wait."""
        disk = Disk() if disk is None else disk
        self._folder = folder
        self._log = Log(folder, disk)
        self._holder = Holder(folder, disk, lease_s)
        self._files = Files(folder, disk)
        self._waiting = Waiting(flush_s, rows_max)
        self._merging = Merging()
        self._is_open = False

    def open(self) -> Mapping[int, Progress]:
        """Take over, unless it is ours already, and delete what no commit names."""
        self._waiting.clear()
        with self._guarded():
            if self._is_open and self._log.is_ours():
                self._holder.beat()
            else:
                self._take_over()
                self._is_open = True
        return dict(self._log.standing.progress)

    def keep(self, batch: Batch) -> None:
        """Have rows wait; write them, or merge a few files, where it is time to."""
        assert self._is_open
        with self._guarded():
            self._log.check()
            self._holder.beat()
            self._waiting.add(batch)
            if self._waiting.is_due:
                self._flush()
            else:
                self._merge()

    def close(self) -> None:
        """Write what waits, and leave."""
        try:
            if self._is_open:
                with self._guarded():
                    self._flush()
                    self._holder.leave()
        except (StoreError, FencedError, HeldError) as error:
            _log.warning("adjust dwh: what waited is read again: %s", error)
        finally:
            self._is_open = False
            self._files.close()

    def _take_over(self) -> None:
        self._log.make_folder()
        if not self._holder.is_free():
            raise HeldError(f"waits: another instance is at work on {self._folder}")
        with self._log.alone():
            self._log.take_over()
            self._files.clear(self._log.standing.paths())
        self._holder.take()
        self._merging = Merging()

    def _flush(self) -> None:
        if self._waiting.is_empty:
            return
        files: list[DataFile] = []
        made: list[Made] = []
        for file, lines in self._waiting.files():
            made.append(self._files.write(file, lines))
            files.append(file)
        self._commit(made, files, [], self._waiting.progress)
        self._merging.note(files)
        self._waiting.clear()

    def _merge(self) -> None:
        old = self._merging.choose(self._log.standing, self._files.size_of)
        if old is None:
            return
        try:
            file, made = self._files.merge(old)
        except duckdb.Error as error:
            self._merging.leave(old)
            _log.warning("adjust dwh leaves small files as they are: %s", _reason(error))
            return
        self._commit([made], [file], old, {})
        with suppress(HeldError), self._log.alone():
            self._log.check()
            self._files.remove(old)

    def _commit(
        self,
        made: list[Made],
        files: list[DataFile],
        removed: list[DataFile],
        progress: dict[int, Progress],
    ) -> None:
        self._files.settle(made)
        added, gone = ([file.path for file in each] for each in (files, removed))
        try:
            self._log.add(added, gone, progress)
        except FencedError:
            with suppress(HeldError, OSError), self._log.alone():
                self._files.take_back(made)
            raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Give the store up where anything goes wrong: what waits is read again."""
        is_done = False
        try:
            yield
            is_done = True
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be used: {_reason(error)}") from error
        except duckdb.Error as error:
            raise StoreError(f"{self._folder} cannot be written: {_reason(error)}") from error
        finally:
            if not is_done:
                self._is_open = False
                self._waiting.clear()
                self._files.close()


def _reason(error: OSError | duckdb.Error) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return text.partition("\n")[0]
