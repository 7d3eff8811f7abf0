"""The files of rows: each is written under another name, and put in place when it is finished."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from streams.subscribers.errors import StoreError
from streams.subscribers.warehouse.disk import Disk, is_part, part_in
from streams.subscribers.warehouse.layout import TABLES, DataFile
from streams.subscribers.warehouse.parquet import Parquet


class Made(NamedTuple):
    """A file that is in place, and in no commit yet."""

    path: Path
    inode: int


class Files:
    """Writes and deletes files of rows. Raises OSError, duckdb.Error, StoreError."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Say where they are."""
        self._folder = folder
        self._disk = disk
        self._parquet = Parquet()

    def write(self, file: DataFile, lines: Iterable[bytes]) -> Made:
        """Write rows that come as lines."""

        def fill(part: Path) -> None:
            written = part_in(part.parent)
            self._disk.write(written, lines)
            self._parquet.write(file.place.table, written, part)
            self._disk.remove(written)

        return self._make(file, fill)

    def merge(self, files: list[DataFile]) -> tuple[DataFile, Made]:
        """Write the rows of files that follow one another into one."""
        place = files[0].place
        merged = DataFile(place, files[0].first, files[-1].last)
        sources = [self._folder / file.path for file in files]
        made = self._make(merged, lambda part: self._parquet.merge(place.table, sources, part))
        return merged, made

    def settle(self, made: Iterable[Made]) -> None:
        """Have the names of files outlast a loss of power."""
        for folder in sorted({path.parent for path, _ in made}):
            self._disk.sync(folder)

    def size_of(self, file: DataFile) -> int:
        """Give the bytes that a file takes."""
        return (self._folder / file.path).stat().st_size

    def remove(self, files: Iterable[DataFile]) -> None:
        """Delete files that no commit names any more."""
        for file in files:
            self._disk.remove(self._folder / file.path)

    def take_back(self, made: Iterable[Made]) -> None:
        """Delete files that no commit will name, unless others have made some of that name."""
        for path, inode in made:
            if path.exists() and path.stat().st_ino == inode:
                self._disk.remove(path)

    def clear(self, named: Collection[str]) -> None:
        """Delete files that no commit names. Raises StoreError where one that is named is missing.

        What others may have put beside them stays.
        """
        missing = set(named)
        for folder in (day for table in TABLES for day in self._folder.glob(f"{table}/date=*")):
            for file in list(folder.iterdir()):
                path = file.relative_to(self._folder).as_posix()
                if path in missing:
                    missing.remove(path)
                elif is_part(file.name) or DataFile.at(path):
                    self._disk.remove(file)
            if not any(folder.iterdir()):
                folder.rmdir()
        if missing:
            raise StoreError(f"{self._folder / min(missing)} is missing, and a commit names it.")

    def close(self) -> None:
        """End the writer."""
        self._parquet.close()

    def _make(self, file: DataFile, fill: Callable[[Path], None]) -> Made:
        path = self._folder / file.path
        self._disk.make_folder(path.parent)
        part = part_in(path.parent)
        fill(part)
        self._disk.sync(part)
        made = Made(path, part.stat().st_ino)
        self._disk.put(part, path)
        self._disk.remove(part)
        return made
