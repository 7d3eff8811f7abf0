"""From the topics to SQL: requests, results and business transactions, all partitions, no group.

Each topic has a reader of its own. What they bring is kept together with how far they are, in one
transaction on one writer thread: whoever comes while it is busy shares the next one. Results queue
behind their requests and the entities that they changed: they are kept together or after them, so
nothing is ever said to be applied whose charge is not there, and whoever has an answer finds all of
it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import chain
from math import inf
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from api.batches.log import logged
from api.batches.reports import Batches
from api.errors import NotCaughtUpError
from api.metrics import Metrics
from api.records import answer_of, batch_of, enter_transaction, received_of
from api.results import Answer, Waiters
from api.rows import Position, Progress, Rows
from api.store import Store
from api.threads import in_full
from schemas.headers import seq_of

RECONNECT_S = 0.5
IDLE_MS = 100  # how long a fetch of nothing but transaction markers may go unnoticed
FETCH_WAIT_MS, FETCH_BYTES = 500, 1 << 20  # for data, which ends the wait; of one partition
# All parts of a selection are in one partition, and aiokafka leaves a partition out of a fetch as
# long as records of it are not used up: so fetches of many parts, and short waits for the others.
PARTS_WAIT_MS, PARTS_BYTES = 50, 8 << 20
READ_MAX = 250  # records at once, for the few milliseconds that this keeps a caller waiting
PARTS_MAX = 2  # likewise, of the batches' topic: each may be a thousand items
BATCH_MAX = 5_000
CHECKPOINT_S = 0.5

Records = Mapping[TopicPartition, list[Any]]
T = TypeVar("T")

_log = logging.getLogger(__name__)


class Topics(NamedTuple):
    """The names of the topics that are read."""

    requests: str
    results: str
    transactions: str
    batches: str


class ReadModel:
    """Reads the topics into the store, and knows how far it is."""

    def __init__(
        self,
        topics: Topics,
        client_options: dict[str, Any],
        store: Store,
        waiters: Waiters,
        metrics: Metrics,
    ) -> None:
        """Say what to read and where to keep it; `run` does it."""
        self._topics = topics
        self._client_options = client_options
        self._store, self._batches = store, Batches(store.engine)
        self._waiters = waiters
        self._metrics = metrics
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._writing = asyncio.Lock()
        self._unwritten: list[Records] = []
        self._consumers: list[AIOKafkaConsumer] = []
        self._partitions = 0
        self._reached: dict[TopicPartition, int] = {}
        self._given: dict[TopicPartition, int] = {}  # to the writer, by whom it is kept in turn
        self._answered: dict[int, int] = {}
        self._asked_at = -inf
        self._seq: dict[int, int] = {}  # of the last business transaction of each partition
        self._seq_given: dict[int, int] = {}
        self._selected: set[str] = set()  # batches whose selection is known to be kept
        self._moved = asyncio.Condition()
        self._ends_at_start: Mapping[TopicPartition, int] | None = None
        self._catching_up = 0
        self._is_ready = False
        self._is_loss_told = False

    @property
    def is_ready(self) -> bool:
        """Whether the ends that the topics had at start have been reached."""
        return self._is_ready

    @property
    def lag(self) -> int | None:
        """How many records are known to be on the topics and not kept; None without Kafka."""
        if not self._consumers:
            return None
        ends = (
            (consumer.last_stable_offset(at) or 0) - self._reached.get(at, 0)
            for consumer in self._consumers
            for at in consumer.assignment()
        )
        return sum(max(0, behind) for behind in ends)

    @property
    def answered(self) -> Mapping[int, int]:
        """By partition the offset of the last request whose result is kept."""
        return self._answered

    @property
    def quiet_s(self) -> float:
        """For how many seconds no request was read that is not a batch's."""
        return monotonic() - self._asked_at

    async def run(self) -> None:
        """Read until cancelled, and from where it stopped after each loss of Kafka."""
        try:
            while True:
                try:
                    await self._read()
                except* (KafkaError, TimeoutError, OSError) as errors:
                    if not self._is_loss_told:
                        _log.warning("The topics cannot be read now: %s", errors.exceptions[0])
                    self._is_loss_told = True
                await asyncio.sleep(RECONNECT_S)
        finally:
            self._writer.shutdown()

    async def catch_up(self, limit_s: float, topics: Collection[str]) -> None:
        """Return once everything is kept that these topics hold now. Raises NotCaughtUpError."""
        if not self._consumers:
            raise NotCaughtUpError
        places = [at for at in self._reached if at.topic in topics]
        self._catching_up += 1
        try:
            async with asyncio.timeout(limit_s):
                ends = await self._consumers[0].end_offsets(places)
                async with self._moved:
                    await self._moved.wait_for(lambda: self._has_reached(ends))
        except (KafkaError, TimeoutError) as error:
            raise NotCaughtUpError from error
        finally:
            self._catching_up -= 1

    async def show(self, partition: int, offset: int, limit_s: float) -> None:
        """Return once a result, and all that it tells of, is kept. Raises NotCaughtUpError."""
        try:
            async with asyncio.timeout(limit_s), self._moved:
                at = TopicPartition(self._topics.results, partition)
                await self._moved.wait_for(lambda: self._reached.get(at, 0) > offset)
        except TimeoutError as error:
            raise NotCaughtUpError from error

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once something is so; looks each time that anything is kept."""
        async with self._moved:
            await self._moved.wait_for(is_so)

    async def _read(self) -> None:
        async with AsyncExitStack() as stack:
            consumers = [await self._consumer(stack, topic) for topic in self._topics]
            starts = await self._begin(consumers[0])
            for consumer, topic in zip(consumers, self._topics, strict=True):
                places = [at for at in starts if at.topic == topic]
                consumer.assign(places)
                for at in places:
                    consumer.seek(at, starts[at])
            stack.callback(self._consumers.clear)
            self._consumers, self._is_loss_told = consumers, False
            async with asyncio.TaskGroup() as group:
                group.create_task(self._put_in_file())
                for consumer in consumers:
                    group.create_task(self._follow(consumer))

    async def _consumer(self, stack: AsyncExitStack, topic: str) -> AIOKafkaConsumer:
        is_of_parts = topic == self._topics.batches
        consumer = AIOKafkaConsumer(
            **self._client_options,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            fetch_max_wait_ms=PARTS_WAIT_MS if is_of_parts else FETCH_WAIT_MS,
            max_partition_fetch_bytes=PARTS_BYTES if is_of_parts else FETCH_BYTES,
        )
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        return consumer

    async def _begin(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Stand where the store says, or at the beginning if it is of another past."""
        cluster_id, counts = await _layout(self._client_options)
        if not counts.keys() >= set(self._topics):
            raise UnknownTopicOrPartitionError(*self._topics)
        self._partitions = counts[self._topics.requests]
        places = [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in range(counts[topic])
        ]
        beginnings = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        stored = await self._on_writer(self._store.positions, cluster_id)
        starts = {at: _start(stored, at, beginnings[at]).following for at in places}
        if not all(beginnings[at] <= starts[at] <= ends[at] for at in places):
            _log.warning("What was kept of the topics is of another past; all is read anew.")
            stored, starts = {}, dict(beginnings)
        if not stored:
            await self._on_writer(self._store.start_anew, cluster_id)
            self._selected.clear()
            self._answered.clear()
        self._reached, self._given = dict(starts), dict(starts)
        transactions = [at for at in places if at.topic == self._topics.transactions]
        self._seq = {at.partition: _start(stored, at, 0).seq for at in transactions}
        self._seq_given, self._unwritten = dict(self._seq), []
        if self._ends_at_start is None:
            self._ends_at_start = ends
        return starts

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        places = consumer.assignment()
        while True:
            batches = await self._fetched(consumer)
            if batches:
                await self._until_told(batches)
                await self._until_selected(batches)
                await self._keep(batches)
            # Markers of transactions move a position without a record to tell of it. To look is
            # dear, and of use only to who waits.
            if not batches or not self._is_ready or self._catching_up:
                await self._move({at: await consumer.position(at) for at in places})

    async def _fetched(self, consumer: AIOKafkaConsumer) -> Records:
        """Give what there is, and while the writer is busy what comes meanwhile."""
        batches: dict[TopicPartition, list[Any]]
        is_of_parts = any(at.topic == self._topics.batches for at in consumer.assignment())
        read_max, batch_max = (PARTS_MAX,) * 2 if is_of_parts else (READ_MAX, BATCH_MAX)
        batches = await consumer.getmany(timeout_ms=IDLE_MS, max_records=read_max)
        count = more = sum(map(len, batches.values()))
        while more and count < batch_max and self._writing.locked():
            following = await consumer.getmany(max_records=read_max)
            for at, records in following.items():
                batches.setdefault(at, []).extend(records)
            more = sum(map(len, following.values()))
            count += more
            await asyncio.sleep(0)
        return batches

    async def _put_in_file(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            await asyncio.to_thread(self._store.checkpoint)

    async def _until_told(self, batches: Records) -> None:
        """Wait, with results, until all that they tell of is given to the writer before them.

        The last ones tell the most.
        """
        results = [records for at, records in batches.items() if at.topic == self._topics.results]
        last = [answer for records in results if (answer := last_answer(records))]
        async with self._moved:
            await self._moved.wait_for(lambda: all(map(self._is_told, last)))

    async def _until_selected(self, batches: Records) -> None:
        """Wait, with requests of a batch, until its selection is kept: it was written before."""
        requests = (records for at, records in batches.items() if at.topic == self._topics.requests)
        found = {batch_of(record) for record in chain.from_iterable(requests)}
        named = {batch_id for batch_id in found if batch_id is not None} - self._selected
        if named:
            places = [at for at in self._reached if at.topic == self._topics.batches]
            ends = await self._consumers[0].end_offsets(places)
            async with self._moved:
                await self._moved.wait_for(lambda: self._has_reached(ends))
            self._selected |= await asyncio.to_thread(self._batches.selected, named)
        if found - self._selected:
            self._asked_at = monotonic()

    async def _keep(self, batches: Records) -> None:
        """Write this, and all else that waits; then nothing of it waits any more.

        Whoever ends the reading, what was written is learnt: it is not read again.
        """
        await self._give(batches)
        await in_full(self._write_all())

    async def _write_all(self) -> None:
        async with self._writing:
            taken, self._unwritten = self._unwritten, []
            if not taken:
                return  # the one before took it along
            rows = await self._on_writer(self._write, taken)
        for (topic, number), progress in rows.positions.items():
            self._reached[TopicPartition(topic, number)] = progress.following
            if topic == self._topics.transactions:
                self._seq[number] = progress.seq
        for at, records in (each for written in taken for each in written.items()):
            self._metrics.records_read.labels(at.topic).inc(len(records))
        for answer in rows.answers:
            self._answered[answer.partition] = answer.request_offset
            self._waiters.deliver(answer)
        async with self._moved:
            self._moved.notify_all()

    async def _give(self, batches: Records) -> None:
        """Let it wait for the writer, who takes all at once that waits, or all before it."""
        self._unwritten.append(batches)
        for at, records in batches.items():
            self._given[at] = records[-1].offset + 1
            if at.topic == self._topics.transactions:
                known = self._seq_given.get(at.partition, 0)
                self._seq_given[at.partition] = last_seq(records, known)
        async with self._moved:
            self._moved.notify_all()

    def _write(self, taken: list[Records]) -> Rows:
        """Runs on the writer thread."""
        rows, last = Rows(), dict(self._seq)
        for at, records in (each for batches in taken for each in batches.items()):
            seq = 0
            if at.topic == self._topics.transactions:
                seq = last[at.partition] = last_seq(records, last.get(at.partition, 0))
                for record in records:
                    enter_transaction(rows, record)
            elif at.topic == self._topics.batches:
                rows.batches += [entry for record in records if (entry := logged(record))]
            elif at.topic == self._topics.results:
                rows.answers += [answer for record in records if (answer := answer_of(record))]
            else:
                seen = (received_of(record, self._partitions) for record in records)
                rows.requests += [request for request in seen if request is not None]
            rows.positions[at.topic, at.partition] = Progress(records[-1].offset + 1, seq)
        self._store.keep(rows)
        return rows

    def _is_told(self, answer: Answer) -> bool:
        """Whether the request and the changed entities of a result are given to the writer."""
        asked = TopicPartition(self._topics.requests, answer.partition)
        return (
            self._seq_given.get(answer.partition, 0) >= answer.state_seq
            and self._given[asked] > answer.request_offset
        )

    async def _move(self, reached: dict[TopicPartition, int]) -> None:
        async with self._moved:
            self._reached |= reached
            self._given |= reached
            self._moved.notify_all()
        self._is_ready = self._is_ready or self._has_reached(self._ends_at_start or {})

    def _has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._reached.get(at, -1) >= end for at, end in ends.items())

    async def _on_writer(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, call, *arguments)


def _start(stored: Mapping[Position, Progress], at: TopicPartition, beginning: int) -> Progress:
    return stored.get((at.topic, at.partition), Progress(beginning, 0))


def last_seq(records: Sequence[Any], known: int) -> int:
    """Give the number of the last business transaction that is the engine's."""
    numbers = (seq_of(dict(record.headers)) for record in reversed(records))
    return next((number for number in numbers if number is not None), known)


def last_answer(records: Sequence[Any]) -> Answer | None:
    """Give the last result that is the engine's."""
    return next(filter(None, map(answer_of, reversed(records))), None)


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
