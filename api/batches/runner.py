"""Runs batches: selects their items and sends them, a bounded number at a time.

Which process runs a batch Kafka's group protocol says. It may be two for a moment: the log of
batches decides whose selection counts, and an item that is sent twice is a repeat of one request.
Whatever fails is tried again; what was sent is what has a result.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache, partial
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from api.batches.entries import PART_ITEMS, Item, Part, Selected, request_id_of
from api.batches.log import entry_bytes
from api.batches.reports import Batch, Batches
from api.batches.submission import BatchSubmission, request_of, without_defaults
from api.batches.under_way import Piece, UnderWay
from api.errors import NotCaughtUpError
from api.ingress import DroppableProducer
from api.read_model import Topics
from api.threads import closed_in_thread, in_thread
from schemas.headers import BATCH, CHANNEL

GROUP = "adjust-batches"
LOOK_S, AGAIN_S = 0.25, 1.0
CATCH_UP_S = 60.0
AT_ONCE = 1_000  # items of one partition that are sent together: the engine's largest transaction
ALONE_S = 2.0  # so long no single request came: there are none
BATCH_BYTES = 512 * 1024

_log = logging.getLogger(__name__)


class Reading(Protocol):
    """What is needed of the read model."""

    @property
    def answered(self) -> Mapping[int, int]:
        """By partition the offset of the last request whose result is kept."""

    @property
    def quiet_s(self) -> float:
        """For how many seconds no request was read that is not a batch's."""

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once something is so; looks each time that anything is kept."""

    async def catch_up(self, limit_s: float, topics: Collection[str]) -> None:
        """Return once everything is kept that these topics hold now."""


class Runner:
    """Runs the batches that fall to this process."""

    def __init__(
        self,
        *,
        topics: Topics,
        client_options: dict[str, Any],
        reading: Reading,
        batches: Batches,
        in_flight_max: int,
    ) -> None:
        """Say where from and where to; `run` does it."""
        self._topics = topics
        self._client_options = client_options
        self._reading, self._batches = reading, batches
        self._in_flight_max = in_flight_max
        self._under_way = UnderWay(in_flight_max)
        self._turn = asyncio.Lock()  # of the batches that run here
        self._selecting = asyncio.Lock()  # who selects keeps a connection
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def in_flight(self) -> int:
        """How many items were sent and have no result yet, as far as this process knows."""
        self._under_way.look(self._reading.answered, monotonic())
        return self._under_way.count

    async def run(self) -> None:
        """Run what falls to this process until cancelled, over each loss of Kafka."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    await self._serve(stack)
            except (KafkaError, TimeoutError, OSError) as error:
                _log.info("Batches wait for Kafka: %s", error)
            await asyncio.sleep(AGAIN_S)

    async def _serve(self, stack: AsyncExitStack) -> None:
        producer = DroppableProducer(
            **self._client_options,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
        )
        stack.push_async_callback(producer.drop)
        await producer.start()
        consumer = AIOKafkaConsumer(
            self._topics.batches,
            **self._client_options,
            group_id=GROUP,
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        self._under_way = UnderWay(
            self._in_flight_max
        )  # what was sent before Kafka was lost may not have arrived
        stack.push_async_callback(self._stop_all)
        while True:
            await consumer.getmany(timeout_ms=int(LOOK_S * 1000))
            owned = {place.partition for place in consumer.assignment()}
            await self._start_and_stop(owned, producer)

    async def _start_and_stop(self, owned: Collection[int], producer: AIOKafkaProducer) -> None:
        running = await asyncio.to_thread(self._batches.running)
        mine = {batch_id for batch_id, partition in running if partition in owned}
        for batch_id in mine - self._running.keys():
            _log.info("batch %s runs here", batch_id)
            self._running[batch_id] = asyncio.create_task(self._run(batch_id, producer))
        for batch_id in self._running.keys() - mine:
            if not self._running[batch_id].cancelling():
                self._running[batch_id].cancel()
        for batch_id, task in [*self._running.items()]:
            if task.done():
                del self._running[batch_id]
                if not task.cancelled():
                    task.result()
        if not self._running and self.in_flight:
            self._under_way = UnderWay(self._in_flight_max)  # nobody waits for what is left

    async def _stop_all(self) -> None:
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.wait(self._running.values())
        self._running.clear()

    async def _run(self, batch_id: str, producer: AIOKafkaProducer) -> None:
        """Select and send, until there is a result for each item; what is left is begun again."""
        try:
            await self._reading.catch_up(CATCH_UP_S, self._topics)  # what was decided already
            batch = await self._now(self._batches.batch, batch_id)
            if batch.selection is None:
                await self._select(batch, producer)
                batch = await self._now(self._batches.batch, batch_id)
            last = await self._send(batch, producer)
            await self._reading.until(partial(self._are_answered, last))
            report = await self._now(self._batches.report, batch_id)
            if report.finished_at is not None:
                return
            _log.warning("batch %s is begun again: %d items pending", batch_id, report.pending)
        except NotCaughtUpError:
            pass
        await asyncio.sleep(AGAIN_S)

    @staticmethod
    async def _now(look: Callable[[str], Batch | None], batch_id: str) -> Batch:
        batch = await asyncio.to_thread(look, batch_id)
        assert batch, "it is running, and nothing is forgotten but all at once"
        return batch

    async def _select(self, batch: Batch, producer: AIOKafkaProducer) -> None:
        """Write down which events are meant, of all that the topics hold now."""
        asked, selection, count = batch.definition, uuid4().hex, 0
        topic, key = self._topics.batches, batch.batch_id.encode()
        submission = BatchSubmission(
            batch_id=batch.batch_id,
            user=asked.user,
            is_dry_run=False,
            filter=asked.filter,
            items=None,
            adjustment=asked.adjustment,
        )
        parts, sent = self._batches.selecting(submission.event_filters, PART_ITEMS), []
        async with self._selecting, closed_in_thread(parts):
            while items := await in_thread(next, parts, None):
                part = entry_bytes(Part(selection, count, items))
                sent.append(await producer.send(topic, part, key=key))
                count += len(items)
        last = entry_bytes(Selected(selection, count))
        sent.append(await producer.send(topic, last, key=key))
        await asyncio.gather(*sent)
        await self._reading.catch_up(CATCH_UP_S, (topic,))

    async def _send(self, batch: Batch, producer: AIOKafkaProducer) -> Mapping[int, int]:
        """Send each item that has no result, as many at a time as may be under way.

        Gives by partition the offset of the last one. Those of one partition go together: one large
        transaction costs the engine less than one in each partition, and whoever asks for something
        of another partition does not wait.
        """
        request, last = _requests_of(batch), dict[int, int]()
        partitions = sorted(await producer.partitions_for(self._topics.requests))
        pages = self._batches.undecided(batch)
        while (page := await in_thread(next, pages, None)) is not None:
            parts = await asyncio.to_thread(by_partition, page, partitions)
            for partition, together in in_turn(parts, self._at_once):
                records = [*map(request, together)]
                async with self._turn:
                    await self._reading.until(partial(self._has_room, len(records)))
                    rest_s = self._under_way.rest_s(monotonic(), is_alone=self._is_alone)
                    await asyncio.sleep(rest_s)
                    last[partition] = await self._send_together(producer, partition, records)
        return last

    def _are_answered(self, last: Mapping[int, int]) -> bool:
        answered = self._reading.answered
        return all(answered.get(partition, -1) >= offset for partition, offset in last.items())

    @property
    def _is_alone(self) -> bool:
        return self._reading.quiet_s > ALONE_S

    def _at_once(self) -> int:
        return min(AT_ONCE, self._under_way.together(is_alone=self._is_alone))

    def _has_room(self, count: int) -> bool:
        now_s = monotonic()
        self._under_way.look(self._reading.answered, now_s)
        return self._under_way.has_room(count, now_s, is_alone=self._is_alone)

    async def _send_together(
        self, producer: AIOKafkaProducer, partition: int, records: Iterable[dict[str, Any]]
    ) -> int:
        """Send records in as few pieces as hold them, each of which costs the engine one fetch.

        Gives the offset of the last one.
        """
        builders = [producer.create_batch()]
        for record in records:
            if builders[-1].append(timestamp=None, **record) is None:
                builders.append(producer.create_batch())
                builders[-1].append(timestamp=None, **record)
        topic = self._topics.requests
        for builder in builders:
            count = builder.record_count()
            began_s = monotonic()
            sent = await (await producer.send_batch(builder, topic, partition=partition))
            last: int = sent.offset + count - 1
            self._under_way.add(Piece(partition, last, count, began_s))
        return last


def _requests_of(batch: Batch) -> Callable[[Item], dict[str, Any]]:
    asked, encode = batch.definition, msgspec.json.Encoder().encode
    adjustment = without_defaults(asked.adjustment)
    headers = [(CHANNEL, b"REST"), (BATCH, batch.batch_id.encode())]

    def request(item: Item) -> dict[str, Any]:
        request_id = request_id_of(batch.batch_id, item)
        value = encode(request_of(adjustment, request_id, asked.user, item))
        return {"key": item.account.encode(), "value": value, "headers": headers}

    return request


def by_partition(page: Iterable[Item], partitions: Sequence[int]) -> dict[int, list[Item]]:
    """Give the items of each partition."""
    place = DefaultPartitioner()
    of_account = cache(lambda account: place(account.encode(), partitions, partitions))
    parts: defaultdict[int, list[Item]] = defaultdict(list)
    for item in page:
        parts[of_account(item.account)].append(item)
    return parts


def in_turn(
    parts: dict[int, list[Item]], at_once: Callable[[], int]
) -> Iterator[tuple[int, list[Item]]]:
    """Use up items in lists of at most so many of one partition, the partitions in turn."""
    while left := sorted(partition for partition, items in parts.items() if items):
        for partition in left:
            size = at_once()
            yield partition, parts[partition][:size]
            del parts[partition][:size]
