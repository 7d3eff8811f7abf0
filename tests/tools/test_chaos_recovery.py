"""Recovery is measured from the end of a fault, by requests that are sent after it."""

import json
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tools.chaos.recovery import Watch
from tools.load import Outgoing, Population, Sender
from tools.waiting import wait_until

NOBODY = {"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}
PARTITIONS, SOME = 4, Population(20, 2)
SOON_S = 0.1
UNREADABLE = b"{"


class Found:
    """A result as it is read."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def error(self) -> KafkaError | None:
        return None

    def value(self) -> bytes:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return []


class Engine(Sender):
    """Takes requests, and answers those of the partitions that it serves."""

    def __init__(self) -> None:
        super().__init__(NOBODY)
        self.asked: list[Outgoing] = []
        self.is_at_work = True
        self.results: list[Found] = []
        self.assigned: list[TopicPartition] = []
        self.refuses: KafkaError | None = None

    def send(self, outgoing: Outgoing) -> None:
        self.asked.append(outgoing)
        if self.is_at_work:
            self.answer(outgoing)

    def answer(self, outgoing: Outgoing) -> None:
        result = {"requestId": outgoing.request_id, "adjustment": None}
        self.results.append(Found(json.dumps(result).encode()))

    def flush(self) -> None:
        if self.refuses:
            raise KafkaException(self.refuses)

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = places

    def consume(self, num_messages: int, timeout: float) -> Sequence[Found]:
        if not self.results:
            time.sleep(timeout)
        read, self.results = self.results[:num_messages], self.results[num_messages:]
        return read

    def close(self) -> None:
        self.is_at_work = False


@pytest.fixture
async def engine() -> Engine:
    return Engine()


@pytest.fixture
async def watch(engine: Engine) -> AsyncIterator[Watch]:
    made = Watch(engine, engine, SOME, PARTITIONS)
    made.start()
    yield made
    made.stop()


async def test_recovery_counts_from_the_end_of_the_fault(watch: Watch) -> None:
    took = await watch.recovered(time.monotonic() - 7)

    assert took is not None
    assert 7 <= took < 60
    assert watch.seen["refused"] == PARTITIONS


async def test_each_partition_is_asked_and_all_have_to_answer(watch: Watch, engine: Engine) -> None:
    engine.is_at_work = False
    assert await watch.recovered(time.monotonic(), SOON_S) is None
    asked = list(engine.asked)
    assert len({request.account for request in asked}) == PARTITIONS

    for request in asked:  # what was asked before does not count
        engine.answer(request)

    assert await watch.recovered(time.monotonic(), SOON_S) is None
    engine.is_at_work = True
    assert await watch.recovered(time.monotonic()) is not None


async def test_who_cannot_read_results_says_so_and_waits_no_longer(
    watch: Watch, engine: Engine
) -> None:
    engine.is_at_work = False
    engine.results.append(Found(UNREADABLE))

    assert await watch.recovered(time.monotonic()) is None

    (told,) = watch.failures
    assert told.startswith("Results could not be read: JSONDecodeError")


async def test_probes_that_kafka_did_not_take_are_told(watch: Watch, engine: Engine) -> None:
    engine.refuses = KafkaError(KafkaError._MSG_TIMED_OUT)

    watch.end_probes()

    (told,) = watch.failures
    assert told.startswith("Probes were not sent: ")


async def test_results_are_read_from_the_first_one_on(watch: Watch, engine: Engine) -> None:
    wait_until(lambda: engine.assigned, "the watch has begun")
    assert [(place.partition, place.offset) for place in engine.assigned] == [
        (number, 0) for number in range(PARTITIONS)
    ]
    assert not watch.failures
