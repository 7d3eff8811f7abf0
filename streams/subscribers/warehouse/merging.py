"""Which files are to be merged next: a file of few rows costs as much to open as a large one."""

import time
from collections.abc import Callable, Iterable

from streams.subscribers.warehouse.commits import Standing
from streams.subscribers.warehouse.layout import DataFile, Place, today

CLOSED_BYTES_MAX = 16 * 2**20  # of what is merged at once: reading waits for a second
FILES_MIN = 2
OPEN_BYTES_MAX = 4 * 2**20
OPEN_FILES_MIN = 64  # a day that is not over is merged only where files have become many
QUIET_S = 60.0  # how long nothing was added to a day that is over: the past may still be read
_LOOK_S = 5.0  # between looks that find nothing


class Merging:
    """Knows where rows were added lately."""

    def __init__(self) -> None:
        """Begin, with every place quiet."""
        self._added: dict[Place, float] = {}
        self._left: set[Place] = set()
        self._look_at = 0.0

    def note(self, files: Iterable[DataFile]) -> None:
        """Rows were added."""
        now = time.monotonic()
        self._added |= {file.place: now for file in files}

    def leave(self, files: Iterable[DataFile]) -> None:
        """Never choose these again: one of them cannot be read, which must not stop the others."""
        self._left |= {file.place for file in files}

    def choose(
        self, standing: Standing, size_of: Callable[[DataFile], int]
    ) -> list[DataFile] | None:
        """Give files to merge now, that follow one another; None if there are none."""
        now = time.monotonic()
        if now < self._look_at:
            return None
        for place, files in standing.files.items():
            if len(files) < FILES_MIN or place in self._left:
                continue
            if run := self._run(place, files, size_of):
                return run
        self._look_at = now + _LOOK_S
        return None

    def _run(
        self, place: Place, files: list[DataFile], size_of: Callable[[DataFile], int]
    ) -> list[DataFile] | None:
        added = self._added.get(place)
        is_quiet = added is None or time.monotonic() - added >= QUIET_S
        if place.day < today() and is_quiet:
            return _first_run(files, size_of, FILES_MIN, CLOSED_BYTES_MAX)
        if len(files) >= OPEN_FILES_MIN:
            return _first_run(files, size_of, OPEN_FILES_MIN, OPEN_BYTES_MAX)
        return None


def _first_run(
    files: list[DataFile], size_of: Callable[[DataFile], int], files_min: int, bytes_max: int
) -> list[DataFile] | None:
    """Give the first files in a row that are enough, and together not too large."""
    run: list[DataFile] = []
    total = 0
    for file in files:
        size = size_of(file)
        if total + size > bytes_max:
            if len(run) >= files_min:
                return run
            run, total = [], 0
        run.append(file)
        total += size
    return run if len(run) >= files_min else None
