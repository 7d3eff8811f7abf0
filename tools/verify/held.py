"""What a store holds, as digests: small enough for all rows of a whole topic."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from tools.verify.rows import ADDRESS, Row, digest

_SIZE = 16  # bytes of a digest


class AbsentError(Exception):
    """There is no such store; the text says where it was looked for."""


class Meeting(NamedTuple):
    """How many rows say that they come from a record, and how many say what it says."""

    rows: int
    right: int


class Held:
    """The rows of one table, by the record that each says it comes from."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Begin without rows; these columns of them are compared."""
        self.columns = tuple(columns)
        self.count = 0
        self.placeless = 0  # rows that name no record at all
        self._take = itemgetter(*self.columns)
        self._partitions: dict[int, _Partition] = {}

    def add(self, values: Mapping[str, Any]) -> None:
        """Add a row of the store, in any order."""
        self.count += 1
        partition, offset = (values[name] for name in ADDRESS)
        if not isinstance(partition, int) or not isinstance(offset, int):
            self.placeless += 1
            return
        self._partitions.setdefault(partition, _Partition()).add(offset, self._digest(values))

    def meet(self, row: Row) -> Meeting:
        """Look for the rows of a record. Records come in the order of their partition."""
        at = self._partitions.get(row.partition)
        return at.meet(row.offset, self._digest(row.values)) if at else Meeting(0, 0)

    def strays(self) -> Iterator[tuple[int, int]]:
        """Give partition and offset of all rows whose record did not come."""
        for partition, at in self._partitions.items():
            yield from ((partition, offset) for offset in at.strays())

    def _digest(self, values: Mapping[str, Any]) -> bytes:
        return digest(self._take(values))


class Store(Protocol):
    """One moment of a place where business transactions are kept."""

    name: str

    @property
    def following(self) -> Mapping[int, int]:
        """The offset after the last record that was kept, by partition."""

    @property
    def seqs(self) -> Mapping[int, int | None]:
        """The seq of that record, by partition."""

    @property
    def tables(self) -> Mapping[str, Held]:
        """All rows."""

    @property
    def absent_columns(self) -> Sequence[str]:
        """The columns that are not there, as table.column."""

    def at(self, table: str, partition: int, offset: int) -> Sequence[Mapping[str, Any]]:
        """Look up the rows that say they come from a record, for what is said of them."""


class _Partition:
    """Digests in the order of offsets, and how far the topic was followed."""

    def __init__(self) -> None:
        self._offsets, self._digests = array("q"), bytearray()
        self._is_sorted = False
        self._next = 0
        self._passed = array("q")

    def add(self, offset: int, row: bytes) -> None:
        self._offsets.append(offset)
        self._digests += row

    def meet(self, offset: int, row: bytes) -> Meeting:
        self._pass(until=offset)
        first = self._next
        while self._next < len(self._offsets) and self._offsets[self._next] == offset:
            self._next += 1
        found = [self._digests[_SIZE * n : _SIZE * (n + 1)] for n in range(first, self._next)]
        return Meeting(len(found), found.count(bytearray(row)))

    def strays(self) -> Iterator[int]:
        self._sort()
        yield from self._passed
        yield from self._offsets[self._next :]

    def _pass(self, until: int) -> None:
        self._sort()
        while self._next < len(self._offsets) and self._offsets[self._next] < until:
            self._passed.append(self._offsets[self._next])
            self._next += 1

    def _sort(self) -> None:
        if self._is_sorted:
            return
        order = sorted(range(len(self._offsets)), key=self._offsets.__getitem__)
        self._digests = bytearray(
            b"".join(self._digests[_SIZE * n : _SIZE * (n + 1)] for n in order)
        )
        self._offsets = array("q", sorted(self._offsets))
        self._is_sorted = True
