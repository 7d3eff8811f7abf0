"""Measures how fast committed records appear in a topic, and what that costs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from tools.bench.processes import Part, cpu_s_of
from tools.verify.log import Log
from tools.waiting import PAUSE_S

QUIET_S = 0.5
LIMIT_S = 600.0


@dataclass(frozen=True)
class Look:
    """One look at the topic: when, its end, and the processor time used until then."""

    at_s: float
    end: int
    own_cpu_s: float
    broker_cpu_s: float


@dataclass(frozen=True)
class Drained:
    """What draining so many requests took, from the moment the program was ready."""

    requests: int
    seconds: float
    own_cpu_us: float
    broker_cpu_us: float

    @property
    def rate_per_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class Meter:
    """Watches topics of one Kafka, and the processor time of its process."""

    def __init__(self, options: Mapping[str, str], kafka: psutil.Process) -> None:
        """Connect with confluent-kafka's options."""
        self._options, self._kafka = options, kafka
        self._admin = AdminClient(dict(options))
        self._partitions: dict[str, list[int]] = {}

    def ends(self, topic: str) -> dict[int, int]:
        """Give the committed end of each partition; markers count, so it is no count of records."""
        if topic not in self._partitions:
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

    def watch(
        self,
        topic: str,
        part: Part,
        is_done: Callable[[], bool],
        started: str = "",
        limit_s: float = LIMIT_S,
    ) -> tuple[Look, Look]:
        """Look at the topic until it grows no more and is done, which is asked when all is quiet.

        Gives the look at which the part had said that it was started, and the last with growth.

        Raises TimeoutError, or RuntimeError if the part ended badly.
        """
        ready, last = None, self._look(topic, part)
        asked_s, deadline = last.at_s, last.at_s + limit_s
        while True:
            time.sleep(PAUSE_S)
            look = self._look(topic, part)
            if ready is None and started in part.text:
                ready = look
            if look.end > last.end:
                last = look
            elif ready and look.at_s - max(last.at_s, asked_s) > QUIET_S:
                if is_done():
                    return ready, last
                asked_s = time.monotonic()
            if look.at_s > deadline or part.has_ended_well:
                message = f"{topic} was not complete in time:\n{part.text[-2000:]}"
                raise TimeoutError(message)

    def _look(self, topic: str, part: Part) -> Look:
        end = sum(self.ends(topic).values())
        return Look(time.monotonic(), end, part.cpu_s, cpu_s_of(self._kafka))


def drained(ready: Look, last: Look, requests: int) -> Drained:
    """Work out the figures between two looks."""
    return Drained(
        requests,
        last.at_s - ready.at_s,
        (last.own_cpu_s - ready.own_cpu_s) / requests * 1e6,
        (last.broker_cpu_s - ready.broker_cpu_s) / requests * 1e6,
    )
