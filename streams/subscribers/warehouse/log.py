"""Makes commits, each number once, whoever tries."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from streams.subscribers.errors import FencedError, HeldError, StoreError
from streams.subscribers.images import Progress
from streams.subscribers.warehouse.commits import FOLDER, Commit, Standing, numbers_in, read_commits
from streams.subscribers.warehouse.disk import Disk, is_part, part_in

WHOLE_EVERY = 100  # commits: a longer log takes longer to open


class Log:
    """The log as its one writer has it."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Say where it is."""
        self._folder = folder
        self._commits = folder / FOLDER
        self._disk = disk
        self._last: object = None  # what tells the file of the last commit from any other
        self.standing = Standing()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else take over or delete. Raises HeldError while another does.

        Who deletes by name must know until it is done that the name is still one of its own.
        """
        descriptor = os.open(self._commits, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise self._held() from error
            yield
        finally:
            os.close(descriptor)

    def make_folder(self) -> None:
        """Make the folder of commits, if this is a new warehouse."""
        self._disk.make_folder(self._commits)

    def take_over(self) -> None:
        """Make a commit of nothing: from here on no other instance can make any.

        Raises HeldError if another one takes over at the same moment.
        """
        self.standing = read_commits(self._folder)
        self._last = self._identity(self.standing.n)
        try:
            self._enter(self._commit([], [], {}))
        except FencedError as error:
            raise self._held() from error
        for file in self._commits.iterdir():
            if is_part(file.name):
                self._disk.remove(file)

    def add(self, files: list[str], removed: list[str], progress: dict[int, Progress]) -> None:
        """Commit. Raises FencedError if another instance took over, StoreError if all is gone."""
        self.check()
        self._enter(self._commit(files, removed, progress))

    def is_ours(self) -> bool:
        """Whether nobody took over since. Raises StoreError if all is gone."""
        try:
            self.check()
        except FencedError:
            return False
        return True

    def check(self) -> None:
        """Look whether the log still is as we left it. Raises FencedError, StoreError."""
        n = self.standing.n
        if self._name(n + 1).exists():
            raise self._fenced()
        if self._identity(n) != self._last:
            raise self._lost()

    def _commit(
        self, files: list[str], removed: list[str], progress: dict[int, Progress]
    ) -> Commit:
        n = self.standing.n + 1
        is_whole = n == 1 or n - self.standing.whole_n >= WHOLE_EVERY
        if is_whole:
            files = sorted({*self.standing.paths(), *files} - {*removed})
        all_progress = self.standing.progress | progress
        return Commit(
            n=n,
            is_whole=is_whole,
            files=files,
            removed=[] if is_whole else removed,
            next={partition: each.following for partition, each in all_progress.items()},
            seq={partition: each.seq for partition, each in all_progress.items()},
            digest={partition: each.digest for partition, each in all_progress.items()},
        )

    def _enter(self, commit: Commit) -> None:
        self._make(commit)
        if self._identity(commit.n - 1) != self._last:
            self._take_back(commit)
        self._last = self._identity(commit.n)
        whole_before = self.standing.whole_n
        self.standing.apply(commit)
        if commit.is_whole:
            self._forget_before(whole_before)

    def _make(self, commit: Commit) -> None:
        part = part_in(self._commits)
        self._disk.write(part, [msgspec.json.encode(commit)])
        self._disk.sync(part)
        try:
            self._disk.put(part, self._name(commit.n))
        except FileExistsError as error:
            raise self._fenced() from error
        finally:
            self._disk.remove(part)
        self._disk.sync(self._commits)

    def _take_back(self, commit: Commit) -> None:
        """Undo a commit that does not follow our last.

        The number was made by others long ago and is deleted by now, the one before it first; or
        the whole log was deleted, and others began it anew.
        """
        self._disk.remove(self._name(commit.n))
        raise self._lost()

    def _forget_before(self, whole_n: int) -> None:
        """Delete what is older than the last but one commit that names all files, oldest first."""
        for n in numbers_in(self._commits):
            if n < whole_n:
                self._disk.remove(self._name(n))

    def _name(self, n: int) -> Path:
        return self._commits / f"{n}.json"

    def _identity(self, n: int) -> object:
        try:
            found = self._name(n).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _held(self) -> HeldError:
        return HeldError(f"waits: another instance is at work on {self._folder}")

    def _fenced(self) -> FencedError:
        return FencedError(f"another instance has taken over {self._folder}")

    def _lost(self) -> FencedError | StoreError:
        """Tell whether our last commit is gone because others made many since."""
        if self._commits.is_dir() and max(numbers_in(self._commits), default=0) > self.standing.n:
            return self._fenced()
        return StoreError(f"{self._folder} was deleted, or its commits were.")
