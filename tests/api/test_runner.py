"""How batches are run: what is selected and sent, and what becomes of what fails."""

import asyncio
import json
from itertools import chain, groupby, pairwise, product
from math import inf
from time import monotonic
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from api.batches.entries import PART_ITEMS, Item, Part, request_id_of
from api.batches.reports import Batches
from api.batches.under_way import ITEMS_MIN, LOST_S, MORE_ITEMS, Piece
from api.rows import Rows
from api.store import Store
from tests.api.batches import (
    BATCH_ID,
    IN_FLIGHT_MAX,
    OTHER_ID,
    AnswerReader,
    Kafka,
    a_result_of,
    a_runner,
    keep_batch,
    rate,
)

LIMIT_S = 30.0


async def test_one_batch_selects_at_a_time(store: Store) -> None:
    rate(store, 2 * PART_ITEMS + 1)
    runner, kafka = a_runner(store), Kafka()
    batches = [keep_batch(store, batch_id) for batch_id in (BATCH_ID, OTHER_ID)]

    await asyncio.gather(*(runner._select(batch, kafka) for batch in batches))

    parts = [batch_id for batch_id, entry in kafka.entries if isinstance(entry, Part)]
    assert [len([*of_one]) for _, of_one in groupby(parts)] == [3, 3]


async def test_a_part_of_a_selection_that_kafka_does_not_take_is_told(store: Store) -> None:
    rate(store, PART_ITEMS + 1)
    kafka = Kafka()
    kafka.fails_at = 0
    with pytest.raises(KafkaTimeoutError):
        await a_runner(store)._select(keep_batch(store, BATCH_ID), kafka)


async def test_a_selection_that_does_not_become_the_batchs_is_not_written_without_a_pause(
    store: Store,
) -> None:
    keep_batch(store, BATCH_ID)
    kafka = Kafka()  # nobody reads what is written there
    await asyncio.wait_for(a_runner(store)._run(BATCH_ID, kafka), LIMIT_S)
    assert len(kafka.sent) == 1


async def test_an_item_that_was_sent_and_has_no_result_is_sent_again(store: Store) -> None:
    keep_batch(store, BATCH_ID, [Item("A", "E-1"), Item("A", "E-2")])

    def keep(requests: list[bytes]) -> None:
        """The first result comes, the others are lost."""
        event = json.loads(requests[0])["chargeableEventRefId"]
        store.keep(Rows(answers=[a_result_of(BATCH_ID, Item("A", event))]))

    kafka = Kafka()
    runner = a_runner(store, AnswerReader(kafka=kafka, keep=keep))
    for _ in range(2):
        await runner._run(BATCH_ID, kafka)

    sent = [
        json.loads(request)["chargeableEventRefId"] for request in chain(*kafka.requests.values())
    ]
    assert sent == ["E-1", "E-2", "E-2"]
    assert Batches(store.engine).running() == []


@pytest.mark.parametrize("quiet_s", [inf, 0.0], ids=["alone", "beside single requests"])
async def test_a_batch_waits_for_no_item_that_was_lost(store: Store, quiet_s: float) -> None:
    items = [Item("A", f"E-{number}") for number in range(3 * IN_FLIGHT_MAX)]
    keep_batch(store, BATCH_ID, items)
    kafka = Kafka()
    answers = [a_result_of(BATCH_ID, item) for item in items]
    reading = AnswerReader(
        kafka=kafka, quiet_s=quiet_s, keep=lambda _: store.keep(Rows(answers=answers))
    )
    runner = a_runner(store, reading)
    sent_s = monotonic() - LOST_S - 1
    runner._under_way.add(Piece(0, 1_000_000, IN_FLIGHT_MAX, sent_s))  # it is never answered

    await asyncio.wait_for(runner._run(BATCH_ID, kafka), LIMIT_S)

    assert Batches(store.engine).running() == []


@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "beside single requests"])
async def test_no_more_is_under_way_than_may_be_and_each_item_is_sent_once(
    store: Store, *, is_alone: bool
) -> None:
    kafka, most = Kafka(), 3 * ITEMS_MIN
    reading = AnswerReader(kafka=kafka, quiet_s=inf if is_alone else 0.0)
    runner = a_runner(store, reading, most)
    items = [Item(f"A-{number % 7}", f"E-{number}") for number in range(4 * most)]
    ids = BATCH_ID, OTHER_ID
    batches = [keep_batch(store, batch_id, items) for batch_id in ids]

    await asyncio.gather(*(runner._send(batch, kafka) for batch in batches))

    sent = [json.loads(request)["requestId"] for request in chain(*kafka.requests.values())]
    assert sorted(sent) == sorted(request_id_of(*each) for each in product(ids, items))
    for count, answers in kafka.under_way:
        assert count <= (most if is_alone else min(most, ITEMS_MIN + MORE_ITEMS * answers))
    at_first = max(count for count, answers in kafka.under_way if answers == 0)
    assert (at_first > ITEMS_MIN) == is_alone


async def test_beside_single_requests_it_rests_between_pieces(store: Store) -> None:
    kafka, took_s = _TimedKafka(), 0.02
    reading = AnswerReader(kafka=kafka, quiet_s=0.0, took_s=took_s)
    batch = keep_batch(store, BATCH_ID, [Item("A", f"E-{number}") for number in range(30)])

    await a_runner(store, reading)._send(batch, kafka)

    rests = [then - now for (what, now), (_, then) in pairwise(kafka.moments) if what == "answered"]
    assert len(rests) == 2
    assert min(rests) >= took_s


class _TimedKafka(Kafka):
    """Notes when it is sent something and when it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[tuple[str, float]] = []

    async def send_batch(self, piece: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        """Put requests on their topic."""
        self.moments.append(("sent", monotonic()))
        return await super().send_batch(piece, topic, partition)

    def answer(self) -> list[bytes]:
        """Answer some requests."""
        self.moments.append(("answered", monotonic()))
        return super().answer()
