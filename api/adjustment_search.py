"""Finds requests with what they came to, newest first, and the adjustments of one event."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sql
from sqlalchemy import bindparam

from api.tables import ADJUSTMENT, REQUEST, RESULT

RECEIVED = "RECEIVED"
REQUEST_ID_MAX = 256  # characters; no valid one has more than 36

_HIGHEST = "\U0010ffff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALONG = {
    "event": "adjustment_request_by_event",
    "account": "adjustment_request_by_account",
    "user": "adjustment_request_by_user",
}
# As `api.lookups` has it: a result that is not remembered counts until the id is used again.
_IS_DECIDED = sql.and_(
    RESULT.c.id.is_not(None),
    sql.or_(RESULT.c.remembered, REQUEST.c.topic_offset <= RESULT.c.request_offset),
)
_CONDITIONS = {
    "account": REQUEST.c.account == bindparam("account"),
    "event": REQUEST.c.chargeable_event_ref_id == bindparam("event"),
    "user": REQUEST.c.user == bindparam("user"),
    "status": sql.case((_IS_DECIDED, RESULT.c.status), else_=RECEIVED) == bindparam("status"),
    "since": REQUEST.c.requested_at >= bindparam("since"),
    "before": REQUEST.c.requested_at < bindparam("before"),
    "after_request": sql.and_(
        REQUEST.c.requested_at <= bindparam("at"),
        sql.or_(
            REQUEST.c.requested_at < bindparam("at"),
            REQUEST.c.account > bindparam("after_account"),
            sql.and_(
                REQUEST.c.account == bindparam("after_account"),
                REQUEST.c.request_id > bindparam("after_request"),
            ),
        ),
    ),
}


class RequestKey(NamedTuple):
    """Where a request is in the order of a page: newest first, then by account and requestId."""

    requested_at: str
    account: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class RequestFilters:
    """What requests must be like; None says nothing."""

    account: str | None = None
    event: str | None = None
    status: str | None = None
    user: str | None = None
    since: int | None = None  # microseconds since 1970
    before: int | None = None


def find_requests(
    connection: sql.Connection, filters: RequestFilters, limit: int, after: RequestKey | None
) -> Sequence[Any]:
    """Give requests, each with the value of its result if it is decided."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    values |= {name: _text_of(values[name]) for name in ("since", "before") if name in values}
    if after is not None:
        last, account, request = after
        values |= {"at": last, "after_account": account, "after_request": request}
    return connection.execute(_requests(frozenset(values)), values | {"wanted": limit}).all()


def key_of(row: Any) -> RequestKey:
    """Give the place of a row, short enough for an address.

    No valid id is cut. Of those that are, all with one beginning, account and millisecond count as
    one: at the end of a page the others are passed over.
    """
    request_id = row.request_id
    if len(request_id) > REQUEST_ID_MAX:
        request_id = request_id[:REQUEST_ID_MAX] + _HIGHEST
    return RequestKey(row.requested_at, row.account, request_id)


def find_history(
    connection: sql.Connection, account: str, ref_id: str, limit: int, after: int
) -> Sequence[Any]:
    """Give adjustments of an event in the order they were made."""
    return connection.execute(
        _HISTORY, {"account": account, "event": ref_id, "after": after, "wanted": limit}
    ).all()


_HISTORY = (
    sql.select(ADJUSTMENT.c.event_version, ADJUSTMENT.c.image)
    .where(ADJUSTMENT.c.account == bindparam("account"))
    .where(ADJUSTMENT.c.chargeable_event_ref_id == bindparam("event"))
    .where(ADJUSTMENT.c.event_version > bindparam("after"))
    .order_by(ADJUSTMENT.c.event_version)
    .limit(bindparam("wanted", type_=sql.Integer))
)


@lru_cache(maxsize=256)
def _requests(names: frozenset[str]) -> sql.Select[Any]:
    index = next((_ALONG[name] for name in _ALONG if name in names), "adjustment_request_by_time")
    columns = [column for column in REQUEST.c if column.name not in {"id", "asked"}]
    return (
        sql.select(*columns, sql.case((_IS_DECIDED, RESULT.c.value)).label("value"))
        .with_hint(REQUEST, f"INDEXED BY {index}", "sqlite")
        .outerjoin_from(REQUEST, RESULT, RESULT.c.id == REQUEST.c.id)
        .where(*(condition for name, condition in _CONDITIONS.items() if name in names))
        .order_by(REQUEST.c.requested_at.desc(), REQUEST.c.account, REQUEST.c.request_id)
        .limit(bindparam("wanted", type_=sql.Integer))
    )


def _text_of(microseconds: int) -> str:
    """Write a limit as the times of requests are written; one that is finer comes just after."""
    milliseconds, finer = divmod(microseconds, 1000)
    moment = (_EPOCH + timedelta(milliseconds=milliseconds)).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + ("Z~" if finer else "Z")
