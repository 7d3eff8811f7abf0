"""Where batches are easily got wrong: others' ids, the order of reading, defaults that are said."""

import json
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.batches.entries import Definition, Item, Logged, may_be_of_item, request_id_of
from api.batches.log import definition_of
from api.batches.reports import Batches
from api.batches.runner import Runner, by_partition, in_turn
from api.batches.submission import BatchSubmission, judge_batch, request_of, without_defaults
from api.batches.under_way import AIM_S, ITEMS_MIN, LOST_S, REST_MAX_S, Piece, UnderWay
from api.desk import TOPICS
from api.rows import Rows
from api.store import Store
from schemas.forms import REF_ID_PATTERN as REF_ID
from schemas.reading import read_request
from streams.domain.decide import content_of
from tests.api.builders import a_result, an_answer
from tests.api.fakes import SettledReader

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 10_000,
    "currency": "EUR",
    "taxIncluded": True,
}
EFFECT = {"taxExcludedAmount": -3, "taxAmount": -1, "taxIncludedAmount": -4}


def a_body(**changes: Any) -> dict[str, Any]:
    """A batch over one account."""
    return {
        "batchId": BATCH_ID,
        "user": "fin:omar",
        "filter": {"account": "A"},
        "adjustment": ADJUSTMENT,
    } | changes


def keep_batch(store: Store, *items: Item) -> None:
    """Let the read model know a batch that lists these."""
    asked = Definition("fin:omar", None, list(items), ADJUSTMENT)
    store.keep(Rows(batches=[Logged(BATCH_ID, 0, "2026-11-05T10:00:00.000Z", asked)]))


def answer_of(item: Item, account: str | None = None, **changes: Any) -> Any:
    """The result of an item."""
    request_id = request_id_of(BATCH_ID, item)
    owner = account or item.account
    value = a_result(
        requestId=request_id,
        account={"refId": owner},
        chargeableEventRefId=item.event,
        adjustment={"effect": EFFECT},
    )
    return an_answer(value, request_id=request_id, account=owner, **changes)


def test_a_request_of_another_account_with_an_items_id_hides_no_result(store: Store) -> None:
    item = Item("A", "E")
    keep_batch(store, item)

    store.keep(Rows(answers=[answer_of(item, account="B"), answer_of(item)]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert (report.applied, report.pending) == (1, 0)


def test_a_batch_finished_when_its_last_item_was_decided_however_it_was_read(
    store: Store,
) -> None:
    items = Item("A", "E"), Item("B", "E")
    keep_batch(store, *items)
    later, earlier = "2026-11-05T10:00:05.000Z", "2026-11-05T10:00:01.000Z"

    store.keep(Rows(answers=[answer_of(items[0], decided_at=later)]))
    store.keep(Rows(answers=[answer_of(items[1], decided_at=earlier)]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert report.finished_at == later


async def test_ten_thousand_items_with_guids_for_ids_are_taken(client: httpx.AsyncClient) -> None:
    items = [
        {"account": {"refId": str(UUID(int=n))}, "chargeableEventRefId": str(uuid4())}
        for n in range(10_000)
    ]
    body = a_body(items=items, filter=None, dryRun=True)

    answer = await client.post("/v1/adjustment-batches", json=body)

    assert answer.status_code == 200, answer.json()["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"adjustment": ADJUSTMENT | {"adjustmentMode": "AMOUNT"}},
        {"adjustment": ADJUSTMENT | {"taxTreatment": "PROPORTIONAL"}},
        {"filter": {"account": "A", "kind": None}},
        {"adjustment": ADJUSTMENT | {"requestId": None, "percent": None}},
    ],
    ids=["mode", "treatment", "null in the filter", "null in the adjustment"],
)
def test_a_default_that_is_said_makes_no_other_batch(changes: dict[str, Any]) -> None:
    assert definition(a_body(**changes)) == definition(a_body())


def test_null_in_an_item_counts_as_absent() -> None:
    said = {"account": {"refId": "A"}, "chargeableEventRefId": "E"}
    nulls = {"account": {"refId": "A", "id": None}, "expectedVersion": None, "percent": None}

    plain, with_nulls = (a_body(filter=None, items=[item]) for item in (said, said | nulls))

    assert definition(with_nulls) == definition(plain)


def definition(body: dict[str, Any]) -> bytes:
    """What is kept of a batch that is in order."""
    judged = judge_batch(json.dumps(body).encode(), None)
    assert isinstance(judged, BatchSubmission), judged
    return definition_of(judged)


@given(st.uuids(), st.from_regex(REF_ID, fullmatch=True), st.from_regex(REF_ID, fullmatch=True))
def test_the_id_of_an_item_is_the_uuid_of_batch_account_and_event(
    batch_id: UUID, account: str, event: str
) -> None:
    found = request_id_of(str(batch_id), Item(account, event))
    assert found == str(uuid5(batch_id, f"{account}/{event}"))
    assert may_be_of_item(found)


def test_items_are_counted_in_whatever_order_they_are_decided(store: Store) -> None:
    items = [Item("A", f"E-{number}") for number in range(5)]
    keep_batch(store, *items)
    others = [an_answer(a_result(), request_id=str(UUID(int=n))) for n in range(3)]
    last, first, second, *_ = (answer_of(items[number]) for number in (-1, 0, 1))

    store.keep(Rows(answers=[*others, last, first, last]))
    store.keep(Rows(answers=[first, second, *others]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert (report.applied, report.pending) == (3, 2)


def test_a_batch_that_is_read_anew_is_counted_anew(store: Store) -> None:
    items = Item("A", "E"), Item("B", "E")
    for _ in range(2):
        store.start_anew("cluster")
        keep_batch(store, *items)
        store.keep(Rows(answers=[answer_of(items[0])]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert (report.applied, report.pending) == (1, 1)


def test_requests_are_under_way_until_one_of_the_same_or_later_is_answered() -> None:
    under_way, counts = UnderWay(100), []
    for piece in (Piece(0, 9, 10, 0.0), Piece(1, 4, 5, 0.0), Piece(0, 19, 10, 0.0)):
        under_way.add(piece)

    for answered in ({}, {0: 8}, {0: 12}, {0: 12, 1: 4}):
        under_way.look(answered, 0.0)
        counts.append(under_way.count)

    assert counts == [25, 25, 15, 10]


def test_beside_single_requests_fewer_items_are_sent_together_as_they_take_longer() -> None:
    under_way, limits = UnderWay(1_000), []
    for offset, took_s in enumerate([AIM_S / 2] * 200 + [2 * AIM_S] * 20):
        together = under_way.together(is_alone=False)
        under_way.add(Piece(0, offset, together, 0.0))
        under_way.look({0: offset}, took_s)
        limits.append(together)

    assert limits[:200] == sorted(limits[:200])
    assert limits[201:] == sorted(limits[201:], reverse=True)
    assert (limits[0], limits[199], limits[219]) == (ITEMS_MIN, 1_000, ITEMS_MIN)
    assert under_way.together(is_alone=True) == 500


def test_what_few_items_took_does_not_let_more_be_sent_together() -> None:
    under_way = UnderWay(1_000)
    for offset in range(20):
        under_way.add(Piece(0, offset, ITEMS_MIN // 2, 0.0))
        under_way.look({0: offset}, AIM_S / 2)
    assert under_way.together(is_alone=False) == ITEMS_MIN


@pytest.mark.parametrize(
    ("took_s", "rest_s"), [([], 0.0), ([0.02], 0.02), ([0.02, 0.03], 0.03), ([9.0], REST_MAX_S)]
)
def test_beside_single_requests_a_batch_rests_as_long_as_its_last_items_took(
    took_s: list[float], rest_s: float
) -> None:
    under_way, now_s = UnderWay(1_000), 100.0
    for offset, each in enumerate(took_s):
        under_way.add(Piece(0, offset, 1, now_s))
        under_way.look({0: offset}, now_s := now_s + each)
    under_way.add(Piece(1, 0, 1, now_s))
    under_way.look({}, now_s)  # nothing more is answered

    rests = [
        under_way.rest_s(moment_s, is_alone=is_alone)
        for moment_s, is_alone in ((now_s, False), (now_s + rest_s / 2, False), (now_s, True))
    ]
    assert rests == pytest.approx([rest_s, rest_s / 2, 0.0])
    assert under_way.rest_s(now_s + 2 * REST_MAX_S, is_alone=False) == 0.0


@pytest.mark.parametrize(
    ("waits_s", "is_alone", "has_room"),
    [
        ([], False, True),
        ([0.0], False, False),
        ([LOST_S + 1], False, True),
        ([LOST_S + 1, 0.0], False, False),
        ([0.0] * 5, True, True),
        ([0.0] * 6, True, False),
        ([LOST_S + 1] * 6, True, True),
    ],
)
def test_there_is_room_for_one_piece_beside_single_requests_and_for_all_that_may_be_else(
    waits_s: list[float], *, is_alone: bool, has_room: bool
) -> None:
    under_way, now_s = UnderWay(60), 1_000.0
    for partition, wait_s in enumerate(waits_s):
        under_way.add(Piece(partition, 0, 10, now_s - wait_s))
    assert under_way.has_room(10, now_s, is_alone=is_alone) == has_room


@pytest.mark.parametrize(
    "adjustment",
    [ADJUSTMENT, {"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"}],
    ids=["amount", "full"],
)
def test_what_goes_without_saying_is_not_said_of_each_item(adjustment: dict[str, Any]) -> None:
    batch = judge_batch(json.dumps(a_body(adjustment=adjustment)).encode(), None)
    assert isinstance(batch, BatchSubmission)
    assert batch.adjustment.keys() > adjustment.keys()

    said = without_defaults(batch.adjustment)

    assert said == adjustment
    asked: list[Any] = [
        read_request(json.dumps(request_of(each, BATCH_ID, "fin:omar", Item("A", "E"))).encode())
        for each in (said, batch.adjustment)
    ]
    assert [*map(content_of, asked)] == [content_of(asked[0])] * 2


async def test_nothing_is_sent_again_before_all_results_are_read(store: Store) -> None:
    keep_batch(store, Item("A", "E"))
    runner = Runner(
        topics=TOPICS,
        client_options={},
        reading=SettledReader(is_behind=True),
        batches=Batches(store.engine),
        in_flight_max=10,
    )
    no_producer = object()  # whatever is asked of it fails

    await runner._run(BATCH_ID, no_producer)  # it gives up for now


def test_items_of_one_partition_go_together_and_none_is_lost() -> None:
    items = [Item(f"ACC-{number % 7}", f"E-{number}") for number in range(50)]

    cut = list(in_turn(by_partition(items, [0, 1, 2]), lambda: 4))

    assert max(len(together) for _, together in cut) == 4
    assert sorted(each for _, together in cut for each in together) == sorted(items)
    of_account = {item.account: partition for partition, part in cut for item in part}
    assert all(of_account[item.account] == partition for partition, part in cut for item in part)
    first_of_each = [partition for partition, _ in cut[: len(set(of_account.values()))]]
    assert len(set(first_of_each)) == len(first_of_each)  # in turn
