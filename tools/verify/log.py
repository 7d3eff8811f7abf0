"""Reads whole topics as an outsider would: another client library, committed records only."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

READ_MAX = 5_000
QUIET_MAX_S = 30.0
ANSWER_MAX_S = 10.0
_SIDE_BY_SIDE = {  # several topics are read so, many short partitions one after the other
    "queued.max.messages.kbytes": 8_192,
    "fetch.wait.max.ms": 10,
    "fetch.queue.backoff.ms": 10,
}
READ_WAIT_S = 0.1  # `consume` waits so long for a full list


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    timestamp_ms: int = 0

    @property
    def address(self) -> str:
        """Where the record stands, written as the header `source` writes it."""
        return f"{self.topic}-{self.partition}-{self.offset}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a topic begins and ends, by partition."""

    begins: Mapping[int, int]
    ends: Mapping[int, int]


class Log:
    """The committed records of some topics, each partition in its order."""

    def __init__(
        self, options: Mapping[str, str], topics: Sequence[str], last_max: int | None = None
    ) -> None:
        """Look the topics up; those that the cluster does not have are in `absent`.

        With `last_max` only about so many records at the end of each partition are read.
        """
        self._last_max = last_max
        self._options = {
            **options,
            "group.id": f"verify-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": 32_768,
        }
        self._consumer = Consumer(self._options)
        self._readers: dict[str, Consumer] = {}
        cluster = self._consumer.list_topics(timeout=ANSWER_MAX_S)
        known = cluster.topics
        self.cluster = str(cluster.cluster_id)
        self.partitions = {name: len(known[name].partitions) for name in topics if name in known}
        self.absent = [name for name in topics if name not in known]
        self._bounds: dict[tuple[str, int], tuple[int, int]] = {}

    def records(self) -> Iterator[Record]:
        """Every record from the beginnings to the ends as they are when they are reached."""
        unfinished, heard_at = set(self._assign()), time.monotonic()
        while unfinished:
            messages = self._consumer.consume(READ_MAX, timeout=READ_WAIT_S)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > QUIET_MAX_S:
                message = f"Kafka gave nothing more of {sorted(unfinished)}."
                raise TimeoutError(message)
            for received in messages:
                record = _record(received)
                place = (str(received.topic()), int(received.partition() or 0))
                if record is None:
                    unfinished.discard(place)
                elif place in unfinished:
                    yield record
        self._consumer.close()

    def part(self, topic: str, number: int, begin: int = 0) -> Iterator[Record]:
        """The records of one partition, read while they are asked for.

        At most one such reading of a topic goes on at a time.
        """
        low, end = self.ends(topic, number)
        if max(low, begin) >= end:
            return
        reader = self._readers.get(topic) or Consumer(self._options | _SIDE_BY_SIDE)
        self._readers[topic] = reader
        reader.assign([TopicPartition(topic, number, max(low, begin))])
        while True:
            first = reader.poll(QUIET_MAX_S)
            if first is None:
                raise TimeoutError(f"Kafka gave nothing more of {topic}, partition {number}.")
            for received in (first, *reader.consume(READ_MAX, timeout=0)):
                record = _record(received)
                if record is None:
                    return
                yield record

    def ends(self, topic: str, number: int) -> tuple[int, int]:
        """Ask where a partition begins and ends."""
        place = TopicPartition(topic, number)
        low, end = self._consumer.get_watermark_offsets(place)
        self._bounds[topic, number] = low, end
        return low, end

    def close(self) -> None:
        """Close all connections."""
        for consumer in (self._consumer, *self._readers.values()):
            consumer.close()

    def bounds(self, topic: str) -> Bounds:
        """Give the beginnings and ends of a topic as they were when reading began."""
        found = {number: ends for (name, number), ends in self._bounds.items() if name == topic}
        return Bounds(
            {number: begin for number, (begin, _) in found.items()},
            {number: end for number, (_, end) in found.items()},
        )

    def _assign(self) -> list[tuple[str, int]]:
        places = [
            (topic, partition)
            for topic, count in self.partitions.items()
            for partition in range(count)
        ]
        starts = []
        for topic, partition in places:
            low, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition))
            self._bounds[topic, partition] = low, end
            if self._last_max is not None:
                low = max(low, end - self._last_max)
            starts.append(TopicPartition(topic, partition, low))
        self._consumer.assign(starts)
        return places


def _record(message: Message) -> Record | None:
    """Give the record, or nothing at the end of a partition."""
    error = message.error()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return None
        raise KafkaException(error)
    received: list[tuple[str, object]] = list(message.headers() or [])  # type: ignore[arg-type]
    headers = {  # of doubled ones the last counts, and one without a value is none
        name: value.decode(errors="replace")
        for name, value in dict(received).items()
        if isinstance(value, bytes)
    }
    return Record(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        _bytes(message.key()),
        _bytes(message.value()),
        headers,
        int(message.timestamp()[1]),
    )


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content


def murmur2(key: bytes) -> int:
    """Hash a key as Java's default partitioner does: 32 bits, without the sign."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        value = value * multiplier & mask ^ word
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return (value ^ value >> 15) & 0x7FFFFFFF
