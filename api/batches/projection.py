"""Keeps batches in the read model, and counts each item once, with its result."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sql
from sqlalchemy import bindparam

from api.batches.entries import (
    LISTED,
    PART_ITEMS,
    Definition,
    Item,
    Logged,
    Part,
    Selected,
    may_be_of_item,
    request_id_of,
)
from api.batches.reports import decided_in, items_of
from api.batches.tally import Tally
from api.results import Answer
from api.statements import Prepared
from api.tables import BATCH, BATCH_ITEM, BATCH_PART, BATCH_REFUSAL

KNOWN_MAX = 80_000  # items; four batches at once have fewer under way

_NOTHING = {"matched": 0, "applied": 0, "refused": 0, "tax_excluded": 0, "tax": 0}


class ItemPlace(NamedTuple):
    """Where an item stands."""

    batch_id: str
    number: int


ItemKey = tuple[str, str, str]
"""The requestId of an item, its account and its event."""


class BatchProjection:
    """Writes batches within the transactions of the read model's one writer."""

    def __init__(self, engine: sql.Engine, dialect: Any) -> None:
        """Build the statements."""
        self._define = dialect.insert(BATCH).on_conflict_do_nothing()
        part = dialect.insert(BATCH_PART).on_conflict_do_nothing()
        self._part = Prepared(engine, part, BATCH_PART.columns.keys())
        self._decided = Prepared(engine, dialect.insert(BATCH_ITEM), BATCH_ITEM.columns.keys())
        refusal = dialect.insert(BATCH_REFUSAL)
        self._refuse = refusal.on_conflict_do_update(
            index_elements=["batch_id", "code"],
            set_={"times": BATCH_REFUSAL.c.times + refusal.excluded["times"]},
        )
        self._known: dict[ItemKey, ItemPlace | None] = {}  # no place: it is decided
        self._parts: dict[ItemPlace, list[ItemKey]] = {}  # by their beginnings, oldest first

    def forget(self) -> None:
        """Know no item any more: rows are deleted, or were not written."""
        self._known.clear()
        self._parts.clear()

    def enter(self, connection: sql.Connection, entries: Iterable[Logged]) -> None:
        """Keep what the topic says, in its order."""
        for logged in entries:
            match logged.entry:
                case Definition() as asked:
                    self._enter_definition(connection, logged, asked)
                case Part() as part:
                    self._enter_part(connection, logged.batch_id, part)
                case Selected() as selected:
                    _complete(connection, logged, selected)

    def count(self, connection: sql.Connection, answers: Sequence[Answer]) -> None:
        """Count those that are results of items which had none yet."""
        if not answers:
            return
        running = connection.execute(_RUNNING).all()
        if not running:
            self.forget()
            return
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        last: defaultdict[str, str] = defaultdict(str)
        decided = []
        for answer in answers:
            place = self._taken(connection, running, answer)
            if place is not None:
                tallies[place.batch_id].add(answer.value)
                last[place.batch_id] = max(last[place.batch_id], answer.decided_at)
                decided.append((*place, answer.request_id, answer.account, answer.status))
        self._decided.run(connection, decided)
        for batch_id, tally in tallies.items():
            self._add(connection, batch_id, tally, last[batch_id])
        self._forget_oldest()

    def _taken(
        self, connection: sql.Connection, running: Sequence[Any], answer: Answer
    ) -> ItemPlace | None:
        """Give the place of the item that this is the first result of, if it is one's."""
        event = answer.chargeable_event_ref_id
        if event is None:
            return None
        key = (answer.request_id, answer.account, event)
        if key not in self._known and may_be_of_item(answer.request_id):
            self._learn(connection, running, key)
        place = self._known.get(key)
        if place is not None:
            self._known[key] = None
        return place

    def _learn(self, connection: sql.Connection, running: Sequence[Any], key: ItemKey) -> None:
        """Learn the item that a result may be of, with the others of its part.

        Results come about as items are sent, in the order of the selection: to read a part of it
        is a fraction of the work of finding each item for itself.
        """
        request_id, item = key[0], Item(*key[1:])
        for batch in running:
            if request_id_of(batch.batch_id, item) != request_id:
                continue
            asked = {"of_batch": batch.batch_id, "selection": batch.selection, "rank": _rank(item)}
            for part in connection.execute(_PARTS_AROUND, asked).all():
                begin = ItemPlace(batch.batch_id, part.number)
                if key not in self._known and begin not in self._parts:
                    self._read(connection, begin, part.content)

    def _read(self, connection: sql.Connection, begin: ItemPlace, content: bytes) -> None:
        batch_id, first = begin
        items = items_of(content)
        decided = decided_in(connection, batch_id, first, len(items))
        keys = self._parts[begin] = [(request_id_of(batch_id, item), *item) for item in items]
        for number, key in enumerate(keys, first):
            self._known[key] = None if number in decided else ItemPlace(batch_id, number)

    def _forget_oldest(self) -> None:
        while len(self._known) > KNOWN_MAX:
            for key in self._parts.pop(next(iter(self._parts))):
                del self._known[key]

    def _enter_definition(
        self, connection: sql.Connection, logged: Logged, asked: Definition
    ) -> None:
        is_new = connection.execute(
            self._define,
            {
                "batch_id": logged.batch_id,
                "user": asked.user,
                "requested_at": logged.at,
                "decided_at": logged.at,
                "partition": logged.partition,
                "content": msgspec.json.encode(asked, order="sorted"),
                **_NOTHING,
                "tax_included": 0,
            },
        ).rowcount
        if is_new and asked.items is not None:
            for number in range(0, len(asked.items), PART_ITEMS):
                items = asked.items[number : number + PART_ITEMS]
                self._enter_part(connection, logged.batch_id, Part(LISTED, number, items))
            _choose(connection, logged, Selected(LISTED, len(asked.items)))

    def _enter_part(self, connection: sql.Connection, batch_id: str, part: Part) -> None:
        if not part.items:
            return
        ranks = [*map(_rank, part.items)]
        place = (batch_id, part.selection, part.number, len(ranks), min(ranks), max(ranks))
        self._part.run(connection, [(*place, msgspec.json.encode(part.items))])

    def _add(self, connection: sql.Connection, batch_id: str, tally: Tally, at: str) -> None:
        added = {
            "applied": tally.applied,
            "refused": tally.refusals.total(),
            "tax_excluded": tally.tax_excluded,
            "tax": tally.tax,
            "tax_included": tally.tax_included,
        }
        values = {f"added_{name}": count for name, count in added.items()}
        connection.execute(_ADDED, {"of_batch": batch_id, "at": at, **values})
        connection.execute(_FINISHED, {"of_batch": batch_id})
        if tally.refusals:
            connection.execute(
                self._refuse,
                [
                    {"batch_id": batch_id, "code": code, "times": times}
                    for code, times in tally.refusals.items()
                ],
            )


_RUNNING = sql.select(BATCH.c.batch_id, BATCH.c.selection).where(BATCH.c.finished_at.is_(None))
_PARTS_AROUND = sql.select(BATCH_PART.c.number, BATCH_PART.c.content).where(
    BATCH_PART.c.batch_id == bindparam("of_batch"),
    BATCH_PART.c.selection == bindparam("selection"),
    BATCH_PART.c.least <= bindparam("rank"),
    BATCH_PART.c.greatest >= bindparam("rank"),
)
_PARTS_OF = (
    sql.select(BATCH_PART.c.number, BATCH_PART.c.size, BATCH_PART.c.least, BATCH_PART.c.greatest)
    .where(
        BATCH_PART.c.batch_id == bindparam("of_batch"),
        BATCH_PART.c.selection == bindparam("selection"),
    )
    .order_by(BATCH_PART.c.number)
)
_SUMS = ("applied", "refused", "tax_excluded", "tax", "tax_included")
_LATER = sql.case((BATCH.c.decided_at > bindparam("at"), BATCH.c.decided_at), else_=bindparam("at"))
_OF_BATCH = BATCH.c.batch_id == bindparam("of_batch")
_ADDED = (
    BATCH.update()
    .where(_OF_BATCH)
    .values(
        {name: BATCH.c[name] + bindparam(f"added_{name}") for name in _SUMS}
        | {"decided_at": _LATER}
    )
)
_FINISHED = (
    BATCH.update()
    .where(_OF_BATCH, BATCH.c.applied + BATCH.c.refused == BATCH.c.matched)
    .values(finished_at=BATCH.c.decided_at)
)
_OTHERS_LEFT_OUT = BATCH_PART.delete().where(
    BATCH_PART.c.batch_id == bindparam("of_batch"),
    BATCH_PART.c.selection != sql.select(BATCH.c.selection).where(_OF_BATCH).scalar_subquery(),
)


def _complete(connection: sql.Connection, logged: Logged, selected: Selected) -> None:
    """Let a selection be the batch's, if it is whole and the first; then no other is kept."""
    of_selection = {"of_batch": logged.batch_id, "selection": selected.selection}
    parts = connection.execute(_PARTS_OF, of_selection).all()
    ends = [part.number + part.size for part in parts]
    is_joined = [0, *ends] == [*(part.number for part in parts), selected.count]
    if is_joined and all(one.greatest < other.least for one, other in pairwise(parts)):
        _choose(connection, logged, selected)
    else:
        connection.execute(_OTHERS_LEFT_OUT, {"of_batch": logged.batch_id})


def _choose(connection: sql.Connection, logged: Logged, selected: Selected) -> None:
    """Let a selection be the batch's, unless it has one; then no other is kept."""
    finished_at = None if selected.count else logged.at
    connection.execute(
        BATCH.update()
        .where(BATCH.c.batch_id == logged.batch_id, BATCH.c.selection.is_(None))
        .values(selection=selected.selection, matched=selected.count, finished_at=finished_at)
    )
    connection.execute(_OTHERS_LEFT_OUT, {"of_batch": logged.batch_id})


def _rank(item: Item) -> str:
    """Give what is in the order of accounts, and of events within them: a space is before all."""
    return f"{item.account} {item.event}"
