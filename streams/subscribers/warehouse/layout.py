"""Where rows lie: a file for rows of one table, day and partition, named for its first and last."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self

from streams.subscribers.images import ENTITIES, TOPIC

SET_ASIDE = "set_aside"
TABLES = (*ENTITIES, SET_ASIDE)

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_LAST_DAY = (date.max - _EPOCH).days
_NUMBER = "(0|[1-9][0-9]*)"
_PATH = re.compile(
    f"({'|'.join(TABLES)})/date=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})"
    f"/{TOPIC}-{_NUMBER}-{_NUMBER}-{_NUMBER}\\.parquet"
)


class Place(NamedTuple):
    """What the rows of one file have in common."""

    table: str
    day: str  # YYYY-MM-DD
    partition: int


class DataFile(NamedTuple):
    """A file of rows, by its name."""

    place: Place
    first: int  # offsets
    last: int

    @property
    def path(self) -> str:
        """Where it lies in the warehouse."""
        table, day, partition = self.place
        return f"{table}/date={day}/{TOPIC}-{partition}-{self.first}-{self.last}.parquet"

    @classmethod
    def at(cls, path: str) -> Self | None:
        """Read a name; None where no file of rows has such a one."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        table, day, *numbers = found.groups()
        partition, first, last = map(int, numbers)
        return cls(Place(table, day, partition), first, last)


def day_of(timestamp_ms: int) -> str:
    """Give the UTC date of a record, or the nearest that can be written if its time is nonsense."""
    return _day(timestamp_ms // _DAY_MS)


def today() -> str:
    """Give the day that is not over yet."""
    return datetime.now(UTC).date().isoformat()


@lru_cache
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=min(max(number, 0), _LAST_DAY))).isoformat()
