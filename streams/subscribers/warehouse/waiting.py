"""What was read and is in no file yet."""

import time
from dataclasses import dataclass, field

from streams.subscribers.images import Batch, Image, Progress, SetAside
from streams.subscribers.warehouse.layout import SET_ASIDE, DataFile, Place, day_of
from streams.subscribers.warehouse.tables import line_of

BYTES_MAX = 64 * 2**20  # of lines


@dataclass
class _Rows:
    """Rows of one file to be."""

    first: int
    last: int
    lines: list[bytes] = field(default_factory=list)


class Waiting:
    """Rows by the place where they will lie, and the progress that they make."""

    def __init__(self, flush_s: float, rows_max: int) -> None:
        """Say how long and how many may wait."""
        self._flush_s = flush_s
        self._rows_max = rows_max
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._rows: dict[Place, _Rows] = {}
        self._count = self._bytes = 0
        self._since = 0.0
        self.progress: dict[int, Progress] = {}

    def add(self, batch: Batch) -> None:
        """Have rows wait that were read."""
        if not self._count:
            self._since = time.monotonic()
        for image in batch.images:
            self._add(image.entity, image)
        for record in batch.set_aside:
            self._add(SET_ASIDE, record)
        self.progress |= batch.positions

    @property
    def is_empty(self) -> bool:
        """Whether no row waits."""
        return not self._count

    @property
    def is_due(self) -> bool:
        """Whether it is time to write files."""
        return self._count > 0 and (
            self._count >= self._rows_max
            or self._bytes >= BYTES_MAX
            or time.monotonic() - self._since >= self._flush_s
        )

    def files(self) -> list[tuple[DataFile, list[bytes]]]:
        """Give the lines of each file to be."""
        return [
            (DataFile(place, rows.first, rows.last), rows.lines)
            for place, rows in self._rows.items()
        ]

    def _add(self, table: str, row: Image | SetAside) -> None:
        place = Place(table, day_of(row.timestamp_ms), row.partition)
        rows = self._rows.get(place)
        if rows is None:
            rows = self._rows[place] = _Rows(row.offset, row.offset)
        line = line_of(row)
        rows.lines.append(line)
        rows.last = row.offset
        self._count += 1
        self._bytes += len(line)
