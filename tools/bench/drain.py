"""Measures how fast committed records appear in a topic, and what that costs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import psutil
from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from tools.bench.errors import NotMeasuredError
from tools.bench.processes import cpu_s_of
from tools.verify.log import Log
from tools.waiting import PAUSE_S

QUIET_S = 0.5
LIMIT_S = 600.0


@dataclass(frozen=True)
class Look:
    """One look at the topic: when, its growth, and the processor time used until then."""

    at_s: float
    grown: int  # records since the first look, with the markers of transactions
    own_cpu_s: float
    broker_cpu_s: float
    memory_mb: float = 0.0


@dataclass(frozen=True)
class Drained:
    """What draining so many requests took, once the program was ready and warm."""

    requests: int
    seconds: float
    own_cpu_us: float
    broker_cpu_us: float
    memory_mb: float = 0.0  # resident, of the program itself, at the last result

    @property
    def cpu_us(self) -> float:
        """Processor time a request, of the program itself and of Kafka."""
        return self.own_cpu_us + self.broker_cpu_us

    @property
    def rate_per_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Watched(Protocol):
    """One program, or several as if they were one."""

    @property
    def text(self) -> str:
        """What it wrote."""

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it used so far."""

    @property
    def memory_mb(self) -> float:
        """Resident memory, in megabytes."""

    @property
    def has_ended_well(self) -> bool:
        """Whether it ended. Raises EndedError if it ended badly."""


class Meter:
    """Watches topics of one Kafka, and the processor time of its process."""

    def __init__(
        self, options: Mapping[str, str], kafka: psutil.Process, limit_s: float = LIMIT_S
    ) -> None:
        """Connect with confluent-kafka's options; nothing may take longer than the limit."""
        self._options, self._kafka = options, kafka
        self._limit_s = limit_s
        self._admin = AdminClient(dict(options))
        self._partitions: dict[str, list[int]] = {}

    def ends(self, topic: str) -> dict[int, int]:
        """Give the committed end of each partition; markers count, so it is no count of records."""
        if not self._partitions.get(topic):  # nobody may know it yet
            known = self._admin.list_topics(topic, timeout=10).topics
            self._partitions[topic] = list(known[topic].partitions)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, each): latest for each in self._partitions[topic]}
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED)
        return {place.partition: answer.result().offset for place, answer in answers.items()}

    def is_led(self, topic: str) -> bool:
        """Whether every partition answers: metadata shows leaders before they lead."""
        try:
            return bool(self.ends(topic))
        except KafkaException:
            return False

    def records(self, topic: str) -> int:
        """Count what the engine wrote, from the `seq` of the last record of each partition."""
        tail = Log(self._options, [topic], last_max=20).records()
        last = {record.partition: int(record.headers["seq"]) for record in tail}
        return sum(last.values())

    def is_through(self, group: str, topics: Sequence[str]) -> bool:
        """Whether a group has committed the ends of these topics."""
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        (answer,) = asked.values()
        committed = {
            (place.topic, place.partition): place.offset
            for place in answer.result().topic_partitions or ()
        }
        return all(
            committed.get((topic, number), 0) >= end
            for topic in topics
            for number, end in self.ends(topic).items()
        )

    def watch(
        self,
        topic: str,
        part: Watched,
        is_done: Callable[[], bool],
        started: str = "",
        warm_up: int = 0,
    ) -> tuple[Look, Look]:
        """Look at the topic until it grows no more and is done, which is asked when all is quiet.

        Gives the look at which the part had said that it was started, and had written as many
        records as it may warm up with, and the last look with growth.

        Raises TimeoutError, or EndedError if the part ended badly.
        """
        begun = self._end(topic)
        ready, last = None, self._look(topic, part, begun)
        asked_s, deadline = last.at_s, last.at_s + self._limit_s
        while True:
            time.sleep(PAUSE_S)
            look = self._look(topic, part, begun)
            if ready is None and look.grown >= warm_up and started in part.text:
                ready = look
            if look.grown > last.grown:
                last = look
            elif ready and look.at_s - max(ready.at_s, last.at_s, asked_s) > QUIET_S:
                if is_done() and self._end(topic) - begun == last.grown:  # asking takes a while
                    return ready, last
                asked_s = time.monotonic()
            if look.at_s > deadline or part.has_ended_well:
                message = f"{topic} was not complete in time:\n{part.text[-2000:]}"
                raise TimeoutError(message)

    def _end(self, topic: str) -> int:
        return sum(self.ends(topic).values())

    def _look(self, topic: str, part: Watched, begun: int) -> Look:
        grown = self._end(topic) - begun
        return Look(time.monotonic(), grown, part.cpu_s, cpu_s_of(self._kafka), part.memory_mb)


def drained(ready: Look, last: Look, requests: int) -> Drained:
    """Work out the figures between two looks, of all that were drained from the first look on.

    Raises NotMeasuredError if there were none.
    """
    if last.grown == ready.grown:
        raise NotMeasuredError("All was drained before it could be measured: ask for more.")
    requests = round(requests * (1 - ready.grown / last.grown))
    return Drained(
        requests,
        last.at_s - ready.at_s,
        (last.own_cpu_s - ready.own_cpu_s) / requests * 1e6,
        (last.broker_cpu_s - ready.broker_cpu_s) / requests * 1e6,
        last.memory_mb,
    )
