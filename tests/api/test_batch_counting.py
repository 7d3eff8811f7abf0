"""Results of many batches at once: each is counted, and each item is looked for about once."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import msgspec
import sqlalchemy as sql

from api.batches.entries import Entry, Item, Logged, Part, Selected
from api.batches.projection import STRETCH, STRETCHES_MAX
from api.batches.reports import Batches
from api.rows import Rows
from api.store import Store
from tests.api.batches import BATCH_ID, OTHER_ID, a_result_of, keep_batch

MANY = 2 * STRETCHES_MAX
AT = "2026-11-05T10:00:00.000Z"


@contextmanager
def stretches_read(engine: sql.Engine) -> Iterator[list[str]]:
    """Give what stretches are read by, as long as the block lasts."""
    seen: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "number >=" in statement:
            seen.append(statement)

    sql.event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        sql.event.remove(engine, "before_cursor_execute", see)


def test_a_stretch_is_read_once_whatever_other_batches_run(store: Store) -> None:
    stretches, rounds, ids = 3, 5, (BATCH_ID, OTHER_ID)
    items = [Item("A", f"E-{number}") for number in range(stretches * STRETCH)]
    for batch_id in ids:
        keep_batch(store, batch_id, items)

    with stretches_read(store.engine) as read:
        for place in range(rounds):
            for batch_id, item in product(ids, items[place::STRETCH]):
                store.keep(Rows(answers=[a_result_of(batch_id, item)]))

    assert len(read) == stretches * len(ids)


def test_few_stretches_are_remembered_and_items_of_the_others_are_counted_too(
    store: Store,
) -> None:
    pairs = [(Item("A", f"E-{number}"), Item("B", f"E-{number}")) for number in range(MANY)]
    keep_batch(store, BATCH_ID)
    parts = [Part("s1", number * STRETCH, [*pair]) for number, pair in enumerate(pairs)]
    entries: list[Entry] = [*parts, Selected("s1", 2 * MANY)]
    store.keep(Rows(batches=[Logged(BATCH_ID, 0, AT, entry) for entry in entries]))
    first, second = ([a_result_of(BATCH_ID, pair[at]) for pair in pairs] for at in (0, 1))
    of_nobody = [a_result_of(OTHER_ID, item) for pair in pairs for item in pair]

    for result in first:
        store.keep(Rows(answers=[result]))
        assert len(store._batches._expected) <= STRETCHES_MAX
    store.keep(Rows(answers=[*of_nobody, *first, *second]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert (report.applied, report.pending, bool(report.finished_at)) == (2 * MANY, 0, True)


def test_an_item_is_counted_once_although_another_account_uses_its_id(store: Store) -> None:
    items = [Item("A", f"E-{number}") for number in range(3)]
    keep_batch(store, BATCH_ID, items)
    before, own, _ = (a_result_of(BATCH_ID, item) for item in items)
    foreign = msgspec.structs.replace(own, account="B")

    store.keep(Rows(answers=[before]))
    store.keep(Rows(answers=[own, foreign]))
    store.keep(Rows(answers=[own]))

    report = Batches(store.engine).batch(BATCH_ID)
    assert report
    assert (report.applied, report.pending) == (2, 1)
