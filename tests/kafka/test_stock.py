"""What Faust and aiokafka do by themselves and the delivery works around: an upgrade tells us here.

Where one of these fails after an upgrade, a reason for some of our code may be gone.
"""

import asyncio
import inspect
import threading
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.protocol import transaction
from confluent_kafka.admin import AdminClient
from faust.stores.rocksdb import RocksDBOptions
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.threads import QueueServiceThread
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from tests.kafka.test_characterisation import make_topic
from tools.kafka.broker import Broker

PLACE = TP("requests", 0)
WAIT_S = 60.0


def stock_app() -> faust.App:
    return faust.App("stock", broker="kafka://127.0.0.1:1")


def close_loop(consumer: Any) -> None:
    """Of the thread that was made for it and never started."""
    consumer._thread.thread_loop.close()


def message_for(app: faust.App, offset: int) -> ConsumerMessage:
    return ConsumerMessage(
        topic=PLACE.topic,
        partition=PLACE.partition,
        offset=offset,
        timestamp=0.0,
        timestamp_type=0,
        headers={},
        key=None,
        value=b"request",
        checksum=None,
        tp=PLACE,
        generation_id=app.consumer_generation_id,
    )


@pytest.mark.parametrize(("kind", "acknowledged"), [("stock", [True]), ("ours", [False])])
async def test_an_agent_that_raises_acknowledges_its_event_unless_told_not_to(
    kind: str, acknowledged: list[bool]
) -> None:
    app = stock_app()
    app.flow_control.resume()
    stream: Any = app.channel().stream()
    message = message_for(app, 0)
    message.incref()
    stream.channel.queue.put_nowait(faust.Event(app, None, message.value, {}, message))

    async def agent() -> None:
        async with aclosing(aiter(stream) if kind == "stock" else stream.noack().events()) as each:
            async for _ in each:
                raise ValueError("not decided")

    with pytest.raises(ValueError, match="not decided"):
        await agent()
    await stream.stop()
    close_loop(app.consumer)
    assert [message.acked] == acknowledged


def test_the_stock_commit_steps_over_a_hole_of_one() -> None:
    consumer: Any = SimpleNamespace(
        _committed_offset={PLACE: 5},
        _acked={PLACE: [6]},
        _acked_index={PLACE: {6}},
        _gap={PLACE: None},
    )
    assert driver.Consumer._new_offset(consumer, PLACE) == 7


async def test_faust_clears_the_queues_each_time_it_resumes_and_a_recovery_resumes_twice() -> None:
    flow = FlowControlEvent()
    queue: FlowControlQueue[str] = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    flow.resume()
    queue.put_nowait("fetched meanwhile")
    flow.resume()
    assert queue.empty()
    for part in (Recovery._restart_recovery.fun, Recovery.on_recovery_completed):
        assert "flow_control.resume" in inspect.getsource(part)


async def test_what_a_cancelled_caller_asked_of_the_consumer_thread_goes_on_in_it() -> None:
    thread = QueueServiceThread()
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    async def fetch() -> None:
        begun.set()
        await asyncio.to_thread(may_end.wait, WAIT_S)
        ended.set()

    await thread.start()
    call = asyncio.create_task(thread.call_thread(fetch))
    assert await asyncio.to_thread(begun.wait, WAIT_S)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert not ended.is_set()
    may_end.set()
    assert await asyncio.to_thread(ended.wait, WAIT_S)
    await thread.stop()


@pytest.mark.parametrize(
    "name", ["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "TxnOffsetCommit"]
)
def test_a_transaction_is_still_spoken_in_its_first_version(name: str) -> None:
    versions = [each for each in dir(transaction) if each.startswith(f"{name}Request_v")]
    assert versions == [f"{name}Request_v0"]
    assert "generation_id" not in transaction.TxnOffsetCommitRequest_v0.SCHEMA.names


@pytest.mark.parametrize(("static", "left"), [("stays", 1), (None, 0)])
async def test_a_static_member_does_not_leave_its_group_when_it_stops(
    kafka: Broker, static: str | None, left: int
) -> None:
    topic = group = f"membership-{left}"
    await make_topic(kafka, topic)
    consumer = AIOKafkaConsumer(
        topic, group_id=group, group_instance_id="one", bootstrap_servers=kafka.bootstrap
    )
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=50)
    consumer._coordinator._group_instance_id = static
    await consumer.stop()
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    described = admin.describe_consumer_groups([group])[group].result(WAIT_S)
    assert len(described.members) == left


async def test_who_never_polls_leaves_the_group_and_an_empty_fetch_counts_as_a_poll() -> None:
    state = SubscriptionState()
    before = state._last_fetch_ended = state._last_fetch_ended - 1000
    assert state.fetcher_idle_time >= 1000
    with state.fetch_context():
        assert state.fetcher_idle_time == 0
    assert state._last_fetch_ended > before
    source = inspect.getsource(GroupCoordinator._heartbeat_routine)
    assert source.index("fetcher_idle_time") < source.index("_maybe_leave_group")


def test_faust_waits_one_and_a_half_seconds_for_a_fetch_whatever_is_set() -> None:
    source = inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "fetch_max_wait_ms=1500" in source


def test_the_defaults_that_we_turn_off_are_still_what_they_were() -> None:
    settings = stock_app().conf
    assert settings.web_enabled
    assert str(settings.web_bind) == "0.0.0.0"  # noqa: S104 - that is the finding
    assert RocksDBOptions().block_cache_size == 2 << 30  # of each of a worker's tables
    assert not stock_app().in_transaction
