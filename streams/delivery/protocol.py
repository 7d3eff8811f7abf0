"""When a unit fences, reads, sends, commits, writes, drops and dies: no I/O and no clock.

Theory of operation. A *unit* is one partition number: its inputs, its state, its outputs.

What goes in: the answers to the steps below.
What comes out: steps. `take_over` and `transaction` are generators: each `yield` names one thing
to be done outside, the caller does it and sends the answer back. The worker carries steps out on
Kafka and RocksDB; a simulation can carry out the same on a model and stop between any two.

What is always true:

1. The state says where to read. `Progress` is a row of the state, written in the transaction that
   it speaks of; no other offset counts.
2. A unit serves only after it has fenced the former owner and read all that this one committed.
3. Rows reach the local store only after their transaction was committed.
4. Whatever is not foreseen raises `Fatal` (or anything else) and ends the process. The next start
   reads the truth from the broker.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from streams.delivery.errors import Fatal

LINE_MAX = 64  # take-overs that a progress row remembers
STABLE_TRIES, STABLE_PAUSE_S = 60, 0.5  # how long an open transaction may hide changelog rows
END_REPEATABLE = frozenset(
    {"NotCoordinatorError", "CoordinatorNotAvailableError", "CoordinatorLoadInProgressError"}
)


class Mark(msgspec.Struct, frozen=True):
    """Which commit the rows of a local store reach at most: made by whom, and in which cluster."""

    take_over: str
    commit: int
    cluster: str


class Progress(msgspec.Struct, frozen=True):
    """One row of the state: how far its unit has come. Written with every transaction."""

    cluster: str
    topics: dict[str, str]  # the cluster's id of each input and changelog
    next: dict[str, int] = {}  # of each input: the next offset to read
    seq: dict[str, int] = {}  # of each output: how many records were written
    written: dict[str, int] = {}  # of each topic: the end that earlier commits have seen
    commit: int = 0
    line: tuple[tuple[str, int], ...] = ()  # (take-over, its first commit), oldest first

    @property
    def mark(self) -> Mark:
        """What a store that holds all of this is marked with."""
        return Mark(self.line[-1][0], self.commit, self.cluster)


class Span(NamedTuple):
    """What a log holds: [begin, end); records from `stable` on belong to an open transaction."""

    begin: int
    stable: int
    end: int


class Ends(NamedTuple):
    """All logs of one partition number, by topic, and who keeps them."""

    inputs: dict[str, Span]
    outputs: dict[str, Span]
    changelogs: dict[str, Span]
    cluster: str
    topics: dict[str, str]


class Local(NamedTuple):
    """What the local store says of itself: its mark, and the next offset of each changelog."""

    mark: Mark | None
    next: dict[str, int]
    damage: str | None = None  # why it cannot be trusted


Place = tuple[str, int]  # topic, partition


class Writes(NamedTuple):
    """What one transaction writes."""

    out: Mapping[Place, Any]  # the records for each place, the progress row's among them
    rows: Mapping[bytes, Sequence[tuple[bytes, bytes | None]]]  # the changed rows of each table
    changelogs: frozenset[str]


# The steps. Each says what it answers with, where it does.


@dataclass(frozen=True)
class Fence:
    """End the former owner's transaction; from here on each of its calls fails."""


@dataclass(frozen=True)
class ReadEnds:
    """Ask the broker for the ends of all logs. Answer: Ends."""


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float
    why: str


@dataclass(frozen=True)
class ReadProgress:
    """Find the newest progress row in its changelog. Answer: Progress | None."""


@dataclass(frozen=True)
class ReadOutput:
    """Look for a committed record in the outputs. Answer: whether there is one."""


@dataclass(frozen=True)
class ReadLocal:
    """Open the local store. Answer: Local."""


@dataclass(frozen=True)
class DropStore:
    """Delete the local store; the changelogs are the truth."""

    why: str


@dataclass(frozen=True)
class WriteMark:
    """Mark the local store before rows are replayed into it."""

    mark: Mark


@dataclass(frozen=True)
class Replay:
    """Read changelogs from `start` to `end` into the local store. Answer: how many rows.

    The store then reaches the last of them, never `end`: where only markers are today, rows may
    stand once brokers that lost their tails have come back with other ones.
    """

    start: dict[str, int]
    end: dict[str, int]


@dataclass(frozen=True)
class Begin:
    """Begin a transaction over these (topic, partition)."""

    places: tuple[Place, ...]


@dataclass(frozen=True)
class Send:
    """Send the records of one (topic, partition)."""

    place: Place
    records: Any


@dataclass(frozen=True)
class Confirm:
    """Wait until the broker has every record. Answer: {topic: next offset} of the own partition."""


@dataclass(frozen=True)
class Commit:
    """Commit. An answer that does not come is the end: nobody knows what happened."""


@dataclass(frozen=True)
class WriteLocal:
    """Write the committed rows, the mark and the changelogs' offsets in one write."""

    rows: Mapping[bytes, Sequence[tuple[bytes, bytes | None]]]
    mark: Mark
    next: dict[str, int]


Steps = Generator[Any, Any, Progress]


def take_over(take_over_id: str) -> Steps:
    """From assigned to ready to serve. Raises Fatal where serving would lose or double something.

    Only the first step may be carried out inside the group's rebalance, where no heartbeat is sent.
    """
    yield Fence()
    ends: Ends = yield ReadEnds()
    for _ in range(STABLE_TRIES):
        hidden = {t: s for t, s in ends.changelogs.items() if s.stable < s.end}
        if not hidden:
            break
        yield Pause(STABLE_PAUSE_S, f"a transaction is open in {', '.join(hidden)}")
        ends = yield ReadEnds()
    else:
        raise Fatal(f"a transaction stays open in {', '.join(hidden)} and hides rows")
    stored: Progress | None = yield ReadProgress()
    _check_logs(stored, ends)
    if stored is None and any(span.end for span in ends.outputs.values()) and (yield ReadOutput()):
        raise Fatal("the outputs hold records but the state none: its changelogs were deleted")
    local: Local = yield ReadLocal()
    wrong = _what_is_wrong(local, stored, ends)
    if wrong:
        yield DropStore(wrong)
    if stored:
        yield WriteMark(stored.mark)
    begun = {} if wrong else local.next
    start = {t: max(begun.get(t, 0), span.begin) for t, span in ends.changelogs.items()}
    rows: int = yield Replay(start, {t: span.end for t, span in ends.changelogs.items()})
    if rows and stored is None:
        raise Fatal("the changelogs hold rows but no progress: one of them was deleted")
    return _taken_over(stored, ends, take_over_id)


def transaction(progress: Progress, writes: Writes) -> Steps:
    """One transaction: `progress` says what will be true after it, and is among its rows.

    Answers with what is known then.
    """
    yield Begin(tuple(writes.out))
    for place, records in writes.out.items():
        yield Send(place, records)
    written: dict[str, int] = yield Confirm()
    yield Commit()
    after_marker = {topic: end + 1 for topic, end in written.items() if topic in writes.changelogs}
    yield WriteLocal(writes.rows, progress.mark, after_marker)
    return msgspec.structs.replace(progress, written=progress.written | written)


def advanced(progress: Progress, next_: dict[str, int], seq: dict[str, int]) -> Progress:
    """The progress that the next transaction will write."""
    return msgspec.structs.replace(progress, next=next_, seq=seq, commit=progress.commit + 1)


def _check_logs(stored: Progress | None, ends: Ends) -> None:
    """Raises Fatal if a log lost what the state needs, or is not the log the state speaks of."""
    _check_identity(stored, ends)
    if stored:
        _check_contents(stored, ends)


def _check_identity(stored: Progress | None, ends: Ends) -> None:
    for topic, span in ends.changelogs.items():
        if span.begin > 0:
            raise Fatal(f"{topic} begins at {span.begin}: rows of the state were deleted from it")
    if stored is None:
        return
    if stored.cluster != ends.cluster:
        raise Fatal(f"the state is of cluster {stored.cluster}, this is {ends.cluster}")
    for topic, known in stored.topics.items():
        if ends.topics.get(topic, known) != known:
            raise Fatal(f"{topic} was deleted and created again since the state was written")


def _check_contents(stored: Progress, ends: Ends) -> None:
    for topic, span in {**ends.changelogs, **ends.outputs}.items():
        if span.end < stored.written.get(topic, 0):
            raise Fatal(f"{topic} ends at {span.end}, {stored.written[topic]} was already written")
    for topic, span in ends.inputs.items():
        at = stored.next.get(topic, span.begin)
        if not span.begin <= at <= span.end:
            raise Fatal(f"{topic} holds [{span.begin}, {span.end}), the state is at {at}")


def _what_is_wrong(local: Local, stored: Progress | None, ends: Ends) -> str | None:
    """Why a local store is no beginning of what the broker has; None if it is, or is empty."""
    if local.damage:
        return local.damage
    if local.mark is None:
        return "it has offsets but no mark" if any(local.next.values()) else None
    if local.mark.cluster != ends.cluster:
        return f"it is of cluster {local.mark.cluster}, this is {ends.cluster}"
    if stored is None or not is_on_line(local.mark, stored):
        return f"commit {local.mark.commit} of take-over {local.mark.take_over} is not on the line"
    if any(local.next.get(topic, 0) > span.end for topic, span in ends.changelogs.items()):
        return "it is ahead of its changelog"
    return None


def is_on_line(mark: Mark, stored: Progress) -> bool:
    """Whether the marked commit is one of those that led to `stored`.

    As Kafka's leader epochs: the line tells which take-over made which commit numbers. Offsets
    alone look valid after a broker has lost its tail and another owner has written on.
    """
    lasts = [first - 1 for _, first in stored.line[1:]] + [stored.commit]
    return any(
        name == mark.take_over and first <= mark.commit <= last
        for (name, first), last in zip(stored.line, lasts, strict=True)
    )


def _taken_over(stored: Progress | None, ends: Ends, take_over_id: str) -> Progress:
    """Progress as the new owner goes on with it; it joins the line with its first commit."""
    before = stored or Progress(cluster=ends.cluster, topics=ends.topics)
    line = (*before.line, (take_over_id, before.commit + 1))[-LINE_MAX:]
    begin = {topic: span.begin for topic, span in ends.inputs.items()}
    return msgspec.structs.replace(before, line=line, next=begin | before.next, topics=ends.topics)
