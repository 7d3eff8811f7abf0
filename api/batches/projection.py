"""Keeps batches in the read model, and counts each item once, with its result."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sql
from sqlalchemy import bindparam

from api.batches.entries import LISTED, Definition, Item, Logged, Part, Selected, request_id_of
from api.batches.tally import Tally
from api.results import Answer
from api.tables import BATCH, BATCH_ITEM, BATCH_REFUSAL

LOOKED_UP = 500  # ids in one question

_NOTHING = {"matched": 0, "applied": 0, "refused": 0, "tax_excluded": 0, "tax": 0}
_ITEM_PLACE = ("batch_id", "selection", "number")


class BatchProjection:
    """Writes batches within the transactions of the read model's one writer."""

    def __init__(self, dialect: Any) -> None:
        """Build the statements."""
        self._define = dialect.insert(BATCH).on_conflict_do_nothing()
        self._item = dialect.insert(BATCH_ITEM).on_conflict_do_nothing()
        refusal = dialect.insert(BATCH_REFUSAL)
        self._refuse = refusal.on_conflict_do_update(
            index_elements=["batch_id", "code"],
            set_={"times": BATCH_REFUSAL.c.times + refusal.excluded["times"]},
        )

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
        first: dict[tuple[str, str], Answer] = {}
        for answer in answers:
            first.setdefault((answer.request_id, answer.account), answer)
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        last: defaultdict[str, str] = defaultdict(str)
        decided = []
        for row in _undecided(connection, {request_id for request_id, _ in first}):
            if decision := first.get((row.request_id, row.account)):
                tallies[row.batch_id].add(decision.value)
                last[row.batch_id] = max(last[row.batch_id], decision.decided_at)
                place = {f"of_{name}": getattr(row, name) for name in _ITEM_PLACE}
                decided.append({**place, "status": decision.status})
        if decided:
            connection.execute(_DECIDED, decided)
        for batch_id, tally in tallies.items():
            self._add(connection, batch_id, tally, last[batch_id])

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
        rows = [
            {
                "batch_id": batch_id,
                "selection": part.selection,
                "number": number,
                "account": item.account,
                "chargeable_event_ref_id": item.event,
                "request_id": request_id_of(batch_id, Item(*item)),
            }
            for number, item in enumerate(part.items, part.number)
        ]
        if rows:
            connection.execute(self._item, rows)

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
_DECIDED = (
    BATCH_ITEM.update()
    .where(*(BATCH_ITEM.c[name] == bindparam(f"of_{name}") for name in _ITEM_PLACE))
    .values(status=bindparam("status"))
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


def _complete(connection: sql.Connection, logged: Logged, selected: Selected) -> None:
    """Let a selection be the batch's, if it is whole and the first."""
    of_batch = BATCH_ITEM.c.batch_id == logged.batch_id
    count = sql.select(sql.func.count()).where(
        of_batch, BATCH_ITEM.c.selection == selected.selection
    )
    if connection.scalar(count) != selected.count:
        return
    finished_at = None if selected.count else logged.at
    connection.execute(
        BATCH.update()
        .where(BATCH.c.batch_id == logged.batch_id, BATCH.c.selection.is_(None))
        .values(selection=selected.selection, matched=selected.count, finished_at=finished_at)
    )


def _undecided(connection: sql.Connection, ids: Iterable[str]) -> Iterable[Any]:
    """Give the items of these requestIds that have no result yet."""
    asked = (
        sql.select(
            *(BATCH_ITEM.c[name] for name in (*_ITEM_PLACE, "request_id", "account")),
        )
        .join(BATCH, BATCH.c.batch_id == BATCH_ITEM.c.batch_id)
        .where(
            BATCH.c.selection == BATCH_ITEM.c.selection,
            BATCH_ITEM.c.status.is_(None),
            BATCH_ITEM.c.request_id.in_(bindparam("ids", expanding=True)),
        )
    )
    rest = iter(ids)
    while chunk := list(islice(rest, LOOKED_UP)):
        yield from connection.execute(asked, {"ids": chunk}).all()
