"""The engine's own decisions on rows that a peer keeps; knows no Kafka.

What goes in: one record, and the rows. What comes out: the values that the peer shall write, each
with its topic, in their order.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from schemas.account import Account
from schemas.adjustment_result import AdjustmentResult
from schemas.chargeable_event import ChargeableEvent
from schemas.reading import (
    MalformedRequest,
    Unreadable,
    read_account,
    read_rated_event,
    read_request,
)
from streams.domain.decide import content_of, decide, refuse_malformed, request_of_adjustment
from streams.domain.state import Answer, Noted, State
from streams.domain.upserts import Conflict, upsert_account, upsert_chargeable_event

ACCOUNTS, EVENTS, REQUESTS = "accounts", "chargeable-events", "adjustment-requests"
RESULTS, TRANSACTIONS, DEAD_LETTERS = "adjustment-results", "business-transactions", "dlq-"
INPUTS = (ACCOUNTS, EVENTS, REQUESTS)
ANSWERS = "answers"

Output = tuple[str, bytes]


class Rows(Protocol):
    """The rows of one partition."""

    def get(self, table: str, key: str) -> bytes | None:
        """One of them."""

    def put(self, table: str, key: str, row: bytes) -> None:
        """Keep one."""


class _Answered(msgspec.Struct, array_like=True):
    content: bytes
    value: bytes
    reversed_by: str | None = None


_encode, _pack = msgspec.json.Encoder().encode, msgspec.msgpack.Encoder().encode
_account = msgspec.json.Decoder(Account).decode
_event = msgspec.json.Decoder(ChargeableEvent).decode
_result = msgspec.json.Decoder(AdjustmentResult).decode
_answered = msgspec.msgpack.Decoder(_Answered).decode


def handle(rows: Rows, topic: str, key: str, value: bytes, timestamp_ms: int) -> list[Output]:
    """Decide one record of any input."""
    if topic == REQUESTS:
        return _answer(rows, key, value, _utc_text(timestamp_ms))
    return _take_over(rows, topic, key, value)


def _take_over(rows: Rows, topic: str, key: str, value: bytes) -> list[Output]:
    sent: Any = read_account(value) if topic == ACCOUNTS else read_rated_event(value)
    if isinstance(sent, Unreadable):
        return [(DEAD_LETTERS + topic, value)]
    row_key = key if topic == ACCOUNTS else sent.ref_id
    stored = rows.get(topic, row_key)
    row: Any
    if topic == ACCOUNTS:
        row = upsert_account(_account(stored) if stored else None, sent)
    else:
        row = upsert_chargeable_event(_event(stored) if stored else None, sent)
    if isinstance(row, Conflict):
        return [(DEAD_LETTERS + topic, value)]
    if row is None:
        return []
    image = _encode(row)
    rows.put(topic, row_key, image)
    return [(TRANSACTIONS, image)]


def _answer(rows: Rows, key: str, value: bytes, time: str) -> list[Output]:
    request = read_request(value)
    if isinstance(request, Unreadable):
        return [(DEAD_LETTERS + REQUESTS, value)]
    noted = Noted(key, "TOPIC", None, time)
    if isinstance(request, MalformedRequest):
        return [(RESULTS, _encode(refuse_malformed(request, noted)))]
    first = _read(rows, request.request_id)
    undone_id = request_of_adjustment(key, request.reversal_of) if request.reversal_of else None
    undone = _read(rows, undone_id) if undone_id else None
    account = rows.get(ACCOUNTS, key)
    event = rows.get(EVENTS, request.chargeable_event_ref_id)
    state = State(
        account=_account(account) if account else None,
        chargeable_event=_event(event) if event else None,
        answer=Answer(first.content) if first else None,
        adjustment=_result(undone.value).adjustment if undone else None,
        reversed_by=undone.reversed_by if undone else None,
    )
    decision = decide(state, request, noted)
    if decision.result is None:
        return [(RESULTS, first.value)] if first else []
    outputs = []
    if decision.chargeable_event and decision.adjustment:
        image = _encode(decision.chargeable_event)
        rows.put(EVENTS, decision.chargeable_event.ref_id, image)
        outputs = [(TRANSACTIONS, image), (TRANSACTIONS, _encode(decision.adjustment))]
        if undone and undone_id:
            undone.reversed_by = decision.adjustment.ref_id
            rows.put(ANSWERS, undone_id, _pack(undone))
    result = _encode(decision.result)
    if decision.is_remembered:
        row = _pack(_Answered(content_of(request), result))
        rows.put(ANSWERS, request.request_id, row)
    return [*outputs, (RESULTS, result)]


def _read(rows: Rows, request_id: str) -> _Answered | None:
    stored = rows.get(ANSWERS, request_id)
    return _answered(stored) if stored else None


def _utc_text(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
