"""Finds chargeable events, newest first, along whichever index leads to a page soonest.

Where few rows fit a filter, its index finds them all; where many do, the newest rows are looked
through until a page is full. Which it is, counts tell that stop early.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy import bindparam

from api.event_filters import (
    EVENT,
    TIME,
    EventFilters,
    EventKey,
    Q,
    Select,
    Shape,
    along,
    conditions_of,
    has_newest_first,
    shape_of,
    times_of,
    values_of,
    ways_of,
    without_empty,
)
from api.tables import CHARGEABLE_EVENT

SPARE, GROWTH = 13, 16  # rows found beyond those of a page at first, and how many times more then
CHUNK = 1024

Rows = Sequence[Any]


@dataclass(frozen=True)
class Effort:
    """How many rows are looked at before another way is tried."""

    few: int = 2_500  # found and put in order without more ado
    newest: int = 10_000  # looked through for a page
    many: int = 200_000  # found and put in order where all else has failed


class EventSearch:
    """One search, for one page."""

    def __init__(
        self,
        connection: sql.Connection,
        filters: EventFilters,
        limit: int,
        after: EventKey | None,
        effort: Effort,
    ) -> None:
        """Say what to search."""
        self._connection = connection
        self._effort = effort
        self._wanted = limit + 1  # one more tells whether there is a next page
        self._values = values_of(filters, after) | {"wanted": self._wanted}
        self._shape = shape_of(self._values)

    def rows(self) -> Rows:
        """Give the rows of a page, and the one that follows."""
        *others, last = ways_of(self._shape)
        if not others or (others == [TIME] and self._is_in_order(last)):
            return self._walk(last)
        sizes = self._count(self._effort.few)
        least = min(sizes, key=sizes.__getitem__)
        if sizes[least] == 0:
            return []
        return self._take(least) if sizes[least] <= self._effort.few else self._look_through()

    def _look_through(self) -> Rows:
        """Search where each filter has many rows: among the newest, or else whatever it takes."""
        filters = [name for name in ways_of(self._shape) if name != TIME]
        in_order = next(filter(self._is_in_order, filters), TIME)
        edge = self._connection.scalar(
            _edge(self._shape, in_order), self._values | {"newest": self._effort.newest}
        )
        rows = self._walk(in_order, edge)
        if edge is None or len(rows) == self._wanted:
            return rows
        if len(filters) == 1:
            return self._take(filters[0])
        sizes = self._count(self._effort.many)
        return self._take(min(sizes, key=sizes.__getitem__))

    def _count(self, enough: int) -> dict[str, int]:
        """Count the rows of each way until there are enough; forget where `q` finds nothing."""
        values = self._values | {"enough": enough + 1}
        counts = iter(self._connection.execute(_counting(self._shape), values).one())
        sizes = {}
        for name, way in ways_of(self._shape).items():
            counted = tuple(next(counts) for _ in way.counted)
            sizes[name] = counted[0] if counted else enough + 1
            if name == Q:
                self._shape, self._values, found = without_empty(self._shape, self._values, counted)
                sizes[name] = sum(self._read(*each) for each in found.items())
        return sizes

    def _read(self, source: str, count: int) -> int:
        """Say how many of so many rows are read for a page."""
        return min(count, self._wanted) if has_newest_first(self._shape, source) else count

    def _is_in_order(self, name: str) -> bool:
        return ways_of(self._shape)[name].in_order is not None

    def _take(self, name: str) -> Rows:
        return self._walk(name) if self._is_in_order(name) else self._collect(name)

    def _walk(self, name: str, edge: int | None = None) -> Rows:
        """Look through rows in the order of the page until it is full, or to the edge."""
        statement = _walking(self._shape, name, is_edged=edge is not None)
        return self._connection.execute(statement, self._values | {"edge": edge}).all()

    def _collect(self, name: str) -> Rows:
        """Find the newest rows of one filter, more each time, until those that fit fill the page.

        A row that fits belongs to the page only if no row of its own time is still to be found.
        """
        rows: list[Any] = []
        seen: set[int] = set()
        statement, size = _newest(self._shape, name), self._wanted + SPARE
        while True:
            found = self._connection.execute(statement, self._values | {"newest": size}).all()
            ids = {row.id for row in found} - seen  # two sources may find the same
            rows = sorted([*rows, *self._fitting(list(ids))], key=_place)[: self._wanted]
            is_full = len(rows) == self._wanted and rows[-1].event_at > found[-1].event_at
            if len(found) < size or is_full:
                break
            seen |= ids
            size *= GROWTH
        return rows

    def _fitting(self, ids: list[int]) -> Iterator[Any]:
        for start in range(0, len(ids), CHUNK):
            values = self._values | {"ids": ids[start : start + CHUNK]}
            yield from self._connection.execute(_fitting(self._shape), values)


@lru_cache(maxsize=1024)
def _counting(shape: Shape) -> Select:
    counted = [each for way in ways_of(shape).values() for each in way.counted]
    enough = bindparam("enough", type_=sql.Integer)
    numbers = [
        sql.select(sql.func.count()).select_from(each.limit(enough).subquery()).scalar_subquery()
        for each in counted
    ]
    return sql.select(*numbers)


@lru_cache(maxsize=1024)
def _edge(shape: Shape, name: str) -> Select:
    """Find the time at which the newest rows of a way end."""
    found = ways_of(shape)[name].found[0].with_only_columns(EVENT.event_at)
    newest = bindparam("newest", type_=sql.Integer)
    return found.order_by(EVENT.event_at.desc()).offset(newest).limit(1)


@lru_cache(maxsize=1024)
def _walking(shape: Shape, name: str, *, is_edged: bool) -> Select:
    index = ways_of(shape)[name].in_order
    assert index is not None
    newer = [EVENT.event_at > bindparam("edge")] if is_edged else []
    fit = along(index, *conditions_of(shape), *newer).with_only_columns(EVENT.id)
    ids = fit.order_by(*_order(EVENT)).limit(bindparam("wanted", type_=sql.Integer))
    row = CHARGEABLE_EVENT.alias("row").c
    page = sql.select(row.event_at, row.account, row.ref_id, row.image)
    return page.where(row.id.in_(ids)).order_by(*_order(row))


@lru_cache(maxsize=1024)
def _newest(shape: Shape, name: str) -> Select:
    times, way = times_of(shape), ways_of(shape)[name]
    newest = bindparam("newest", type_=sql.Integer)
    by_time: sql.ColumnElement[Any] = sql.desc("event_at")
    each = [found.where(*times).order_by(by_time).limit(newest) for found in way.found]
    if len(each) == 1:
        return each[0]
    found = sql.union_all(*(sql.select(one.subquery()) for one in each)).subquery()
    return sql.select(found).order_by(by_time).limit(newest)


@lru_cache(maxsize=1024)
def _fitting(shape: Shape) -> Select:
    """Give those of some rows that all filters fit."""
    fit = sql.select(EVENT.event_at, EVENT.account, EVENT.ref_id, EVENT.image)
    ids: sql.BindParameter[list[int]] = bindparam("ids", expanding=True)
    return fit.where(EVENT.id.in_(ids), *conditions_of(shape))


def _order(row: Any) -> tuple[sql.ColumnElement[Any], ...]:
    return (row.event_at.desc(), row.account, row.ref_id)


def _place(row: Any) -> tuple[int, str, str]:
    return (-row.event_at, row.account, row.ref_id)
