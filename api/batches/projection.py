"""Keeps batches in the read model, and counts each item once, with its result."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sql
from sqlalchemy import bindparam

from api.batches.entries import LISTED, Definition, Logged, Part, Selected, request_id_of
from api.batches.tally import Tally
from api.results import Answer
from api.statements import Prepared
from api.tables import BATCH, BATCH_ITEM, BATCH_REFUSAL

LOOKED_UP = 250  # ids in one question
STRETCH = 5_000  # items of a selection that are read at once
STRETCHES_MAX = 16  # that are remembered: four batches at once have fewer under way

_NOTHING = {"matched": 0, "applied": 0, "refused": 0, "tax_excluded": 0, "tax": 0}


class ItemPlace(NamedTuple):
    """Where an item stands."""

    batch_id: str
    selection: str
    number: int


ItemKey = tuple[str, str]
"""The requestId of an item, and its account."""


class BatchProjection:
    """Writes batches within the transactions of the read model's one writer."""

    def __init__(self, engine: sql.Engine, dialect: Any) -> None:
        """Build the statements."""
        self._define = dialect.insert(BATCH).on_conflict_do_nothing()
        item = dialect.insert(BATCH_ITEM).on_conflict_do_nothing()
        self._item = Prepared(engine, item, _OF_ITEM)
        self._decided = Prepared(engine, _DECIDED, ("status", *_OF_PLACE))
        refusal = dialect.insert(BATCH_REFUSAL)
        self._refuse = refusal.on_conflict_do_update(
            index_elements=["batch_id", "code"],
            set_={"times": BATCH_REFUSAL.c.times + refusal.excluded["times"]},
        )
        self._expected: dict[ItemKey, ItemPlace] = {}
        self._stretches: dict[ItemPlace, list[ItemKey]] = {}  # by their beginnings, oldest first

    def forget(self) -> None:
        """All rows are deleted: no item is known any more."""
        self._expected.clear()
        self._stretches.clear()

    def enter(self, connection: sql.Connection, entries: Iterable[Logged]) -> None:
        """Keep what the topic says, in its order."""
        for logged in entries:
            match logged.entry:
                case Definition() as asked:
                    self._enter_definition(connection, logged, asked)
                case Part() as part:
                    self._enter_items(connection, logged.batch_id, part)
                case Selected() as selected:
                    _complete(connection, logged, selected)

    def count(self, connection: sql.Connection, answers: Sequence[Answer]) -> None:
        """Count those that are results of items which had none yet."""
        if not answers or connection.scalar(_RUNNING) is None:
            return
        first: dict[ItemKey, Answer] = {}
        for answer in answers:
            first.setdefault((answer.request_id, answer.account), answer)
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        last: defaultdict[str, str] = defaultdict(str)
        decided = []
        for key, place in self._places(connection, first):
            answer = first[key]
            tallies[place.batch_id].add(answer.value)
            last[place.batch_id] = max(last[place.batch_id], answer.decided_at)
            decided.append((answer.status, *place))
        self._decided.run(connection, decided)
        for batch_id, tally in tallies.items():
            self._add(connection, batch_id, tally, last[batch_id])

    def _places(
        self, connection: sql.Connection, keys: Iterable[ItemKey]
    ) -> Iterator[tuple[ItemKey, ItemPlace]]:
        """Give where undecided items among these stand, and expect them no more."""
        left, taken = [*keys], set[ItemKey]()
        while left:
            known = {key: place for key in left if (place := self._expected.pop(key, None))}
            taken |= known.keys()
            yield from known.items()
            unknown = [key for key in left if key not in known]
            if not unknown:
                return
            looked_up = unknown[:LOOKED_UP]
            self._expect(connection, [request_id for request_id, _ in looked_up], taken)
            left = [key for key in looked_up if key in self._expected] + unknown[LOOKED_UP:]

    def _expect(
        self, connection: sql.Connection, request_ids: Sequence[str], taken: Collection[ItemKey]
    ) -> None:
        """Learn which of these are of undecided items, and with each those around it.

        What is taken has a result that is not written yet: it would be counted twice.

        Results come about as items are sent, in the order of the selection: to read a stretch of
        it is a fraction of the work of finding each item by its requestId.
        """
        while len(self._stretches) >= STRETCHES_MAX:
            for key in self._stretches.pop(next(iter(self._stretches))):
                self._expected.pop(key, None)
        found = connection.execute(_FOUND, {"ids": request_ids}).all()
        for begin in {
            ItemPlace(row.batch_id, row.selection, row.number // STRETCH * STRETCH) for row in found
        }:
            asked = {f"of_{name}": value for name, value in begin._asdict().items()}
            places = {
                (request_id, account): ItemPlace(begin.batch_id, begin.selection, number)
                for number, request_id, account in connection.execute(_STRETCH_OF, asked)
                if (request_id, account) not in taken
            }
            self._expected |= places
            self._stretches[begin] = [*places]

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
            self._enter_items(connection, logged.batch_id, Part(LISTED, 0, asked.items))
            _complete(connection, logged, Selected(LISTED, len(asked.items)))

    def _enter_items(self, connection: sql.Connection, batch_id: str, part: Part) -> None:
        self._item.run(
            connection,
            (
                (batch_id, part.selection, number, *item, request_id_of(batch_id, item))
                for number, item in enumerate(part.items, part.number)
            ),
        )

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


_RUNNING = sql.select(BATCH.c.batch_id).where(BATCH.c.finished_at.is_(None)).limit(1)
_OF_ITEM = [column.name for column in BATCH_ITEM.columns if column.name != "status"]
_OF_PLACE = [f"of_{name}" for name in ItemPlace._fields]
_DECIDED = (
    BATCH_ITEM.update()
    .where(*(BATCH_ITEM.c[name] == bindparam(f"of_{name}") for name in ItemPlace._fields))
    .values(status=bindparam("status"))
)
_FOUND = (
    sql.select(*(BATCH_ITEM.c[name] for name in ItemPlace._fields))
    .join(BATCH, BATCH.c.batch_id == BATCH_ITEM.c.batch_id)
    .where(
        BATCH.c.selection == BATCH_ITEM.c.selection,
        BATCH_ITEM.c.status.is_(None),
        BATCH_ITEM.c.request_id.in_(bindparam("ids", expanding=True)),
    )
)
_FIRST: sql.BindParameter[int] = bindparam("of_number", type_=sql.Integer)
_STRETCH_OF = sql.select(BATCH_ITEM.c.number, BATCH_ITEM.c.request_id, BATCH_ITEM.c.account).where(
    BATCH_ITEM.c.batch_id == bindparam("of_batch_id"),
    BATCH_ITEM.c.selection == bindparam("of_selection"),
    BATCH_ITEM.c.number >= _FIRST,
    BATCH_ITEM.c.number < _FIRST + STRETCH,
    BATCH_ITEM.c.status.is_(None),
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
_OTHERS_LEFT_OUT = BATCH_ITEM.delete().where(
    BATCH_ITEM.c.batch_id == bindparam("of_batch"),
    BATCH_ITEM.c.selection != sql.select(BATCH.c.selection).where(_OF_BATCH).scalar_subquery(),
)


def _complete(connection: sql.Connection, logged: Logged, selected: Selected) -> None:
    """Let a selection be the batch's, if it is whole and the first; then no other is kept."""
    of_batch = BATCH_ITEM.c.batch_id == logged.batch_id
    count = sql.select(sql.func.count()).where(
        of_batch, BATCH_ITEM.c.selection == selected.selection
    )
    if connection.scalar(count) == selected.count:
        finished_at = None if selected.count else logged.at
        connection.execute(
            BATCH.update()
            .where(BATCH.c.batch_id == logged.batch_id, BATCH.c.selection.is_(None))
            .values(selection=selected.selection, matched=selected.count, finished_at=finished_at)
        )
    connection.execute(_OTHERS_LEFT_OUT, {"of_batch": logged.batch_id})
