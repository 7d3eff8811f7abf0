"""The reader of subscribers on a real Kafka: what stops a partition, and what does not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from prometheus_client import CollectorRegistry

from schemas.connection import KafkaConnection
from schemas.headers import MESSAGE_CODE, SEQ
from streams.subscribers.errors import StoreError
from streams.subscribers.images import TOPIC, Batch, Progress
from streams.subscribers.metrics import Metrics
from streams.subscribers.reader import Reader
from tests.api.images import image_of
from tests.conftest import running
from tools.kafka.broker import Broker
from tools.waiting import comes_true

GOOD, GAP, ODD, EXPIRED = range(4)  # partitions
EXPIRED_BEFORE = 2
LIMIT_S = 30.0
ACCOUNT = image_of("account")
CODE = (MESSAGE_CODE, b"account")


@dataclass
class Memory:
    """A store that may fail, and then has nothing of what it was given."""

    positions: dict[int, Progress] = field(default_factory=dict)
    kept: list[tuple[int, int]] = field(default_factory=list)  # partition and offset
    aside: list[tuple[int, int]] = field(default_factory=list)
    failures: int = 0
    opened: int = 0
    is_lost: bool = False
    is_closed: bool = False

    def open(self) -> Mapping[int, Progress]:
        self.opened += 1
        return self.positions

    def keep(self, batch: Batch) -> None:
        if batch.images and self.failures:
            self.failures -= 1
            raise StoreError("the store is away")
        if self.is_lost:
            self.is_lost = False
            raise StoreError("the store is gone")
        self.kept += [(image.partition, image.offset) for image in batch.images]
        self.aside += [(record.partition, record.offset) for record in batch.set_aside]
        self.positions |= batch.positions

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Reading:
    """A reader at work."""

    store: Memory
    registry: CollectorRegistry

    def figure(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"adjust_subscriber_{name}")

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not is_so():  # noqa: ASYNC110 - another library is waited for
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def topic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaConnection]:
    """A topic with a partition for each thing that may be wrong with one."""
    with running(Broker(tmp_path_factory.mktemp("reader"))) as broker:
        connection = KafkaConnection(bootstrap_servers=broker.bootstrap)
        admin = AdminClient({**connection.confluent_options()})
        for made in admin.create_topics([NewTopic(TOPIC, 4, 1)]).values():
            made.result()
        publish(connection)
        cut = TopicPartition(TOPIC, EXPIRED, EXPIRED_BEFORE)
        for deleted in admin.delete_records([cut]).values():
            deleted.result()
        yield connection


def publish(connection: KafkaConnection) -> None:
    producer = Producer({**connection.confluent_options()})

    def put(partition: int, value: bytes | None, *headers: tuple[str, bytes | None]) -> None:
        producer.produce(TOPIC, value, b"ACC-1001", partition, headers=[*headers])

    for number in (b"1", b"2", b"3"):
        put(GOOD, ACCOUNT, CODE, (SEQ, number))
        put(EXPIRED, ACCOUNT, CODE, (SEQ, number))
    for number in (b"1", b"3", b"4"):
        put(GAP, ACCOUNT, CODE, (SEQ, number))
    put(ODD, b"{", CODE, (SEQ, b"1"))
    put(ODD, None, (MESSAGE_CODE, None), (SEQ, b"2"))
    put(ODD, ACCOUNT, CODE)
    put(ODD, ACCOUNT, (MESSAGE_CODE, b"invoice"), (SEQ, b"3"))
    put(ODD, ACCOUNT, CODE, (SEQ, b"4"))
    assert producer.flush(LIMIT_S) == 0


@asynccontextmanager
async def reading(connection: KafkaConnection, store: Memory) -> AsyncIterator[Reading]:
    registry = CollectorRegistry()
    reader = Reader("test", connection.client_options(), store, Metrics(registry))
    task = asyncio.create_task(reader.run())
    try:
        yield Reading(store, registry)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert store.is_closed


def kept_of(store: Memory, partition: int) -> list[int]:
    return [offset for at, offset in store.kept if at == partition]


@pytest.fixture(autouse=True)
def lines(caplog: pytest.LogCaptureFixture) -> None:
    """Hear all that is logged."""
    caplog.set_level(logging.INFO, "streams.subscribers.reader")


async def test_a_gap_stops_its_partition_with_a_line_and_a_figure_and_the_others_go_on(
    topic: KafkaConnection, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(topic, Memory()) as found:
        await found.until(lambda: len(found.store.kept) + len(found.store.aside) == 10)
        await found.until(lambda: found.figure("lag_records") == 2)
        assert kept_of(found.store, GOOD) == [0, 1, 2]
        assert kept_of(found.store, GAP) == [0]
        assert found.figure("stopped_partitions") == 1
    assert found.store.positions[GAP][:2] == (1, 1)
    assert f"Partition {GAP} of {TOPIC} stops here" in caplog.text
    assert "offset 1 has seq 3 where 2 comes next" in caplog.text


async def test_what_cannot_be_read_is_kept_aside_counted_and_stops_nothing(
    topic: KafkaConnection,
) -> None:
    async with reading(topic, Memory()) as found:
        await found.until(lambda: kept_of(found.store, ODD) == [4])
        assert found.store.aside == [(ODD, 0), (ODD, 1), (ODD, 2), (ODD, 3)]
        assert found.figure("set_aside_total") == 4
    assert found.store.positions[ODD][:2] == (5, 4)


async def test_a_new_store_takes_what_is_left_of_a_topic_and_says_what_is_not(
    topic: KafkaConnection, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(topic, Memory()) as found:
        await found.until(lambda: kept_of(found.store, EXPIRED) == [2])
    assert f"what came before offset {EXPIRED_BEFORE} has expired" in caplog.text


async def test_a_store_that_does_not_go_on_in_the_topic_is_left_as_it_is(
    topic: KafkaConnection, caplog: pytest.LogCaptureFixture
) -> None:
    before = {
        GOOD: Progress(2, 2, "another digest"),
        GAP: Progress(1000, 900, "any"),
        ODD: Progress(4, 3),
        EXPIRED: Progress(1, 1),
    }
    async with reading(topic, Memory(dict(before))) as found:
        await found.until(lambda: found.figure("stopped_partitions") == 3)
        await found.until(lambda: found.figure("lag_records") == 3)  # 1 and 2 of those that stopped
        await found.until(lambda: kept_of(found.store, ODD) == [4])
    assert found.store.kept == [(ODD, 4)]
    assert {at: found.store.positions[at] for at in (GOOD, GAP, EXPIRED)} == {
        at: before[at] for at in (GOOD, GAP, EXPIRED)
    }
    for fault in (
        "offset 1 has not the record that was kept from there",
        "the store is at offset 1000, and the topic ends at 3",
        "the store is at offset 1, and all before 2 has expired",
    ):
        assert fault in caplog.text


async def test_a_store_of_before_reads_on_and_doubles_nothing(topic: KafkaConnection) -> None:
    async with reading(topic, Memory()) as first:
        await first.until(lambda: kept_of(first.store, GOOD) == [0, 1, 2])
    async with reading(topic, Memory(dict(first.store.positions))) as second:
        await second.until(lambda: second.figure("lag_records") == 2)
        assert second.store.kept == []
        assert second.figure("stopped_partitions") == 1


async def test_a_store_that_was_away_is_opened_again_and_misses_nothing(
    topic: KafkaConnection, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(topic, Memory(failures=2)) as found:
        await found.until(lambda: len(found.store.kept) + len(found.store.aside) == 10)
        assert found.store.opened == 3
        assert len(set(found.store.kept)) == len(found.store.kept)
    assert caplog.text.count("waits: the store is away") == 1


async def test_what_comes_before_a_gap_is_kept_even_if_the_store_was_away_meanwhile(
    topic: KafkaConnection,
) -> None:
    store = Memory({GAP: Progress(0, 0)}, failures=1)
    async with reading(topic, store) as found:
        await found.until(lambda: kept_of(store, GAP) == [0])
        await found.until(lambda: found.figure("stopped_partitions") == 1)


async def test_a_store_that_begins_anew_has_no_partition_stopped(topic: KafkaConnection) -> None:
    store = Memory({GOOD: Progress(2, 2, "another digest")})
    async with reading(topic, store) as found:
        await found.until(lambda: found.figure("stopped_partitions") == 2)
        store.positions, store.is_lost = {}, True
        await found.until(lambda: kept_of(store, GOOD) == [0, 1, 2])
        await found.until(lambda: found.figure("stopped_partitions") == 1)


async def test_without_kafka_it_waits_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    away = KafkaConnection(bootstrap_servers="127.0.0.1:1")
    async with reading(away, Memory()) as found:
        await found.until(lambda: found.store.opened > 1)
    assert caplog.text.count("adjust test waits: ") == 1


@pytest.mark.parametrize("is_there", [True, False], ids=["reading", "waiting"])
async def test_who_is_told_to_stop_ends_even_if_the_cancellation_got_lost(
    topic: KafkaConnection, *, is_there: bool
) -> None:
    where = topic if is_there else KafkaConnection(bootstrap_servers="127.0.0.1:1")
    store = Memory()
    reader = Reader("test", where.client_options(), store, Metrics(CollectorRegistry()))
    running = asyncio.create_task(reader.run())
    assert await comes_true(lambda: store.kept or store.opened > 1)
    reader.stop()
    async with asyncio.timeout(LIMIT_S):
        await running
    assert store.is_closed
