"""Opens the local stores of workers, also of running ones, and reads them as they lie there."""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rocksdict import AccessType, Options, Rdict

_MARK, _NEXT = b"\0mark", b"\0next\0"
_NAME = re.compile("unit-([0-9]+)[.]db")


class UnitStore:
    """One store at one moment; a running worker goes on meanwhile, beside it."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises LookupError that says why it cannot be read."""
        self.name = f"{path.parent.name}/{path.name}"
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
            raise LookupError(f"{path}: {str(error).splitlines()[0]}") from error

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
        for key, row in self._database.items(from_key=prefix):
            if not key.startswith(prefix):
                return
            yield key, row


class Workers:
    """The stores of all workers, by partition number, and what is said of those not compared."""

    def __init__(self, homes: Sequence[Path], cluster: str) -> None:
        """Look for them. Only stores of this cluster are compared."""
        self.notes: list[str] = []
        self._cluster = cluster
        self._paths: dict[int, list[Path]] = {}
        self._open: list[UnitStore] = []
        for path in sorted({path.resolve() for home in homes for path in home.glob("worker-*/*")}):
            if found := _NAME.fullmatch(path.name):
                self._paths.setdefault(int(found[1]), []).append(path)
        if not self._paths:
            where = ", ".join(str(home) for home in homes)
            self.notes.append(f"Workers: no local store is in {where}, and none was compared.")

    def open(self, number: int) -> list[UnitStore]:
        """Open the stores of a partition number."""
        self.close()
        for path in self._paths.get(number, []):
            try:
                unit = UnitStore(path)
            except LookupError as reason:
                self.notes.append(
                    f"Workers: a store cannot be read, and was not compared: {reason}"
                )
                continue
            self._open.append(unit)
            if unit.cluster not in {"", self._cluster}:
                self.notes.append(f"Workers: {unit.name} is of another cluster; not compared.")
        return [unit for unit in self._open if unit.cluster == self._cluster]

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
