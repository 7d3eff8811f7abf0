"""Reads batches from the read model: reports, items, and what is still to be done."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sql
from sqlalchemy import bindparam

from api.batches.entries import Definition, Item
from api.event_filters import EVENT, EventFilters, conditions_of, shape_of, values_of
from api.searching import Page
from api.snapshot import snapshot
from api.tables import BATCH, BATCH_ITEM, BATCH_PART, BATCH_REFUSAL, REQUEST, RESULT

RUNNING, FINISHED = "RUNNING", "FINISHED"
PARTS = 12  # of a selection that are read at once


class ListKey(NamedTuple):
    """Where a batch is in the list of all, newest first."""

    requested_at: str
    batch_id: str


_decode_definition = msgspec.json.Decoder(Definition).decode
_decode_pairs = msgspec.json.Decoder(list[tuple[str, str]]).decode


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as it is now; a dry run has a report of this form too."""

    batch_id: str
    user: str
    is_dry_run: bool = False
    selection: str | None
    matched: int
    applied: int
    refused: int
    effect: tuple[int, int, int]  # without tax, tax, with tax; micro-units
    refusals: Mapping[str, int]
    requested_at: str
    finished_at: str | None
    content: bytes = b""  # what was asked; a report does without

    @property
    def pending(self) -> int:
        """How many items have no result yet."""
        return self.matched - self.applied - self.refused

    @property
    def definition(self) -> Definition:
        """What was asked."""
        return _decode_definition(self.content)

    def document(self) -> dict[str, Any]:
        """Give the report."""
        excluded, tax, included = self.effect
        return {
            "batchId": self.batch_id,
            "user": self.user,
            "dryRun": self.is_dry_run,
            "state": RUNNING if self.finished_at is None else FINISHED,
            "matched": self.matched,
            "pending": self.pending,
            "applied": self.applied,
            "refused": self.refused,
            "effect": {
                "taxExcludedAmount": excluded,
                "taxAmount": tax,
                "taxIncludedAmount": included,
            },
            "refusals": dict(sorted(self.refusals.items())),
            "requestedAt": self.requested_at,
            "finishedAt": self.finished_at,
        }


class Batches:
    """The read model's batches. Each call blocks: use threads."""

    def __init__(self, engine: sql.Engine) -> None:
        """Look into this database."""
        self._engine = engine

    def batch(self, batch_id: str) -> Batch | None:
        """Give a batch as it is now, and what was asked, which may be of a megabyte."""
        return self._one(_BATCH, batch_id)

    def report(self, batch_id: str) -> Batch | None:
        """Give a batch as it is now, without what was asked."""
        return self._one(_REPORT, batch_id)

    def newest(self, limit: int, after: ListKey | None) -> Page[ListKey]:
        """Give batches, newest first."""
        at, batch_id = after or (None, None)
        with snapshot(self._engine) as connection:
            asked = _LIST if after is None else _LIST_ON
            values = {"at": at, "batch": batch_id, "wanted": limit + 1}
            found = connection.execute(asked, values).all()
            shown = [*_with_refusals(connection, found[:limit])]
        items = [msgspec.json.encode(batch.document()) for batch in shown]
        last = ListKey(shown[-1].requested_at, shown[-1].batch_id) if len(found) > limit else None
        return Page(items, last)

    def _one(self, asked: sql.Select[Any], batch_id: str) -> Batch | None:
        with snapshot(self._engine) as connection:
            row = connection.execute(asked, {"batch": batch_id}).one_or_none()
            return None if row is None else next(_with_refusals(connection, [row]))

    def running(self) -> list[tuple[str, int]]:
        """Give each batch that is not finished, and its partition."""
        with self._engine.connect() as connection:
            return [(row.batch_id, row.partition) for row in connection.execute(_RUNNING)]

    def selected(self, batch_ids: Collection[str]) -> set[str]:
        """Say of which of these batches the items are known."""
        with self._engine.connect() as connection:
            return {*connection.scalars(_SELECTED, {"ids": [*batch_ids]})}

    def undecided(self, batch: Batch) -> Iterator[list[Item]]:
        """Give the items without a result, in the order of the selection, some parts at a time."""
        number = 0
        while True:
            asked = {"batch": batch.batch_id, "selection": batch.selection, "number": number}
            with self._engine.connect() as connection:
                parts = connection.execute(_PARTS_ON, asked).all()
                items = [item for part in parts for item in _undecided(connection, batch, part)]
            if not parts:
                return
            yield items
            number = parts[-1].number + 1

    def items(self, batch: Batch, status: str | None, limit: int, after: int | None) -> Page[int]:
        """Give the results of the items decided so far, in the order of the selection."""
        begin = -1 if after is None else after
        values = {"batch": batch.batch_id, "after": begin, "wanted": limit + 1}
        with snapshot(self._engine) as connection:
            rows = connection.execute(_ITEMS_OF[status], values).all()
        shown: Sequence[Any] = rows[:limit]
        last: int | None = shown[-1].number if len(rows) > limit else None
        return Page([row.value for row in shown], last)

    def selecting(self, filters: EventFilters, size: int) -> Generator[list[Item], None, None]:
        """Give the events of a filter in parts, all of one moment, by account and refId.

        That moment is when the first part is asked for; close it.
        """
        values = values_of(filters, None)
        asked = (
            sql.select(EVENT.account, EVENT.ref_id)
            .where(*conditions_of(shape_of(values)))
            .order_by(EVENT.account, EVENT.ref_id)
        )
        with snapshot(self._engine) as connection:
            streamed = connection.execution_options(yield_per=size).execute(asked, values)
            yield from ([Item(*row) for row in rows] for rows in streamed.partitions())


def items_of(content: bytes) -> list[Item]:
    """Read the items of a part."""
    return [Item(*pair) for pair in _decode_pairs(content)]


def decided_in(connection: sql.Connection, batch_id: str, first: int, count: int) -> set[int]:
    """Give the numbers of the items that have a result, of so many from the first on."""
    asked = {"batch": batch_id, "first": first, "end": first + count}
    return {*connection.scalars(_DECIDED_IN, asked)}


def _undecided(connection: sql.Connection, batch: Batch, part: Any) -> Iterator[Item]:
    decided = decided_in(connection, batch.batch_id, part.number, part.size)
    for number, item in enumerate(items_of(part.content), part.number):
        if number not in decided:
            yield item


def _with_refusals(connection: sql.Connection, rows: Sequence[Any]) -> Iterator[Batch]:
    ids = [row.batch_id for row in rows]
    refusals: dict[str, dict[str, int]] = {each: {} for each in ids}
    for refusal in connection.execute(_REFUSALS, {"ids": ids}) if ids else ():
        refusals[refusal.batch_id][refusal.code] = refusal.times
    for row in rows:
        yield Batch(
            batch_id=row.batch_id,
            user=row.user,
            selection=row.selection,
            matched=row.matched,
            applied=row.applied,
            refused=row.refused,
            effect=(row.tax_excluded, row.tax, row.tax_included),
            refusals=refusals[row.batch_id],
            requested_at=row.requested_at,
            finished_at=row.finished_at,
            content=getattr(row, "content", b""),
        )


_REPORTS = sql.select(*(column for column in BATCH.columns if column is not BATCH.c.content))
_REPORT = _REPORTS.where(BATCH.c.batch_id == bindparam("batch"))
_BATCH = _REPORT.add_columns(BATCH.c.content)
_LIST = _REPORTS.order_by(BATCH.c.requested_at.desc(), BATCH.c.batch_id.desc()).limit(
    bindparam("wanted", type_=sql.Integer)
)
_LIST_ON = _LIST.where(
    sql.tuple_(BATCH.c.requested_at, BATCH.c.batch_id)
    < sql.tuple_(bindparam("at"), bindparam("batch"))
)
_REFUSALS = sql.select(BATCH_REFUSAL).where(
    BATCH_REFUSAL.c.batch_id.in_(bindparam("ids", expanding=True))
)
_RUNNING = sql.select(BATCH.c.batch_id, BATCH.c.partition).where(BATCH.c.finished_at.is_(None))
_SELECTED = sql.select(BATCH.c.batch_id).where(
    BATCH.c.batch_id.in_(bindparam("ids", expanding=True)), BATCH.c.selection.is_not(None)
)
_PART = BATCH_PART.c
_PARTS_ON = (
    sql.select(_PART.number, _PART.size, _PART.content)
    .where(
        _PART.batch_id == bindparam("batch"),
        _PART.selection == bindparam("selection"),
        _PART.number >= bindparam("number"),
    )
    .order_by(_PART.number)
    .limit(PARTS)
)
_DECIDED_IN = sql.select(BATCH_ITEM.c.number).where(
    BATCH_ITEM.c.batch_id == bindparam("batch"),
    BATCH_ITEM.c.number >= bindparam("first"),
    BATCH_ITEM.c.number < bindparam("end"),
)
_ITEMS = (
    sql.select(BATCH_ITEM.c.number, RESULT.c.value)
    .join(
        REQUEST,
        sql.and_(
            REQUEST.c.request_id == BATCH_ITEM.c.request_id,
            REQUEST.c.account == BATCH_ITEM.c.account,
        ),
    )
    .join(RESULT, RESULT.c.id == REQUEST.c.id)
    .where(BATCH_ITEM.c.batch_id == bindparam("batch"), BATCH_ITEM.c.number > bindparam("after"))
    .order_by(BATCH_ITEM.c.number)
    .limit(bindparam("wanted", type_=sql.Integer))
)
_ITEMS_OF = {None: _ITEMS} | {  # written out, as in the index
    status: _ITEMS.where(BATCH_ITEM.c.status == sql.literal(status, literal_execute=True))
    for status in ("APPLIED", "REFUSED")
}
