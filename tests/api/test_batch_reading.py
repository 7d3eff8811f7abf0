"""How the read model takes in batches: selections in small steps, requests only after them."""

import asyncio
from math import isfinite
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from api.batches.entries import Definition, Item, Logged
from api.desk import TOPICS
from api.metrics import Metrics
from api.read_model import PARTS_MAX, READ_MAX, ReadModel
from api.results import Waiters
from api.rows import Rows
from api.store import Store

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
LOG = TopicPartition(TOPICS.batches, 0)
ADJUSTMENT = {"chargeType": "CREDIT", "chargeAdjustment": 1, "currency": "EUR", "taxIncluded": True}


class LongTopic:
    """A consumer of one partition that always has more; it counts who asks for its end."""

    def __init__(self, at: TopicPartition) -> None:
        self._at, self.asked = at, 0

    def assignment(self) -> set[TopicPartition]:
        """Give the partition."""
        return {self._at}

    async def getmany(self, *, max_records: int, timeout_ms: int = 0) -> dict[Any, list[Any]]:
        """Give as many records as are taken."""
        del timeout_ms
        return {self._at: [SimpleNamespace()] * max_records}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Give the ends."""
        self.asked += 1
        return dict.fromkeys(places, 1)


@pytest.fixture
def reader(store: Store) -> ReadModel:
    return ReadModel(TOPICS, {}, store, Waiters(), Metrics())


def a_batch(filter_: dict[str, str] | None, items: list[Item] | None) -> Rows:
    """What the topic of batches says of one."""
    asked = Definition("fin:omar", filter_, items, ADJUSTMENT)
    return Rows(batches=[Logged(BATCH_ID, 0, "2026-11-05T10:00:00.000Z", asked)])


def of_batch(name: bytes) -> dict[TopicPartition, list[Any]]:
    """A request that says it is of this batch."""
    record = SimpleNamespace(headers=[("batch", name)])
    return {TopicPartition(TOPICS.requests, 0): [record]}


@pytest.mark.parametrize(
    ("topic", "records"), [(TOPICS.batches, PARTS_MAX), (TOPICS.requests, READ_MAX)]
)
async def test_a_long_selection_is_kept_in_small_steps(
    reader: ReadModel, topic: str, records: int
) -> None:
    place = TopicPartition(topic, 0)
    assert len((await reader._fetched(LongTopic(place)))[place]) == records


async def test_the_end_of_the_topic_of_batches_is_asked_for_once_a_batch(
    reader: ReadModel, store: Store
) -> None:
    store.keep(a_batch(None, [Item("A", "E")]))
    kafka = LongTopic(LOG)
    reader._consumers, reader._reached = [kafka], {LOG: 1}

    for _ in range(3):
        await reader._until_selected(of_batch(BATCH_ID.encode()))

    assert kafka.asked == 1


@pytest.mark.parametrize("name", [b"of somebody else", b"\xff", b"", BATCH_ID.encode() + b"0"])
async def test_what_no_batch_can_be_called_is_not_looked_for(
    reader: ReadModel, name: bytes
) -> None:
    kafka = LongTopic(LOG)
    reader._consumers, reader._reached = [kafka], {LOG: 1}

    await reader._until_selected(of_batch(name))

    assert (kafka.asked, isfinite(reader.quiet_s)) == (0, True)


@pytest.mark.parametrize("is_selected", [True, False])
async def test_a_request_of_no_batch_that_is_run_is_a_single_one(
    reader: ReadModel, store: Store, *, is_selected: bool
) -> None:
    store.keep(a_batch(None, [Item("A", "E")]) if is_selected else a_batch({"kind": "USAGE"}, None))
    reader._consumers, reader._reached = [LongTopic(LOG)], {LOG: 1}

    await reader._until_selected(of_batch(BATCH_ID.encode()))

    assert isfinite(reader.quiet_s) != is_selected


async def test_a_batch_that_has_no_selection_yet_is_looked_for_each_time(
    reader: ReadModel, store: Store
) -> None:
    store.keep(a_batch({"kind": "USAGE"}, None))
    kafka = LongTopic(LOG)
    reader._consumers, reader._reached = [kafka], {LOG: 1}

    for _ in range(3):
        await reader._until_selected(of_batch(BATCH_ID.encode()))

    assert kafka.asked == 3


async def test_a_request_waits_for_the_selection_of_its_batch(
    reader: ReadModel, store: Store
) -> None:
    reader._consumers, reader._reached = [LongTopic(LOG)], {LOG: 0}
    waiting = asyncio.create_task(reader._until_selected(of_batch(BATCH_ID.encode())))
    done, _ = await asyncio.wait({waiting}, timeout=0)
    assert not done

    store.keep(a_batch(None, [Item("A", "E")]))
    await reader._move({LOG: 1})

    await waiting
