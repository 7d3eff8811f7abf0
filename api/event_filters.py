"""What chargeable events are searched by, and which index finds the rows of each filter.

`q` is a union: the beginning of any id, or words of a comment. Beginnings are ranges, so that an
index finds them, and no letter in a text has a meaning of its own.

Building a statement takes longer than running it. So statements are built for a shape, which is
what is searched by, and the values come as parameters.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import sqlalchemy as sql
from msgspec import Meta
from sqlalchemy import bindparam

from api.records import words_of
from api.tables import ACCOUNT, CHARGEABLE_EVENT, COMMENT_WORD, REQUEST
from schemas.chargeable_event import AdjustmentState
from schemas.forms import INTEGER_MAX, INTEGER_MIN, REF_ID_PATTERN

EVENT = CHARGEABLE_EVENT.c
Condition = sql.ColumnElement[bool]
Select = sql.Select[Any]
TIME, AMOUNT, Q = "time", "amount", "q"

_HIGHEST = "\U0010ffff"
_REF_ID = re.compile(REF_ID_PATTERN)
_REQUEST_ID = re.compile("[0-9a-f-]{1,36}")
_REF, _ACCOUNT, _EXTERNAL, _REQUEST, _WORDS = "ref_id", "account", "external_id", "request", "words"
_COLUMNS = {
    "account": (EVENT.account, "chargeable_event_by_account"),
    "usage_type": (EVENT.usage_type, "chargeable_event_by_usage"),
    "kind": (EVENT.kind, "chargeable_event_by_kind"),
    "status": (EVENT.status, "chargeable_event_by_status"),
    "currency": (EVENT.currency, "chargeable_event_by_currency"),
}
_LIMITS = {
    "since": EVENT.event_at >= bindparam("since"),
    "before": EVENT.event_at < bindparam("before"),
    "at": EVENT.event_at <= bindparam("at"),
}


class EventKey(NamedTuple):
    """Where an event is in the order of a page: newest first, then by account and refId."""

    event_at: Annotated[int, Meta(ge=INTEGER_MIN, le=INTEGER_MAX)]
    account: str
    ref_id: str


@dataclass(frozen=True, kw_only=True)
class EventFilters:
    """What events must be like; None says nothing."""

    account: str | None = None
    since: int | None = None  # microseconds since 1970, as all times here
    before: int | None = None
    usage_type: str | None = None
    kind: str | None = None
    status: str | None = None
    adjustment_state: str | None = None
    currency: str | None = None
    min_amount: int | None = None
    max_amount: int | None = None
    q: str | None = None


class Shape(NamedTuple):
    """What is searched by: names of parameters, and where `q` is looked for."""

    names: frozenset[str]
    state: str | None
    sources: tuple[str, ...]
    words: int


class Way(NamedTuple):
    """How the rows of one filter are found; `in_order` is an index that has them as a page has.

    There are at most as many rows as all that is counted, of several words the least; where nothing
    is counted, all there are.
    """

    found: tuple[Select, ...]
    counted: tuple[Select, ...]
    condition: Condition
    in_order: str | None = None


def values_of(filters: EventFilters, after: EventKey | None) -> dict[str, Any]:
    """Give the parameters of the statements."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    if after is not None:
        values |= {"at": after.event_at, "after_account": after.account, "after_ref": after.ref_id}
    if filters.q is not None:
        values |= {"q_end": filters.q + _HIGHEST, "request": filters.q.lower()}
        values["request_end"] = values["request"] + _HIGHEST
        words = sorted(words_of(filters.q))
        values |= {f"word_{place}": word for place, word in enumerate(words)}
    return values


def shape_of(values: dict[str, Any]) -> Shape:
    """Give the shape of a search."""
    words = sum(name.startswith("word_") for name in values)
    q, sources = values.get("q"), []
    if q is not None:
        is_ref_id = _REF_ID.fullmatch(q) is not None
        sources = [_REF, _ACCOUNT] if is_ref_id else []
        sources += [_EXTERNAL]
        sources += [_REQUEST] if _REQUEST_ID.fullmatch(values["request"]) else []
        sources += [_WORDS] if words else []
    return Shape(frozenset(values), values.get("adjustment_state"), tuple(sources), words)


def on(select: Select, table: Any, index: str) -> Select:
    """Bind SQLite, which keeps no statistics, to an index."""
    return select.with_hint(table, f"INDEXED BY {index}", "sqlite")


def along(index: str, *conditions: Condition) -> Select:
    """Find ids and times of rows by one index."""
    found = sql.select(EVENT.id, EVENT.event_at).where(*conditions)
    return on(found, CHARGEABLE_EVENT, index)


def times_of(shape: Shape) -> list[Condition]:
    """Say between which times rows must be."""
    return [limit for name, limit in _LIMITS.items() if name in shape.names]


def conditions_of(shape: Shape) -> list[Condition]:
    """Say all that rows must be like."""
    conditions = times_of(shape) + [way.condition for way in ways_of(shape).values()]
    if shape.state == AdjustmentState.NONE:
        conditions.append(EVENT.adjustment_state == bindparam("adjustment_state"))
    if "at" in shape.names:
        is_after = sql.and_(
            EVENT.account == bindparam("after_account"), EVENT.ref_id > bindparam("after_ref")
        )
        is_older = EVENT.event_at < bindparam("at")
        conditions.append(sql.or_(is_older, EVENT.account > bindparam("after_account"), is_after))
    return conditions


@lru_cache(maxsize=1024)
def ways_of(shape: Shape) -> dict[str, Way]:
    """Give the way by time, and one for each filter that has an index."""
    times = times_of(shape)
    by_time = _ordered("chargeable_event_by_time", sql.true(), times)
    ways = {TIME: by_time if times else by_time._replace(counted=())}
    for name, (column, index) in _COLUMNS.items():
        if name in shape.names:
            ways[name] = _ordered(index, column == bindparam(name), times)
    if shape.state not in {None, AdjustmentState.NONE}:
        # Written out as in the index, which has the adjusted rows only.
        adjusted = EVENT.adjustment_state != _literal(AdjustmentState.NONE)
        condition = sql.and_(adjusted, EVENT.adjustment_state == _literal(str(shape.state)))
        ways["adjustment_state"] = _ordered("chargeable_event_adjusted", condition, times)
    if shape.names & {"min_amount", "max_amount"}:
        ways[AMOUNT] = _between_amounts(shape)
    if shape.sources:
        ways[Q] = _union(shape)
    return ways


def has_newest_first(shape: Shape, source: str) -> bool:
    """Whether a source of `q` has its rows in the order of time, and a page needs no others."""
    return source == _WORDS and shape.words == 1 and ways_of(shape).keys() <= {TIME, Q}


def _ordered(index: str, condition: Condition, times: list[Condition]) -> Way:
    found = along(index, condition, *times)
    return Way((found,), (found,), condition, index)


def _literal(value: str) -> sql.BindParameter[str]:
    return sql.literal(value, literal_execute=True)


def _between_amounts(shape: Shape) -> Way:
    limits = {
        "min_amount": EVENT.amount >= bindparam("min_amount"),
        "max_amount": EVENT.amount <= bindparam("max_amount"),
    }
    condition = sql.and_(*(limit for name, limit in limits.items() if name in shape.names))
    found = along("chargeable_event_by_amount", condition)
    return Way((found,), (found,), condition)


def _union(shape: Shape) -> Way:
    ways = list(_sources(shape))
    return Way(
        tuple(way.found[0] for way in ways),
        tuple(counted for way in ways for counted in way.counted),
        sql.or_(*(way.condition for way in ways)),
    )


def _sources(shape: Shape) -> Iterator[Way]:
    if _REF in shape.sources:
        yield _beginning("chargeable_event_by_ref_id", EVENT.ref_id)
    if _ACCOUNT in shape.sources:
        yield _beginning("chargeable_event_by_account", EVENT.account)
    if _EXTERNAL in shape.sources:
        yield _of_external_id()
    if _REQUEST in shape.sources:
        yield _of_request()
    if _WORDS in shape.sources:
        yield _with_words(shape.words)


def _beginning(index: str, column: sql.ColumnElement[str]) -> Way:
    condition = _begins(column, "q")
    found = along(index, condition)
    return Way((found,), (found,), condition)


def _begins(column: sql.ColumnElement[str], name: str) -> Condition:
    return sql.and_(column >= bindparam(name), column < bindparam(f"{name}_end"))


def _of_external_id() -> Way:
    is_owner, begins = ACCOUNT.c.ref_id == EVENT.account, _begins(ACCOUNT.c.external_id, "q")
    found = along("chargeable_event_by_account", is_owner, begins)
    found = on(found, ACCOUNT, "account_by_external_id")
    owned = on(sql.select(ACCOUNT.c.ref_id), ACCOUNT, "account_by_ref_id")
    return Way((found,), (found,), owned.where(is_owner, begins).exists())


def _of_request() -> Way:
    begins = _begins(REQUEST.c.request_id, "request")
    is_of_event = sql.and_(
        REQUEST.c.account == EVENT.account, REQUEST.c.chargeable_event_ref_id == EVENT.ref_id
    )
    asked = on(sql.select(REQUEST.c.request_id), REQUEST, "adjustment_request_by_event")
    return Way(
        (sql.select(EVENT.id, EVENT.event_at).where(is_of_event, begins),),
        (sql.select(REQUEST.c.request_id).where(begins),),
        asked.where(is_of_event, begins).exists(),
    )


def _with_words(count: int) -> Way:
    noted = [COMMENT_WORD.alias(f"noted_{place}") for place in range(count)]
    is_word = [row.c.word == bindparam(f"word_{place}") for place, row in enumerate(noted)]
    is_noted = [
        sql.and_(
            is_it,
            row.c.event_at == EVENT.event_at,
            row.c.account == EVENT.account,
            row.c.chargeable_event_ref_id == EVENT.ref_id,
        )
        for row, is_it in zip(noted, is_word, strict=True)
    ]
    has = [sql.exists().where(each) for each in is_noted]
    found = sql.select(EVENT.id, noted[0].c.event_at).where(is_noted[0], *has[1:])
    counted = (sql.select(row.c.word).where(it) for row, it in zip(noted, is_word, strict=True))
    return Way((found,), tuple(counted), sql.and_(*has))


def without_empty(
    shape: Shape, values: dict[str, Any], counts: tuple[int, ...]
) -> tuple[Shape, dict[str, Any], dict[str, int]]:
    """Leave out where `q` finds nothing, put the rarest word first, and say how many each finds."""
    by_source = dict(zip(shape.sources, counts, strict=False))
    if _WORDS in shape.sources:
        of_words = counts[-shape.words :]
        rarest = of_words.index(min(of_words))
        first, other = "word_0", f"word_{rarest}"
        values = values | {first: values[other], other: values[first]}
        by_source[_WORDS] = of_words[rarest]
    sources = tuple(source for source in shape.sources if by_source[source])
    return shape._replace(sources=sources), values, by_source
