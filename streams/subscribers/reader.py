"""From the topic to a store: all partitions of business transactions, no group.

What is read is kept together with how far it goes, in one commit of the store, and reading starts
where the store says. `seq` proves that nothing is missing: where the next number does not come,
that partition stops and says so, and the others go on.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from streams.subscribers.errors import HeldError, StoreError
from streams.subscribers.images import TOPIC, Batch, Progress
from streams.subscribers.metrics import Metrics
from streams.subscribers.sequence import enter, fault_of_last, fault_of_start

RETRY_S = 0.5
KEEP_S = 0.5  # the longest time without a word to the store, which shows that we live
READ_MAX = 5_000  # records at once

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Store(Protocol):
    """Where images are kept. Its calls block, and come from one thread.

    Each of them raises StoreError where the store cannot be used now: it is opened again then.
    """

    def open(self) -> Mapping[int, Progress]:
        """Take the store over and say how far it is. Raises HeldError while another works on it."""

    def keep(self, batch: Batch) -> None:
        """Keep what was read with its positions, all or nothing, soon; an empty batch is a tick.

        Raises FencedError if another instance took over.
        """

    def close(self) -> None:
        """Keep what waits, let others have the store. Raises nothing."""


class Reader:
    """Reads for one store until it is cancelled."""

    def __init__(
        self, name: str, client_options: dict[str, Any], store: Store, metrics: Metrics
    ) -> None:
        """Say who reads, from where, and for which store."""
        self._name = name
        self._client_options = client_options
        self._store = store
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._progress: dict[int, Progress] = {}
        self._stopped: set[int] = set()
        self._unproved: set[int] = set()
        self._ends: Mapping[TopicPartition, int] = {}  # when reading began
        self._said: str | None = None
        self._is_stopping = False

    def stop(self) -> None:
        """Let `run` end soon, also where its cancellation got lost among time-outs of a client."""
        self._is_stopping = True

    async def run(self) -> None:
        """Read, and from where the store is after each loss of Kafka or store, until `stop`.

        Raises FencedError.
        """
        try:
            while not self._is_stopping:
                try:
                    await self._read()
                except HeldError as held:
                    self._say_once(logging.INFO, str(held))
                except (KafkaError, StoreError, TimeoutError, OSError) as error:
                    self._say_once(logging.WARNING, f"waits: {error}")
                await asyncio.sleep(RETRY_S)
        finally:
            await self._on_thread(self._store.close)
            self._thread.shutdown()

    async def _read(self) -> None:
        self._progress = dict(await self._on_thread(self._store.open))
        consumer = AIOKafkaConsumer(
            **self._client_options,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            await self._begin(consumer)
            await self._follow(consumer)
        finally:
            await consumer.stop()

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Stand where the store is, and leave out partitions that do not go on from there."""
        count = await _partitions(self._client_options)
        places = [TopicPartition(TOPIC, number) for number in range(count)]
        beginnings = await consumer.beginning_offsets(places)
        ends = self._ends = await consumer.end_offsets(places)
        self._stopped.clear()  # the store may be further back now, and is to have what it can
        self._unproved.clear()
        for at in places:
            known = self._progress.get(at.partition)
            if known is None:
                self._begin_anew(at.partition, beginnings[at])
            elif fault := fault_of_start(known, beginnings[at], ends[at]):
                self._stop(at.partition, fault)
        consumer.assign(places)
        for at in places:
            if at.partition in self._stopped:
                consumer.seek(at, ends[at])
                consumer.pause(at)  # stays assigned, to be counted in the lag
            else:
                consumer.seek(at, self._start(at.partition, beginnings[at]))
        _log.info("adjust %s reads %s", self._name, TOPIC)

    def _begin_anew(self, partition: int, beginning: int) -> None:
        self._progress[partition] = Progress(beginning, seq=None if beginning else 0)
        if beginning:
            _log.warning(
                "Partition %d of %s: what came before offset %d has expired and is not kept here.",
                partition,
                TOPIC,
                beginning,
            )

    def _start(self, partition: int, beginning: int) -> int:
        """Begin with the last record that was kept, to see that it is still the same."""
        following, _, digest = self._progress[partition]
        if digest is None or following <= beginning:
            return following
        self._unproved.add(partition)
        return following - 1

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while not self._is_stopping:
            batches = await consumer.getmany(timeout_ms=int(KEEP_S * 1000), max_records=READ_MAX)
            await self._on_thread(self._keep, batches)
            for at in consumer.assignment():
                if at.partition in self._stopped:
                    consumer.pause(at)
            self._metrics.stopped.set(len(self._stopped))
            self._metrics.lag.set(await self._lag(consumer))

    async def _lag(self, consumer: AIOKafkaConsumer) -> int:
        """Count what is on the topic and not read; markers of transactions count as read."""
        behind = 0
        for at in consumer.assignment():
            read_to = self._progress[at.partition].following
            if at.partition not in self._stopped:
                read_to = max(read_to, await consumer.position(at))
            end = max(consumer.last_stable_offset(at) or 0, self._ends[at])
            behind += max(0, end - read_to)
        return behind

    def _keep(self, batches: Mapping[TopicPartition, list[Any]]) -> None:
        """Runs on the store's thread."""
        batch = Batch()
        for number, records in ((at.partition, found) for at, found in batches.items()):
            if number not in self._stopped:
                self._enter(batch, number, records)
        self._store.keep(batch)
        self._progress |= batch.positions
        self._metrics.count(batch)
        if batch.positions:
            self._said = None

    def _enter(self, batch: Batch, partition: int, records: list[Any]) -> None:
        known, fault = self._progress[partition], None
        if partition in self._unproved:
            self._unproved.discard(partition)
            fault, records = fault_of_last(known, records[0]), records[1:]
        if fault or (fault := enter(batch, partition, known, records)):
            self._stop(partition, fault)

    def _stop(self, partition: int, fault: str) -> None:
        self._stopped.add(partition)
        _log.error(
            "Partition %d of %s stops here, nothing of it is kept any more: %s. "
            "See docs/subscribing.md, Gaps.",
            partition,
            TOPIC,
            fault,
        )

    def _say_once(self, level: int, text: str) -> None:
        if text != self._said:
            self._said = text
            _log.log(level, "adjust %s %s", self._name, text)

    async def _on_thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


async def _partitions(client_options: dict[str, Any]) -> int:
    """Count the topic's partitions; all topics are asked for, since naming one may create it."""
    admin = AIOKafkaAdminClient(**client_options)
    try:
        await admin.start()
        counts = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics()}
    finally:
        await admin.close()
    if TOPIC not in counts:
        raise UnknownTopicOrPartitionError(TOPIC)
    return counts[TOPIC]
