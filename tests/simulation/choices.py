"""Where every choice of a run comes from: a seed, or a plan in which nothing is left open."""

from random import Random
from typing import NamedTuple, Protocol

from streams.delivery.work import partition_of
from tests.simulation.ledger import INPUTS

FAULTS_MAX = 4
PAUSES = 0.5  # the fewer, the more seeds a second
KINDS = (  # as often as they stand here
    *("kill",) * 4,
    *("freeze",) * 3,
    *("lose", "cancel", "time-out", "compact", "hang"),
    *("lose-commit", "stop", "join") * 2,
    *("disk-lost", "disk-older", "disk-foreign", "tail-lost"),
)
FATES = ("lost", "late", "done")  # what becomes of what a killed worker had asked


class Fault(NamedTuple):
    """One fault: when, of what kind, to which worker; how long until it is mended."""

    at: int
    kind: str
    worker: int = 0
    fate: str = "done"
    mended_after: int = 0
    expires_after: int | None = None  # until its session runs out; None: when all is quiet
    since: int = 0  # what is put back was copied at this step


class Written(NamedTuple):
    """A record that somebody writes to an input, or a gap where value is None."""

    at: int
    topic: str
    partition: int
    key: bytes
    value: bytes | None
    timestamp: int


class Sizes(NamedTuple):
    """How much of everything."""

    partitions: int
    workers: int
    inputs: int


class Choices(Protocol):
    """What a run asks."""

    sizes: Sizes
    faults: list[Fault]
    written: list[Written]

    def turn(self, count: int) -> int:
        """Whose turn it is."""

    def pauses(self) -> bool:
        """Whether another may take its turn after a step that asks nobody."""

    def amount(self, low: int, high: int) -> int:
        """How much, from low to high."""

    def happens(self, percent: int) -> bool:
        """Whether something happens that may."""


class Seeded:
    """All from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed).random  # noqa: S311 - nothing is secret
        self.sizes = Sizes(self.amount(1, 3), self.amount(1, 3), self.amount(1, 2))
        records = self.amount(5, self.amount(5, 30))
        spread = self.amount(10, 25 * records)
        self.written = sorted(self._written(records, spread), key=lambda each: each.at)
        self.faults = [self._fault(spread + 150) for _ in range(self.amount(0, FAULTS_MAX))]

    def turn(self, count: int) -> int:
        """Whose turn it is."""
        return int(self.draw() * count)

    def pauses(self) -> bool:
        """Whether another may take its turn after a step that asks nobody."""
        return self.draw() < PAUSES

    def amount(self, low: int, high: int) -> int:
        """How much, from low to high."""
        return low + int(self.draw() * (high - low + 1))

    def happens(self, percent: int) -> bool:
        """Whether something happens that may."""
        return self.draw() * 100 < percent

    def _written(self, count: int, spread: int) -> list[Written]:
        partitions, _, inputs = self.sizes
        accounts = keys(partitions, 2)
        made: list[Written] = []
        for number in range(count):
            at, timestamp = self.amount(0, spread), self.amount(1, 999)
            if made and self.happens(20):
                again = made[self.amount(0, len(made) - 1)]
                made.append(again._replace(at=at, timestamp=timestamp))
                continue
            partition = self.amount(0, partitions - 1)
            key = accounts[partition][self.amount(0, 1)]
            value: bytes | None = b"r%d:%d" % (number, self.amount(-4, 6))
            if self.happens(8):
                value = b"nothing" if self.happens(50) else None
            if self.happens(6):
                partition = self.amount(0, partitions - 1)
            topic = INPUTS[self.amount(0, inputs - 1)]
            made.append(Written(at, topic, partition, key, value, timestamp))
        return made

    def _fault(self, span: int) -> Fault:
        at = self.amount(0, span)
        return Fault(
            at=at,
            kind=KINDS[self.turn(len(KINDS))],
            worker=self.amount(0, self.sizes.workers - 1),
            fate=FATES[self.turn(3)],
            mended_after=self.amount(0, 250),
            expires_after=self.amount(0, 250) if self.happens(60) else None,
            since=self.amount(0, at),
        )


class Fixed:
    """Turns go round, all that can be read is read; faults are told."""

    def __init__(self, sizes: Sizes, written: list[Written], faults: list[Fault]) -> None:
        self.sizes, self.written, self.faults = sizes, written, faults
        self.last = 0

    def turn(self, count: int) -> int:
        """The next."""
        self.last += 1
        return self.last % count

    def pauses(self) -> bool:
        """Always."""
        return True

    def amount(self, _low: int, high: int) -> int:
        """As much as there is."""
        return high

    def happens(self, _percent: int) -> bool:
        """Nothing by chance."""
        return False


_keys: dict[tuple[int, int], list[list[bytes]]] = {}


def keys(partitions: int, each: int) -> list[list[bytes]]:
    """So many accounts for each partition."""
    found = _keys.get((partitions, each))
    if found is None:
        found = _keys[partitions, each] = [[] for _ in range(partitions)]
        number = 0
        while min(map(len, found)) < each:
            key = b"a%d" % number
            if len(mine := found[partition_of(key, partitions)]) < each:
                mine.append(key)
            number += 1
    return found
