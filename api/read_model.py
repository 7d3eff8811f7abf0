"""From the topics to SQL: one reader of requests and results, all partitions, no group.

What was read is kept together with how far, in one transaction on one writer thread; only then
are those told who wait for a result. So whoever has an answer finds it again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from api.errors import NotCaughtUpError
from api.metrics import Metrics
from api.records import answer_of, received_of
from api.results import Answer, Waiters
from api.store import Position, Received, Store

RECONNECT_S = 0.5
IDLE_MS = 100  # how long a fetch of nothing but transaction markers may go unnoticed
FETCH_WAIT_MS = 500  # data ends the wait at once
BATCH_MAX = 5_000

Batches = Mapping[TopicPartition, list[Any]]
T = TypeVar("T")

_log = logging.getLogger(__name__)


class ReadModel:
    """Reads the two topics into the store, and knows how far it is."""

    def __init__(
        self,
        topics: tuple[str, str],
        client_options: dict[str, Any],
        store: Store,
        waiters: Waiters,
        metrics: Metrics,
    ) -> None:
        """Say what to read and where to keep it; `run` does it."""
        self._requests, self._results = topics
        self._client_options = client_options
        self._store = store
        self._waiters = waiters
        self._metrics = metrics
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions = 0
        self._reached: dict[TopicPartition, int] = {}
        self._moved = asyncio.Condition()
        self._ends_at_start: Mapping[TopicPartition, int] | None = None
        self._catching_up = 0
        self._is_ready = False
        self._is_loss_told = False

    @property
    def is_ready(self) -> bool:
        """Whether the ends that the topics had at start have been reached."""
        return self._is_ready

    async def run(self) -> None:
        """Read until cancelled, and from where it stopped after each loss of Kafka."""
        try:
            while True:
                try:
                    await self._read()
                except (KafkaError, TimeoutError, OSError) as error:
                    if not self._is_loss_told:
                        _log.warning("The topics cannot be read now: %s", error)
                    self._is_loss_told = True
                await asyncio.sleep(RECONNECT_S)
        finally:
            self._writer.shutdown()

    async def catch_up(self, limit_s: float) -> None:
        """Return once everything is kept that the topics hold now. Raises NotCaughtUpError."""
        consumer = self._consumer
        if consumer is None:
            raise NotCaughtUpError
        self._catching_up += 1
        try:
            async with asyncio.timeout(limit_s):
                ends = await consumer.end_offsets(list(self._reached))
                async with self._moved:
                    await self._moved.wait_for(lambda: self._has_reached(ends))
        except (KafkaError, TimeoutError) as error:
            raise NotCaughtUpError from error
        finally:
            self._catching_up -= 1

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._client_options,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
            await self._begin(consumer)
            self._consumer, self._is_loss_told = consumer, False
            while True:
                batches = await consumer.getmany(timeout_ms=IDLE_MS, max_records=BATCH_MAX)
                if batches:
                    await self._take(batches)
                # Markers of transactions move a position without a record to tell of it. To look
                # is dear, and of use only to who waits.
                if not batches or not self._is_ready or self._catching_up:
                    await self._move({at: await consumer.position(at) for at in self._reached})
        finally:
            self._consumer = None
            await consumer.stop()

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Stand where the store says, or at the beginning if it is of another past."""
        cluster_id, counts = await _layout(self._client_options)
        if not counts.keys() >= {self._requests, self._results}:
            raise UnknownTopicOrPartitionError(self._requests, self._results)
        self._partitions = counts[self._requests]
        places = [
            TopicPartition(topic, number)
            for topic in (self._requests, self._results)
            for number in range(counts[topic])
        ]
        beginnings = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        stored = await self._on_writer(self._store.positions, cluster_id)
        starts = {at: stored.get((at.topic, at.partition), beginnings[at]) for at in places}
        if not all(beginnings[at] <= starts[at] <= ends[at] for at in places):
            _log.warning("What was kept of the topics is of another past; all is read anew.")
            stored, starts = {}, dict(beginnings)
        if not stored:
            await self._on_writer(self._store.start_anew, cluster_id)
        consumer.assign(places)
        for at in places:
            consumer.seek(at, starts[at])
        self._reached = starts
        if self._ends_at_start is None:
            self._ends_at_start = ends

    async def _take(self, batches: Batches) -> None:
        for answer in await self._on_writer(self._keep, batches):
            self._waiters.deliver(answer)
        for at, records in batches.items():
            self._metrics.records_read.labels(at.topic).inc(len(records))

    async def _move(self, reached: dict[TopicPartition, int]) -> None:
        async with self._moved:
            self._reached = reached
            self._moved.notify_all()
        self._is_ready = self._is_ready or self._has_reached(self._ends_at_start or {})

    def _keep(self, batches: Batches) -> list[Answer]:
        requests: list[Received] = []
        answers: list[Answer] = []
        positions: dict[Position, int] = {}
        for at, records in batches.items():
            positions[at.topic, at.partition] = records[-1].offset + 1
            if at.topic == self._results:
                answers += [answer for record in records if (answer := answer_of(record))]
            else:
                seen = (received_of(record, self._partitions) for record in records)
                requests += [request for request in seen if request is not None]
        self._store.keep(requests, answers, positions)
        return answers

    def _has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._reached.get(at, -1) >= end for at, end in ends.items())

    async def _on_writer(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, call, *arguments)


async def _layout(client_options: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Give the cluster's id and how many partitions each topic has.

    All topics are asked for: naming one that is not there yet would create it on some clusters.
    """
    admin = AIOKafkaAdminClient(**client_options)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return cluster["cluster_id"], {each["topic"]: len(each["partitions"]) for each in described}
