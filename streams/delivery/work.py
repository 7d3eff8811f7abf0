"""What a handler sees of one batch of records: rows to read and write, records to emit."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from aiokafka.partitioner import murmur2

from streams.delivery.plan import Plan
from streams.delivery.store import Rows, Store
from streams.delivery.transaction import OutRecord

FOUND_AT = "found-at"  # header of a record sent on to its right partition
VALUE_MAX = 3 << 20  # bytes of a dead letter's value: with key and headers it fits 4 MiB
HEADERS_MAX = 64 << 10  # bytes of the headers that a dead letter keeps


class Work:
    """Committed rows below the batch's own writes, and what the transaction will send."""

    def __init__(self, plan: Plan, store: Store, unit: int, seq: dict[str, int]) -> None:
        self.plan, self.store, self.unit = plan, store, unit
        self.seq = {topic: seq.get(topic, 0) for topic in plan.outputs}
        self.rows: dict[str, dict[bytes, Any]] = {name: {} for name in plan.tables}
        self.out: dict[tuple[str, int], list[OutRecord]] = defaultdict(list)
        self.tally: Counter[tuple[str, ...]] = Counter()  # for metrics, once it is committed

    def get(self, table: str, key: bytes) -> Any:
        """The row as this batch left it, or None."""
        written = self.rows[table].get(key)
        if written is not None:
            return written
        row = self.store.get(self.plan.tables[table].prefix, key)
        return None if row is None else self.plan.tables[table].decode(row)

    def put(self, table: str, key: bytes, row: Any) -> None:
        """Write a row; the last of a key in a batch is what is stored."""
        self.rows[table][key] = row

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
        value, kept = record.value, list(record.headers)
        if sum(len(name) + len(content or b"") for name, content in kept) > HEADERS_MAX:
            kept = []
        added = {
            "dlq-topic": record.topic,
            "dlq-partition": str(record.partition),
            "dlq-offset": str(record.offset),
            "dlq-code": code,
            "dlq-text": text,
        }
        if value is not None and len(value) > VALUE_MAX:
            value, added["dlq-truncated"] = value[:VALUE_MAX], "true"
        headers = [*kept, *((name, content.encode()) for name, content in added.items())]
        place = (self.plan.dead_letters[record.topic], self.unit)
        self.out[place].append(OutRecord(record.key, value, headers, record.timestamp))
        self.tally["dead_letter", record.topic, code] += 1

    def send_on(self, record: Any, partition: int) -> None:
        """Re-publish a record to its right partition; from then on that one is the record."""
        found = f"{record.topic}-{record.partition}-{record.offset}".encode()
        headers = [*record.headers, (FOUND_AT, found)]
        self.out[record.topic, partition].append(OutRecord(record.key, record.value, headers))
        self.tally["sent_on", record.topic] += 1

    def partition_of(self, key: bytes) -> int:
        """Where a key belongs, as Java's and aiokafka's default partitioners say."""
        return partition_of(key, self.plan.partitions)

    def encoded_rows(self) -> dict[str, Rows]:
        """What changed in each table."""
        return {
            name: [(key, self.plan.tables[name].encode(row)) for key, row in rows.items()]
            for name, rows in self.rows.items()
            if rows
        }


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Murmur2 in Python takes 5 to 10 µs: remember the keys that are busy."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
