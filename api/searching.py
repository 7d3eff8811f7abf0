"""Searches the read model: pages of chargeable events, of requests and of an event's history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sql
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from api.adjustment_search import (
    RequestFilters,
    RequestKey,
    find_history,
    find_requests,
    key_of,
)
from api.documents import received_document
from api.event_filters import EventFilters, EventKey
from api.event_search import Effort, EventSearch
from api.rows import Received
from api.snapshot import snapshot

Key = TypeVar("Key")


@dataclass(frozen=True)
class Page(Generic[Key]):
    """What was found, as it was published, and the key of the last item if more follow."""

    items: list[bytes]
    last: Key | None


class Searches:
    """The read model, by filters. Each call blocks: use threads."""

    def __init__(self, engine: sql.Engine, effort: Effort | None = None) -> None:
        """Search this database."""
        self._engine = engine
        self._effort = effort or Effort()
        if engine.dialect.name == "sqlite":
            engine.dialect.statement_compiler = _Hinting

    def events(
        self, filters: EventFilters, limit: int, after: EventKey | None = None
    ) -> Page[EventKey]:
        """Find chargeable events, newest first."""
        with snapshot(self._engine) as connection:
            rows = EventSearch(connection, filters, limit, after, self._effort).rows()
        return _page(
            rows, limit, _image, lambda row: EventKey(row.event_at, row.account, row.ref_id)
        )

    def requests(
        self, filters: RequestFilters, limit: int, after: RequestKey | None = None
    ) -> Page[RequestKey]:
        """Find requests with what they came to, newest first."""
        with snapshot(self._engine) as connection:
            rows = find_requests(connection, filters, limit + 1, after)
        return _page(rows, limit, _outcome, key_of)

    def history(self, account: str, ref_id: str, limit: int, after: int = 0) -> Page[int]:
        """Give the adjustments of an event, in the order they were made."""
        with snapshot(self._engine) as connection:
            rows = find_history(connection, account, ref_id, limit + 1, after)
        return _page(rows, limit, _image, lambda row: int(row.event_version))


class _Hinting(SQLiteCompiler):
    """Writes the hints of a statement, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, _table: Any, text: str | None) -> str | None:
        return text


def _page(
    rows: Sequence[Any],
    limit: int,
    item: Callable[[Any], bytes],
    key: Callable[[Any], Key],
) -> Page[Key]:
    shown = rows[:limit]
    return Page([item(row) for row in shown], key(shown[-1]) if len(rows) > limit else None)


def _image(row: Any) -> bytes:
    image: bytes = row.image
    return image


def _outcome(row: Any) -> bytes:
    known = row._asdict()
    result: bytes | None = known.pop("value")
    return result or received_document(Received(**known, asked=None))
