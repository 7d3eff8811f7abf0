"""Results of many batches at once: each is counted, and each part is looked for about once."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, product
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sql

from api.batches import projection
from api.batches.entries import (
    PART_ITEMS,
    Entry,
    Item,
    Logged,
    Part,
    Selected,
    request_id_of,
)
from api.batches.projection import BatchProjection
from api.batches.reports import Batch, Batches
from api.rows import Rows
from api.store import Store
from tests.api.batches import BATCH_ID, OTHER_ID, a_result_of, keep_batch
from tests.api.builders import a_refusal, a_result, an_answer

AT = "2026-11-05T10:00:00.000Z"
SELECTION = "0123456789abcdef0123456789abcdef"


@contextmanager
def parts_read(engine: sql.Engine) -> Iterator[list[str]]:
    """Give what parts of selections are read by, as long as the block lasts."""
    seen: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "greatest >=" in statement:
            seen.append(statement)

    sql.event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        sql.event.remove(engine, "before_cursor_execute", see)


def keep_parts(store: Store, batch_id: str, parts: list[list[Item]]) -> None:
    """Let the read model know a batch of a filter that selected these."""
    keep_batch(store, batch_id)
    entries: list[Entry] = []
    count = 0
    for items in parts:
        entries.append(Part(SELECTION, count, items))
        count += len(items)
    entries.append(Selected(SELECTION, count))
    store.keep(Rows(batches=[Logged(batch_id, 0, AT, entry) for entry in entries]))


def report_of(store: Store, batch_id: str = BATCH_ID) -> Batch:
    """Give the batch as it is now."""
    report = Batches(store.engine).batch(batch_id)
    assert report
    return report


def test_a_part_is_read_once_whatever_other_batches_run(store: Store) -> None:
    ids, rounds = (BATCH_ID, OTHER_ID), 5
    parts = [[Item("A", f"E-{part}-{n}") for n in range(rounds)] for part in range(3)]
    for batch_id in ids:
        keep_parts(store, batch_id, parts)

    with parts_read(store.engine) as read:
        for place in range(rounds):
            for batch_id, part in product(ids, parts):
                store.keep(Rows(answers=[a_result_of(batch_id, part[place])]))

    assert len(read) == len(parts) * len(ids)
    assert all(report_of(store, batch_id).finished_at for batch_id in ids)


def test_what_has_a_result_is_not_left_to_be_sent(store: Store) -> None:
    parts = [[Item("A", "E-1"), Item("A", "E-2")], [Item("A-1", "E-0")], []]
    keep_parts(store, BATCH_ID, parts)
    first, second, third = (item for part in parts for item in part)

    left = []
    for item in (second, third, first):
        left.append([*chain.from_iterable(Batches(store.engine).undecided(report_of(store)))])
        store.keep(Rows(answers=[a_result_of(BATCH_ID, item)]))

    assert left == [[first, second, third], [first, third], [first]]
    assert report_of(store).finished_at


@pytest.mark.parametrize(
    "parts",
    [
        [(0, "AB"), (1, "CD")],
        [(0, "AB"), (3, "CD")],
        [(1, "AB"), (3, "CD")],
        [(0, "AC"), (2, "BD")],
        [(0, "AB"), (2, "BC")],
        [(2, "AB"), (0, "CD")],
    ],
    ids=["overlap", "a gap", "no first", "between", "an item twice", "another order"],
)
def test_parts_that_do_not_join_are_no_selection(
    store: Store, parts: list[tuple[int, str]]
) -> None:
    keep_batch(store, BATCH_ID)
    entries: list[Entry] = [
        Part(SELECTION, number, [Item(account, "E") for account in accounts])
        for number, accounts in parts
    ]
    for entry in [*entries, Selected(SELECTION, 4)]:
        store.keep(Rows(batches=[Logged(BATCH_ID, 0, AT, entry)]))
    assert (report_of(store).selection, report_of(store).matched) == (None, 0)


def test_a_list_is_read_in_parts_too(store: Store) -> None:
    items = [Item("A", f"E-{number}") for number in reversed(range(2 * PART_ITEMS + 1))]
    keep_batch(store, BATCH_ID, items)

    store.keep(Rows(answers=[a_result_of(BATCH_ID, items[at]) for at in (0, PART_ITEMS, -1)]))

    assert (report_of(store).applied, report_of(store).pending) == (3, len(items) - 3)
    left = [*chain.from_iterable(Batches(store.engine).undecided(report_of(store)))]
    assert left == items[1:PART_ITEMS] + items[PART_ITEMS + 1 : -1]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_result_of_another_event_under_an_items_id_does_not_count(
    store: Store, *, is_known: bool
) -> None:
    own, other = Item("A", "E-0"), Item("A", "E-1")
    keep_batch(store, BATCH_ID, [own, other])
    if is_known:
        store.keep(Rows(answers=[a_result_of(BATCH_ID, other)]))
    id_ = request_id_of(BATCH_ID, own)
    foreign = (
        an_answer(a_refusal(chargeableEventRefId=event), account="A", request_id=id_)
        for event in (None, "E-1")
    )

    store.keep(Rows(answers=[*foreign]))
    store.keep(Rows(answers=[a_result_of(BATCH_ID, own)]))

    assert (report_of(store).applied, report_of(store).refused) == (1 + is_known, 0)


def test_what_was_counted_and_not_written_is_counted_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [Item("A", "E-0"), Item("A", "E-1")]
    keep_batch(store, BATCH_ID, items)
    answers = [a_result_of(BATCH_ID, item) for item in items]
    with monkeypatch.context() as patched:
        patched.setattr(BatchProjection, "_add", failing)
        with pytest.raises(OSError, match="full"):
            store.keep(Rows(answers=answers))

    store.keep(Rows(answers=answers))

    assert (report_of(store).applied, bool(report_of(store).finished_at)) == (2, True)


def failing(*_: object) -> None:
    """Fail as a disk does."""
    raise OSError("full")


def test_no_id_is_worked_out_for_a_result_that_can_be_of_no_item(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_batch(store, BATCH_ID, [Item("A", "E")])
    monkeypatch.setattr(projection, "request_id_of", failing)
    store.keep(Rows(answers=[an_answer(a_result(), request_id=str(uuid4()))]))


def test_no_part_is_looked_for_of_another_batch(store: Store) -> None:
    keep_parts(store, BATCH_ID, [[Item("A", "E")]])

    with parts_read(store.engine) as read:
        store.keep(Rows(answers=[a_result_of(OTHER_ID, Item("A", "E"))]))

    assert (read, report_of(store).pending) == ([], 1)


def test_few_items_are_remembered_and_the_others_are_counted_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, many = 10, 30
    monkeypatch.setattr(projection, "KNOWN_MAX", most)
    pairs = [[Item("A", f"E-{at}"), Item("A", f"E-{at}-2")] for at in range(many, 2 * many)]
    keep_parts(store, BATCH_ID, pairs)
    first, second = ([a_result_of(BATCH_ID, pair[at]) for pair in pairs] for at in (0, 1))
    of_nobody = [a_result_of(OTHER_ID, item) for pair in pairs for item in pair]

    for result in first:
        store.keep(Rows(answers=[result]))
        assert len(store._batches._known) <= most
    store.keep(Rows(answers=[*of_nobody, *first, *second]))

    report = report_of(store)
    assert (report.applied, report.pending, bool(report.finished_at)) == (2 * many, 0, True)


def test_an_item_is_counted_once_although_another_account_uses_its_id(store: Store) -> None:
    items = [Item("A", f"E-{number}") for number in range(3)]
    keep_batch(store, BATCH_ID, items)
    before, own, _ = (a_result_of(BATCH_ID, item) for item in items)
    foreign = msgspec.structs.replace(own, account="B")

    store.keep(Rows(answers=[before]))
    store.keep(Rows(answers=[own, foreign]))
    store.keep(Rows(answers=[own]))

    report = report_of(store)
    assert (report.applied, report.pending) == (2, 1)
