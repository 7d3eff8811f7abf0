"""One partition of a topic: records, holes, markers, and what is not committed yet."""

from typing import Any

from tests.simulation.actors import Fenced


class Record:
    """A record in a log."""

    __slots__ = ("headers", "key", "offset", "partition", "timestamp", "topic", "value")

    def __init__(self, place: tuple[str, int], offset: int, record: Any, timestamp: int) -> None:
        self.topic, self.partition = place
        self.offset = offset
        self.key, self.value = record.key, record.value
        self.headers = record.headers or []
        self.timestamp = timestamp

    @property
    def source(self) -> str:
        """Its address."""
        return f"{self.topic}-{self.partition}-{self.offset}"


class Log:
    """An entry is a record, or None: a marker, or a record that was aborted or compacted away."""

    __slots__ = ("entries", "epochs", "open", "place")

    def __init__(self, place: tuple[str, int]) -> None:
        self.place = place
        self.entries: list[Record | None] = []
        self.open: dict[str, list[int]] = {}  # by transactional id: offsets not committed yet
        self.epochs: dict[str, int] = {}  # by transactional id: the newest that was seen here

    @property
    def end(self) -> int:
        """The high watermark."""
        return len(self.entries)

    @property
    def stable(self) -> int:
        """The last stable offset: readers of what is committed see nothing from here on."""
        if not self.open:
            return len(self.entries)
        return min(offsets[0] for offsets in self.open.values())

    def add(self, record: Any, timestamp: int) -> int:
        """Append a record."""
        offset = len(self.entries)
        self.entries.append(Record(self.place, offset, record, timestamp))
        return offset

    def write(self, owner: str, epoch: int, records: Any, now: int) -> int:
        """Append records of a transaction. Answers with the offset behind the last."""
        if epoch < self.epochs.get(owner, 0):
            raise Fenced(f"epoch {epoch} of {owner} at {self.place}")
        self.epochs[owner] = epoch
        offsets = self.open.setdefault(owner, [])
        for record in records:
            at = record.timestamp
            offsets.append(self.add(record, now if at is None else at))
        return len(self.entries)

    def mark(self, owner: str, epoch: int, *, is_commit: bool) -> None:
        """Write the marker that ends a transaction here."""
        self.epochs[owner] = max(epoch, self.epochs.get(owner, 0))
        offsets = self.open.pop(owner, [])
        if not is_commit:
            for offset in offsets:
                self.entries[offset] = None
        self.entries.append(None)

    def committed(self, start: int = 0, end: int | None = None) -> list[Record]:
        """What a reader of what is committed finds in [start, end)."""
        stable = self.stable
        upto = stable if end is None or end > stable else end
        return [entry for entry in self.entries[start:upto] if entry is not None]

    def compact(self) -> None:
        """Forget all but the last committed record of each key."""
        seen: set[bytes | None] = set()
        for record in reversed(self.committed()):
            if record.key in seen:
                self.entries[record.offset] = None
            seen.add(record.key)

    def copy(self) -> "Log":
        """As it is now."""
        other = Log(self.place)
        other.entries = list(self.entries)
        other.open = {owner: list(offsets) for owner, offsets in self.open.items()}
        other.epochs = dict(self.epochs)
        return other
