"""Opens the local stores of workers, also of running ones, and reads them as they lie there."""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rocksdict import AccessType, Options, Rdict

from tools.verify.standing import Kind, Looked, Standing, UnreadableError

OPENS_MAX = 3  # a running worker may delete a file that its list still named
_OWN = b"\0"  # keys of what a store says of itself begin so
_MARK, _NEXT = b"\0mark", b"\0next\0"
_NAME = re.compile("unit-([0-9]+)[.]db")
_UNCHECKED = "unchecked"  # a worker leaves this in a store that it may not trust, until it checked
_CONTENTS = ("CURRENT", "*.sst", "*.log")  # a store that is being made has none of these yet


class UnitStore:
    """One store at one moment; a running worker goes on meanwhile, beside it."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises UnreadableError."""
        self.name = name_of(path)
        self._aside = tempfile.TemporaryDirectory(prefix="adjust-verify-")
        options, access = Options(raw_mode=True), AccessType.secondary(self._aside.name)
        try:
            self._database: Any = Rdict(str(path), options=options, access_type=access)
            self.following = {
                key[len(_NEXT) :].decode(): int(row) for key, row in self._from(_NEXT)
            }
            mark = self._database.get(_MARK)
            self.cluster = json.loads(mark)["cluster"] if mark else ""
        except Exception as error:
            self._aside.cleanup()
            raise _unreadable(path, error) from error
        self._path = path

    def has_rows(self) -> bool:
        """Whether there is any row of a table. Raises UnreadableError."""
        return any(not key.startswith(_OWN) for key, _ in self._from(b""))

    def rows(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Give the rows of a table, with their keys."""
        prefix = table.encode() + b"\0"
        for key, row in self._from(prefix):
            yield key[len(prefix) :], row

    def close(self) -> None:
        """Let go of it."""
        self._database.close()
        self._aside.cleanup()

    def _from(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        rows = self._database.items(from_key=prefix)
        while True:
            try:
                key, row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise _unreadable(self._path, error) from error
            if not key.startswith(prefix):
                return
            yield key, row


class Workers:
    """The stores of all workers, by partition number, and those that could not be compared."""

    def __init__(self, homes: Sequence[Path], cluster: str) -> None:
        """Look for them. Only stores of this cluster are compared."""
        self.others: list[Looked] = []
        self._cluster = cluster
        self._paths: dict[int, list[Path]] = {}
        self._open: list[UnitStore] = []
        for home in homes:
            found = [*_stores(home)]
            for number, path in found:
                self._paths.setdefault(number, []).append(path)
            if not found:
                text = f"Workers: no local store is in {home}, and none was compared."
                self.others.append(Looked(Kind.WORKER, str(home), Standing.ABSENT, text=text))

    def open(self, number: int) -> list[UnitStore]:
        """Open the stores of a partition number, and give those that can be compared."""
        self.close()
        units = []
        for path in self._paths.get(number, []):
            standing, why = self._look(path)
            if standing is None:
                units.append(self._open[-1])
                continue
            what = "unreadable" if standing is Standing.UNREADABLE else standing
            text = f"Workers: {name_of(path)} is {what}, and was not compared{why}."
            self.others.append(Looked(Kind.WORKER, name_of(path), standing, text=text))
        return units

    def _look(self, path: Path) -> tuple[Standing | None, str]:
        """Open a store, or give why it is not to be compared."""
        if standing := _not_there(path):
            return standing, ""
        try:
            unit = _opened(path)
            self._open.append(unit)
            if unit.cluster:
                return (None, "") if unit.cluster == self._cluster else (Standing.FOREIGN, "")
            if not unit.has_rows():
                return Standing.EMPTY, ""
        except UnreadableError as reason:
            return Standing.UNREADABLE, f": {reason}"
        return Standing.UNREADABLE, ": it has rows, and no mark that says which ones"

    def close(self) -> None:
        """Let go of those that are open."""
        while self._open:
            self._open.pop().close()

    def __enter__(self) -> Self:
        """Close in the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, whatever happened."""
        self.close()


def name_of(path: Path) -> str:
    """Name a store as a reader of the report would look for it."""
    return f"{path.parent.name}/{path.name}"


def _not_there(path: Path) -> Standing | None:
    """Why there is nothing in a folder that could be compared."""
    if not path.exists():
        return Standing.ABSENT
    if (path / _UNCHECKED).exists():
        return Standing.DISTRUSTED
    is_begun = any(file for name in _CONTENTS for file in path.glob(name))
    return None if is_begun else Standing.EMPTY


def _stores(home: Path) -> Iterator[tuple[int, Path]]:
    for path in sorted({path.resolve() for path in home.glob("worker-*/*")}):
        if found := _NAME.fullmatch(path.name):
            yield int(found[1]), path


def _opened(path: Path) -> UnitStore:
    """Open a store, more than once if need be. Raises UnreadableError."""
    for _ in range(OPENS_MAX - 1):
        try:
            return UnitStore(path)
        except UnreadableError:
            continue
    return UnitStore(path)


def _unreadable(path: Path, error: Exception) -> UnreadableError:
    return UnreadableError(f"{path}: {str(error).splitlines()[0]}")
