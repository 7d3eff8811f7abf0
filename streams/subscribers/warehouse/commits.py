"""The log of commits: which files count, and how far the topic was read for them.

A commit is a file `<n>.json`, and only one process can ever make number n. So an instance that was
taken over, however long it slept, finds the next number made by somebody else and stops. From time
to time a commit names all files; those before the last such one are deleted.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from streams.subscribers.errors import StoreError
from streams.subscribers.images import Progress
from streams.subscribers.warehouse.disk import is_part
from streams.subscribers.warehouse.layout import DataFile, Place

FOLDER = "commits"
_NAME = re.compile(r"([1-9][0-9]*)\.json")
_TRIES = 3


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit says."""

    n: int
    is_whole: bool = msgspec.field(name="all")  # whether `files` are all there are
    files: list[str]  # what is added
    removed: list[str]
    next: dict[int, int]  # the offset to go on from, of all partitions
    seq: dict[int, int | None]  # of the last business transaction
    digest: dict[int, str | None]  # of the last record, to see whether the topic still has it


@dataclass
class Standing:
    """What the commits come to."""

    n: int = 0
    whole_n: int = 0  # the last commit that names all files
    progress: dict[int, Progress] = field(default_factory=dict)
    files: defaultdict[Place, list[DataFile]] = field(default_factory=lambda: defaultdict(list))

    def apply(self, commit: Commit) -> None:
        """Go on by one commit. Raises StoreError."""
        self.n = commit.n
        if commit.is_whole:
            self.whole_n = commit.n
            self.files.clear()
        removed, added = (
            [_file(path, commit) for path in paths] for paths in (commit.removed, commit.files)
        )
        for file in removed:
            if file not in self.files[file.place]:
                raise StoreError(
                    f"Commit {commit.n} of the warehouse is damaged: no {file.path} yet."
                )
            self.files[file.place].remove(file)
        for file in added:
            self.files[file.place].append(file)
        for place in {file.place for file in (*removed, *added)}:
            self.files[place].sort(key=lambda file: file.first)
        self.progress = {
            partition: Progress(following, commit.seq.get(partition), commit.digest.get(partition))
            for partition, following in commit.next.items()
        }

    def of_table(self, table: str) -> list[DataFile]:
        """Give the files of a table, in the order of days, partitions and offsets."""
        places = sorted(place for place in self.files if place.table == table)
        return [file for place in places for file in self.files[place]]

    def paths(self) -> list[str]:
        """Name all files."""
        return [file.path for files in self.files.values() for file in files]


def read_commits(folder: Path) -> Standing:
    """Read how the warehouse stands, from the last commit that names all files on.

    Raises StoreError. Others may make commits meanwhile, and delete old ones.
    """
    for _ in range(_TRIES):
        try:
            return _standing(folder / FOLDER)
        except FileNotFoundError:
            continue
    raise StoreError(f"{folder / FOLDER} changes faster than it can be read.")


def numbers_in(commits: Path) -> list[int]:
    """Give the numbers that are made, in their order. Raises StoreError, FileNotFoundError."""
    names = [file.name for file in commits.iterdir() if not is_part(file.name)]
    for name in names:
        if not _NAME.fullmatch(name):
            raise StoreError(f"{commits / name} is no commit of the warehouse.")
    return sorted(int(name.removesuffix(".json")) for name in names)


def _standing(commits: Path) -> Standing:
    standing = Standing()
    if not commits.is_dir():
        return standing
    newest_first: list[Commit] = []
    for n in reversed(numbers_in(commits)):
        if newest_first and newest_first[-1].n != n + 1:
            raise StoreError(f"{commits / f'{n + 1}.json'} is missing.")
        newest_first.append(_load(commits, n))
        if newest_first[-1].is_whole:
            break
    if newest_first and not newest_first[-1].is_whole:
        raise StoreError(f"{commits / f'{newest_first[-1].n - 1}.json'} is missing.")
    for commit in reversed(newest_first):
        standing.apply(commit)
    return standing


def _load(commits: Path, n: int) -> Commit:
    file = commits / f"{n}.json"
    try:
        commit = msgspec.json.decode(file.read_bytes(), type=Commit)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{file} is damaged: {error}") from error
    if commit.n != n:
        raise StoreError(f"{file} is damaged: it is commit {commit.n}.")
    return commit


def _file(path: str, commit: Commit) -> DataFile:
    file = DataFile.at(path)
    if file is None:
        raise StoreError(f"Commit {commit.n} of the warehouse is damaged: no file is named {path}.")
    return file
