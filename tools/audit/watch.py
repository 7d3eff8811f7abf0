"""Follows what a run causes on the topics, from the moment before it began."""

import time
import uuid
from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tools.verify.log import Log, Record

READ_MAX = 2_000
READ_WAIT_S = 0.2
SILENCE_MAX_S = 60.0
ANSWER_MAX_S = 10.0


class Watch:
    """The records of some topics whose keys begin with a prefix, since the watch began."""

    def __init__(self, options: Mapping[str, str], topics: tuple[str, ...], prefix: str) -> None:
        """Begin: note where the topics end. Raises LookupError for a topic that is not there."""
        self._options, self._topics, self._prefix = options, topics, prefix.encode()
        self._consumer = Consumer(
            {
                **options,
                "group.id": f"audit-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
            }
        )
        known = self._consumer.list_topics(timeout=ANSWER_MAX_S).topics
        absent = [name for name in topics if name not in known]
        if absent:
            raise LookupError(f"This Kafka has no topic {', '.join(absent)}.")
        self._starts = {
            (name, partition): self._end(name, partition)
            for name in topics
            for partition in known[name].partitions
        }

    def wait(self, topic: str, count: int, advance: Callable[[int], object]) -> None:
        """Wait for so many records of a topic; say after each reading how many there are.

        Raises TimeoutError if nothing new comes for a minute.
        """
        self._consumer.assign(
            [
                TopicPartition(name, partition, start)
                for (name, partition), start in self._starts.items()
                if name == topic
            ]
        )
        seen, heard_at = 0, time.monotonic()
        while seen < count:
            messages = self._consumer.consume(READ_MAX, READ_WAIT_S)
            for message in messages:
                error = message.error()
                if error is not None:
                    raise KafkaException(error)
            found = sum(self._is_mine(message.key()) for message in messages)
            if found:
                seen, heard_at = seen + found, time.monotonic()
                advance(seen)
            elif time.monotonic() - heard_at > SILENCE_MAX_S:
                raise TimeoutError(
                    f"{seen} of {count} records came on {topic}, and none for "
                    f"{SILENCE_MAX_S:.0f} s: is a worker running?"
                )

    def records(self) -> list[Record]:
        """All records since the watch began, of all topics; ends the watch."""
        self._consumer.unassign()  # a fetch in flight would hold each question up
        growths = [self._end(*place) - start for place, start in self._starts.items()]
        self._consumer.close()
        log = Log(self._options, self._topics, last_max=max(growths))
        return [record for record in log.records() if self._is_mine(record.key)]

    def _end(self, topic: str, partition: int) -> int:
        place = TopicPartition(topic, partition)
        _, end = self._consumer.get_watermark_offsets(place, timeout=ANSWER_MAX_S)
        return int(end)

    def _is_mine(self, key: str | bytes | None) -> bool:
        return isinstance(key, bytes) and key.startswith(self._prefix)
