"""How long the engine lets Kafka wait for more records before it answers a fetch."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState

from streams.delivery.batches import BUSY, QUIET, ConsumerThread, Patience

PLACE = TopicPartition("requests", 3)


def subscriptions() -> SubscriptionState:
    """One partition, at its beginning."""
    made = SubscriptionState()
    made.assign_from_user([PLACE])
    made.subscription.assignment.state_value(PLACE).reset_to(0)
    return made


def patience_of(fetcher: Any) -> Patience:
    return Patience(fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes)


async def after(*counts: int) -> list[Patience]:
    """Give the patience after each of some fetches that brought so many records."""
    fetcher = MagicMock()
    subscription = subscriptions().subscription
    consumer = SimpleNamespace(
        _subscription=SimpleNamespace(subscription=subscription, fetch_context=nullcontext),
        _fetcher=fetcher,
        _max_poll_records=1,
        seek=MagicMock(),
    )
    thread: Any = ConsumerThread.__new__(ConsumerThread)
    thread.one_fetch, thread._ensure_consumer = asyncio.Lock(), lambda: consumer
    found = []
    for count in counts:
        records = [SimpleNamespace(offset=offset) for offset in range(count)]
        fetcher.fetched_records = AsyncMock(return_value={PLACE: records} if records else {})
        await thread._fetch({PLACE: 0})
        found.append(patience_of(fetcher))
    return found


async def test_kafka_may_wait_for_more_only_while_more_than_one_come_at_a_time() -> None:
    assert await after(0, 1, 2, 40, 1, 3, 0) == [QUIET, QUIET, BUSY, BUSY, QUIET, BUSY, QUIET]


async def test_a_fetch_is_as_patient_as_the_fetcher_was_told_last() -> None:
    client = MagicMock()
    client.cluster.leader_for_partition.return_value = 1
    state = subscriptions()
    fetcher: Any = Fetcher(client, state)
    try:
        fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = BUSY
        (_node, request), *_ = fetcher._get_actions_per_node(state.subscription.assignment)[0]
        assert (request._max_wait_ms, request._min_bytes) == BUSY
    finally:
        await fetcher.close()
