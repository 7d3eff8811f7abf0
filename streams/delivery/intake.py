"""What a unit was given and has not decided: the two gates of delivery, and the queue behind them.

Law: each fetch is asked for the offsets up to which the units were given records, so a fetch that
is lost, cancelled or repeated makes no hole; a slice that does not join the state ends the process.
Knows no Faust, Kafka or clock, as `protocol`.
"""

from collections import deque
from collections.abc import Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from streams.delivery.errors import Fatal

RECORDS_MAX = 1000  # records in one transaction, and in one slice
WAITING_MAX = 2 * RECORDS_MAX  # a unit with more than this waiting is left out of the fetch
BYTES_MAX = 8 << 20  # bytes of values in one transaction, and in one slice
WAITING_BYTES_MAX = 4 * BYTES_MAX


Partition = TypeVar("Partition", bound=Hashable)  # however the caller names one of a topic


class Fetched(NamedTuple):
    """What one fetch brought of one input: the records of the offsets [start, end)."""

    start: int
    records: list[Any]
    end: int


class Slice(NamedTuple):
    """The records of the offsets [start, end) of one input; offsets may have holes."""

    topic: str
    start: int
    records: list[Any]
    end: int
    take_over: int
    size: int = 0  # bytes of the values


def misplaced(
    want: Mapping[Partition, int], positions: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Where to seek before a fetch: a cancelled one may have moved the consumer's own position."""
    return {place: at for place, at in want.items() if positions[place] != at}


def moved(
    want: Mapping[Partition, int],
    got: Mapping[Partition, list[Any]],
    positions: Mapping[Partition, int],
) -> dict[Partition, Fetched]:
    """What a fetch brought. Positions tell how far, not records: the tail may be holes."""
    return {
        place: Fetched(at, got.get(place, []), positions[place])
        for place, at in want.items()
        if positions[place] != at
    }


@dataclass(frozen=True)
class Queue:
    """Put a slice into the queue that leads to `receive`. Answer: whether it is gone."""

    part: Slice


@dataclass(frozen=True)
class HandOver:
    """The slice is on its way: the unit's next fetch begins behind it."""

    part: Slice


def deliver(
    flow: "Flow", topic: str, fetched: Fetched, take_over: int
) -> Generator[Queue | HandOver, Any, None]:
    """Pass on what was fetched under a take-over, for as long as this one lasts.

    A rebalance may begin while a slice waits for its place in the queue. Arrived or not, it is not
    handed over then: units start again from the state.
    """
    for part in cut(topic, *fetched, take_over):
        if not flow.passes(take_over):
            return
        is_gone = yield Queue(part)
        if is_gone or not flow.passes(take_over):
            return
        yield HandOver(part)


def cut(topic: str, start: int, records: list[Any], end: int, take_over: int) -> Iterator[Slice]:
    """What one fetch returned, in slices that join and are within the bounds of a transaction."""
    held: list[Any] = []
    size = 0
    for record in records:
        length = len(record.value or b"")
        if held and (len(held) == RECORDS_MAX or size + length > BYTES_MAX):
            yield Slice(topic, start, held, record.offset, take_over, size)
            start, held, size = record.offset, [], 0
        held.append(record)
        size += length
    yield Slice(topic, start, held, end, take_over, size)


def unread(next_offset: int, part: Slice) -> list[Any]:
    """The records of a slice that are not decided yet. Raises Fatal at a hole."""
    if part.start > next_offset:
        raise Fatal(f"{part.topic}: the state is at {next_offset}, [{part.start}, {part.end}) came")
    if part.start == next_offset:
        return part.records
    return [record for record in part.records if record.offset >= next_offset]


@dataclass
class Intake:
    """What one unit was given and has not decided. The second of the two gates of delivery."""

    is_open: bool = False
    take_over: int = 0
    waiting: int = 0  # records on their way or queued
    waiting_bytes: int = 0
    given: dict[str, int] = field(default_factory=dict)  # of each input: handed over up to here
    queue: deque[tuple[Slice, Any]] = field(default_factory=deque)

    def open(self, take_over_number: int, next_: Mapping[str, int]) -> None:
        """Begin to serve, at the offsets of the state."""
        self.is_open, self.take_over, self.given = True, take_over_number, dict(next_)

    def close(self) -> list[Any]:
        """Stop serving. What was only queued is dropped and fetched again; answers its tickets."""
        tickets = [ticket for _, ticket in self.queue]
        self.is_open, self.given = False, {}
        self.waiting = self.waiting_bytes = 0
        self.queue.clear()
        return tickets

    def wanted(self) -> dict[str, int]:
        """What to fetch: {topic: offset}."""
        has_room = self.waiting < WAITING_MAX and self.waiting_bytes < WAITING_BYTES_MAX
        return self.given if self.is_open and has_room else {}

    def hand_over(self, part: Slice) -> None:
        """A slice is on its way to `receive`."""
        self.given[part.topic] = part.end
        self.waiting += len(part.records)
        self.waiting_bytes += part.size

    def receive(self, part: Slice, ticket: Any) -> bool:
        """Queue a slice; False if it belongs to an earlier take-over and is dropped."""
        if not self.is_open or part.take_over != self.take_over:
            return False
        self.queue.append((part, ticket))
        return True

    def take(self) -> list[tuple[Slice, Any]]:
        """What the next transaction decides: all that is queued, within the bounds of one."""
        taken: list[tuple[Slice, Any]] = []
        count = size = 0
        while self.queue:
            part = self.queue[0][0]
            count, size = count + len(part.records), size + part.size
            if taken and (count > RECORDS_MAX or size > BYTES_MAX):
                break
            taken.append(self.queue.popleft())
        return taken

    def oldest_ms(self) -> int | None:
        """Timestamp of the oldest queued record, milliseconds since 1970."""
        return next((part.records[0].timestamp for part, _ in self.queue if part.records), None)

    def done(self, taken: list[tuple[Slice, Any]]) -> None:
        """A transaction decided these."""
        self.waiting -= sum(len(part.records) for part, _ in taken)
        self.waiting_bytes -= sum(part.size for part, _ in taken)


@dataclass
class Flow:
    """The first gate of delivery: nothing flows from a rebalance's start to its very end."""

    take_over: int = 0
    is_flowing: bool = False

    def stop(self) -> None:
        """A rebalance starts."""
        self.is_flowing = False

    def begin_take_over(self) -> int:
        """Partitions were assigned: whatever an earlier take-over fetched is void."""
        self.is_flowing = False
        self.take_over += 1
        return self.take_over

    def resume(self, take_over_number: int) -> None:
        """The rebalance of this take-over is complete; a later one may have begun meanwhile."""
        if take_over_number == self.take_over:
            self.is_flowing = True

    def passes(self, take_over_number: int) -> bool:
        """Whether what was fetched under this take-over may be handed over now."""
        return self.is_flowing and take_over_number == self.take_over


def check_owned(partitions: Mapping[int, int], inputs: int) -> None:
    """Raises Fatal unless all inputs of each owned partition number came together."""
    torn = [number for number, count in partitions.items() if count != inputs]
    if torn:
        raise Fatal(f"the inputs of partitions {sorted(torn)} are assigned to different workers")
