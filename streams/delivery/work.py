"""What a handler sees of one batch of records: rows to read and write, records to emit."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Protocol

from aiokafka.partitioner import murmur2

from streams.delivery.plan import Plan
from streams.delivery.store import Rows
from streams.delivery.transaction import OutRecord

FOUND_AT = "found-at"  # header of a record sent on to its right partition
SENT_ON_MAX = (1 << 20) - (4 << 10)  # bytes of a record that an input topic surely takes
KEY_MAX = 64 << 10  # bytes of a dead letter's key
VALUE_MAX = 3 << 20  # bytes of a dead letter's value: with key and headers it fits 4 MiB
HEADERS_MAX = 64 << 10  # bytes of the headers that a dead letter keeps


class Stored(Protocol):
    """The rows that were committed."""

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """One of them."""


class Outgoing(Protocol):
    """Records for one topic and partition, in the order in which they will stand there."""

    def append(self, record: OutRecord, /) -> None:
        """Add one more."""


class Work:
    """Committed rows below the batch's own writes, and what the transaction will send."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a handler may see
        self,
        plan: Plan,
        store: Stored,
        unit: int,
        seq: dict[str, int],
        outgoing: Callable[[], Outgoing] = list[OutRecord],
        kept: Mapping[str, dict[bytes, Any]] = MappingProxyType({}),
    ) -> None:
        self.plan, self.store, self.unit = plan, store, unit
        self.seq = {topic: seq.get(topic, 0) for topic in plan.outputs}
        self.kept = kept
        self.rows: dict[str, dict[bytes, bytes]] = {name: {} for name in plan.tables}
        self.out: defaultdict[tuple[str, int], Any] = defaultdict(outgoing)
        self.tally: Counter[tuple[str, ...]] = Counter()  # for metrics, once it is committed

    def get(self, table: str, key: bytes) -> Any:
        """The row as this batch left it, or None."""
        kept = self.kept.get(table)
        row = None if kept is None else kept.get(key)
        if row is None:
            form = self.plan.tables[table]
            stored = self.rows[table].get(key) or self.store.get(form.prefix, key)
            if stored is not None:
                row = form.decode(stored)
                if kept is not None:
                    kept[key] = row
        return row

    def put(self, table: str, key: bytes, row: Any) -> bytes:
        """Write a row; the last of a key in a batch is what is stored. Answers with its bytes."""
        if table in self.kept:
            self.kept[table][key] = row
        value = self.rows[table][key] = self.plan.tables[table].encode(row)
        return value

    def emit(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        timestamp: int,
    ) -> None:
        """Write to an output, in the source's own partition, with the next `seq`."""
        number = self.seq[topic] = self.seq[topic] + 1
        numbered = [("seq", b"%d" % number), *headers]
        self.out[topic, self.unit].append(OutRecord(key, value, numbered, timestamp))

    def dead_letter(self, record: Any, code: str, text: str) -> None:
        """Put aside what cannot be read, with why."""
        key, value, kept = record.key, record.value, list(record.headers)
        is_cut = size_of(record) > VALUE_MAX
        if size_of_headers(record) > HEADERS_MAX:
            kept = []
        added = {
            "dlq-topic": record.topic,
            "dlq-partition": str(record.partition),
            "dlq-offset": str(record.offset),
            "dlq-code": code,
            "dlq-text": text,
        }
        if is_cut:
            key, value = key and key[:KEY_MAX], value and value[:VALUE_MAX]
            added["dlq-truncated"] = "true"
        headers = [*kept, *((name, content.encode()) for name, content in added.items())]
        place = (self.plan.dead_letters[record.topic], self.unit)
        self.out[place].append(OutRecord(key, value, headers, record.timestamp))
        self.tally["dead_letter", record.topic, code] += 1

    def send_on(self, record: Any, partition: int) -> bool:
        """Re-publish a record to its right partition; from then on that one is the record.

        False if it is too large: it came in a compressed batch, and goes on uncompressed.
        """
        if size_of(record) > SENT_ON_MAX:
            return False
        found = f"{record.topic}-{record.partition}-{record.offset}".encode()
        headers = [*record.headers, (FOUND_AT, found)]
        self.out[record.topic, partition].append(OutRecord(record.key, record.value, headers))
        self.tally["sent_on", record.topic] += 1
        return True

    def partition_of(self, key: bytes) -> int:
        """Where a key belongs, as Java's and aiokafka's default partitioners say."""
        return partition_of(key, self.plan.partitions)

    def changed_rows(self) -> dict[str, Rows]:
        """What changed in each table."""
        return {name: list(rows.items()) for name, rows in self.rows.items() if rows}


def forget_oldest(rows: dict[bytes, Any], most: int) -> None:
    """Leave at most so many rows, those that came last."""
    for key in list(islice(rows, max(0, len(rows) - most))):
        del rows[key]


def size_of(record: Any) -> int:
    """Bytes of key, value and headers."""
    return len(record.key or b"") + len(record.value or b"") + size_of_headers(record)


def size_of_headers(record: Any) -> int:
    """Bytes of names and contents of the headers."""
    return sum(len(name.encode()) + len(content or b"") for name, content in record.headers)


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Murmur2 in Python takes 5 to 10 µs: remember the keys that are busy."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
