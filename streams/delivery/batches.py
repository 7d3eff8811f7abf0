"""Faust's transport with the batch as the event: one event is one fetched slice of one partition.

The only module that knows private names of aiokafka's consumer and Faust's driver.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.delivery.delivery import delivery_of
from streams.delivery.errors import die
from streams.delivery.intake import (
    Fetched,
    HandOver,
    Queue,
    Slice,
    deliver,
    misplaced,
    moved,
)
from streams.delivery.steps import drive

POLL_S = 0.1
NOTHING_WANTED_S = 0.02
WATCH_S = 1.0
MONITOR_S = 5.0  # group offsets are for lag monitors only; nothing reads them


class Patience(NamedTuple):
    """How long Kafka may wait for more before it answers a fetch."""

    wait_ms: int
    bytes_min: int


QUIET = Patience(100, 1)  # whatever comes is fetched at once
BUSY = Patience(6, 16 << 10)  # more is about to come, and a fetch costs as much as a transaction


class SliceSchema(Schema[Any, Any]):
    """The event's value is the slice itself: there is nothing to decode."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - as the base
        """Nothing to decode."""
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - as the base
        """Nothing to decode."""
        return message.value


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Has a thread and an event loop of its own: heartbeats go on whatever the main loop does."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:  # noqa: ARG002 - as the base
        conf = self.app.conf
        self._assignor = self.app.assignor
        self.one_fetch = asyncio.Lock()
        return AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=QUIET.wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            **delivery_of(self.app).client_options,
        )

    async def on_start(self) -> None:
        """Watch what aiokafka would tell only to who asks."""
        await super().on_start()
        self.watch = asyncio.create_task(self._watch_errors())

    async def _watch_errors(self) -> None:
        while True:
            try:
                self._ensure_consumer()._coordinator.check_errors()
            except Exception as error:  # noqa: BLE001 - not authorised, fenced: none heals
                die("in the consumer group", error)
            await asyncio.sleep(WATCH_S)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust looks for partitions that are never fetched; parked changelogs are none."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Park all partitions, changelogs too: with a position aiokafka looks for no offsets."""
        try:
            consumer = self._ensure_consumer()
            for tp in assigned:
                consumer.seek(TopicPartition(*tp), 0)
                consumer.pause(TopicPartition(*tp))
            await super().on_partitions_assigned(assigned, generation_id)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
            die("in an assignment", error)

    async def on_thread_stop(self) -> None:
        """A static member sends no LeaveGroup: its partitions would wait for its session to end."""
        self.watch.cancel()
        if delivery_of(self.app).leaves_on_stop and self._consumer:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()

    async def fetch(self, want: dict[TopicPartition, int]) -> dict[TopicPartition, Fetched]:
        """Records from exactly the offsets asked for, of those partitions that moved."""
        fetched: dict[TopicPartition, Fetched] = await self.call_thread(self._fetch, want)
        return fetched

    async def _fetch(self, want: dict[TopicPartition, int]) -> dict[TopicPartition, Fetched]:
        """Runs in the consumer's loop.

        The lock: a fetch whose caller was cancelled goes on here and takes records; the next waits
        for it, sees the wrong position and seeks back. Only a fetch or a seek moves a position, so
        it may be read before and after.
        """
        consumer = self._ensure_consumer()
        with consumer._subscription.fetch_context():
            if not want:  # counts as a poll: without one for max_poll_interval aiokafka leaves the
                return {}  # group, and does not join again before the next
        async with self.one_fetch:
            assignment = consumer._subscription.subscription.assignment
            states = {tp: assignment and assignment.state_value(tp) for tp in want}
            if any(state is None or not state.has_valid_position for state in states.values()):
                return {}  # reassigned meanwhile
            for tp, at in misplaced(want, _positions(states)).items():
                consumer.seek(tp, at)
            for tp, state in states.items():
                if state.paused:
                    consumer.resume(tp)
            with consumer._subscription.fetch_context():
                got = await consumer._fetcher.fetched_records(
                    set(want), timeout=POLL_S, max_records=consumer._max_poll_records
                )
            is_busy = sum(map(len, got.values())) > 1
            _be_patient(consumer._fetcher, BUSY if is_busy else QUIET)
            if not assignment.active:
                return {}
            return moved(want, got, _positions(states))

    async def tell_monitors(self, offsets: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Commit group offsets, so that lag monitors see something. It may fail at a rebalance.

        Answers with the ends of these logs, as the last fetches saw them.
        """
        ends: dict[TopicPartition, int] = await self.call_thread(self._tell_monitors, offsets)
        return ends

    async def _tell_monitors(self, offsets: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        consumer = self._ensure_consumer()
        owned = {tp: at for tp, at in offsets.items() if tp in consumer.assignment()}
        with contextlib.suppress(KafkaError):
            if owned:
                await consumer.commit({tp: OffsetAndMetadata(at, "") for tp, at in owned.items()})
        return {tp: consumer.highwater(tp) or at for tp, at in owned.items()}


def _be_patient(fetcher: Any, patience: Patience) -> None:
    """As of the next fetch, which begins once the records of this one are taken."""
    fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = patience


class Consumer(driver.Consumer):
    """Hands slices over and forgets Faust's own offsets."""

    _thread: ConsumerThread

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Faust seeks to committed offsets after recovery; here every fetch says its own."""

    async def _commit(self, offsets: Any) -> bool:  # noqa: ARG002 - as the base
        return True

    def _new_offset(self, tp: TP) -> int | None:
        """Faust counts acknowledged offsets one by one; a slice is acknowledged whole."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return int(last) + 1

    async def _drain_messages(self, fetcher: Any) -> None:
        delivery = delivery_of(self.app)
        told_at = self.loop.time()
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                want, take_over = delivery.wanted(), delivery.flow.take_over
                generation = self.app.consumer_generation_id
                fetched = await self._thread.fetch(want)
                for tp, found in fetched.items():
                    await self._deliver(tp, found, take_over, generation)
                if not want:
                    await asyncio.sleep(NOTHING_WANTED_S)
                if self.loop.time() - told_at > MONITOR_S:
                    told_at = self.loop.time()
                    delivery.report_lag(await self._thread.tell_monitors(delivery.offsets()))
        except (asyncio.CancelledError, *self.consumer_stopped_errors):  # type: ignore[misc] # untyped
            if not self.app.should_stop:
                raise
        except Exception as error:  # noqa: BLE001 - out of range, corrupt, not allowed: none heals
            die("in a fetch", error)

    async def _deliver(
        self, tp: TopicPartition, found: Fetched, take_over: int, generation: int
    ) -> None:
        """Carry out the steps of `intake.deliver` for what one fetch returned."""
        delivery = delivery_of(self.app)

        async def queue(step: Queue) -> bool:
            try:
                message = _message(tp, step.part, generation)
                await self.wait_first(self.callback(message), self.suspend_flow.wait())
            except KeyError:
                return True  # the partition left in this moment
            return False

        async def hand_over(step: HandOver) -> None:
            delivery.hand_over(tp.partition, step.part)

        await delivery.point("Fetch", tp.partition)
        steps = deliver(delivery.flow, tp.topic, found, take_over)
        await drive(steps, {Queue: queue, HandOver: hand_over})


def _positions(states: Mapping[TopicPartition, Any]) -> dict[TopicPartition, int]:
    return {tp: state.position for tp, state in states.items()}


def _message(tp: TopicPartition, part: Slice, generation: int) -> ConsumerMessage:
    return ConsumerMessage(
        topic=tp.topic,
        partition=tp.partition,
        offset=part.end - 1,
        timestamp=part.records[-1].timestamp / 1000 if part.records else 0.0,
        timestamp_type=0,
        headers=None,
        key=None,
        value=part,  # type: ignore[arg-type] # a slice where Faust has bytes
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        tp=TP(*tp),
        generation_id=generation,
    )


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer
