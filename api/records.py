"""Records of the three topics as rows of the read model."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from aiokafka.partitioner import DefaultPartitioner

from api.results import Answer
from api.rows import (
    AccountRow,
    AdjustedRow,
    AdjustmentRow,
    EventRow,
    Received,
    Rows,
    WordRow,
)
from schemas.account import AccountReference
from schemas.adjustment import AdjustmentRequest
from schemas.amounts import Amounts
from schemas.forms import is_guid
from schemas.headers import (
    BATCH,
    MESSAGE_CODE,
    REMEMBERED,
    REPLAY,
    REQUEST_ID,
    SOURCE,
    STATE_SEQ,
    number_of,
    seq_of,
)
from schemas.reading import MalformedRequest, Unreadable, read_request

_REF_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_WORD = re.compile(r"\w+")
WORD_MAX = 64  # characters of a word of a comment that are kept
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_partition_of = DefaultPartitioner()


class _Account(msgspec.Struct, rename="camel", gc=False):
    ref_id: str
    external_id: str | None


class _Event(msgspec.Struct, rename="camel", gc=False):
    ref_id: str
    account: AccountReference
    usage_type: str
    kind: str
    event_date: str
    currency: str
    status: str
    current: Amounts
    adjustment_state: str


class _Adjustment(msgspec.Struct, rename="camel", gc=False):
    request_id: str
    account: AccountReference
    chargeable_event_ref_id: str
    comment: str | None
    event_version: int
    reversal_of: str | None


class _Result(msgspec.Struct, rename="camel", gc=False):
    status: str
    chargeable_event_ref_id: str | None = None


_decode_account = msgspec.json.Decoder(_Account).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_adjustment = msgspec.json.Decoder(_Adjustment).decode
_decode_result = msgspec.json.Decoder(_Result).decode


def enter_transaction(rows: Rows, record: Any) -> None:
    """Enter an after-image; pass over what the engine did not write, and what cannot be read."""
    headers = dict(record.headers)
    if record.value is None or seq_of(headers) is None:
        return
    try:
        _enter(rows, record, headers)
    except (msgspec.DecodeError, ValueError):
        return


def _enter(rows: Rows, record: Any, headers: Mapping[str, bytes | None]) -> None:
    """Enter an image; what an adjustment leaves of an event needs fewer columns."""
    code = headers.get(MESSAGE_CODE)
    if code == b"chargeableEvent":
        event = _decode_event(record.value)
        place = (event.account.ref_id, event.ref_id)
        if REQUEST_ID in headers and place not in rows.events:
            rows.adjusted_events[place] = _adjusted_event(event, record.value)
        else:
            rows.events[place] = _event(event, record.value)
            rows.adjusted_events.pop(place, None)
    elif code == b"adjustment":
        adjustment = _decode_adjustment(record.value)
        rows.adjustments.append(_adjustment(adjustment, record.value))
        rows.comment_words += _words(adjustment)
    elif code == b"account":
        account = _decode_account(record.value)
        rows.accounts[account.ref_id] = AccountRow(
            account.ref_id, account.external_id, record.value
        )


def received_of(record: Any, partitions: int) -> Received | None:
    """Give the request in a record; None where no result will ever name this record.

    That is a dead letter, or a record on a wrong partition: the copy that the engine sends on is
    the request then.
    """
    key = record.key
    if key is None or not _REF_ID.fullmatch(key):
        return None
    if _own_partition(key, partitions) != record.partition:
        return None
    request = read_request(record.value)
    if isinstance(request, Unreadable):
        return None
    account = key.decode()
    if account_named(request) not in {None, account}:
        return None
    is_whole = isinstance(request, AdjustmentRequest)
    return Received(
        account=account,
        request_id=request.request_id,
        topic_offset=record.offset,
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        user=request.user if isinstance(request, AdjustmentRequest) else None,
        requested_at=utc_text(record.timestamp),
        asked=record.value if is_whole else None,
    )


def batch_of(record: Any) -> str | None:
    """Give the batchId that a request's headers name; None where no batch can have it."""
    batch = (dict(record.headers).get(BATCH) or b"").decode(errors="replace").lower()
    return batch if is_guid(batch) else None


def answer_of(record: Any) -> Answer | None:
    """Give the result in a record; None where someone else than the engine wrote it."""
    headers = dict(record.headers)
    source, offset, state_seq = _source_of(headers)
    if record.key is None or record.value is None or REQUEST_ID not in headers:
        return None
    if offset is None or state_seq is None:
        return None
    try:
        result = _decode_result(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    is_replay = headers.get(REPLAY) == b"true"
    return Answer(
        account=record.key.decode(errors="replace"),
        request_id=(headers[REQUEST_ID] or b"").decode(errors="replace"),
        chargeable_event_ref_id=result.chargeable_event_ref_id,
        source=source,
        request_offset=offset,
        partition=record.partition,
        offset=record.offset,
        value=record.value,
        status=result.status,
        is_replay=is_replay,
        is_remembered=headers.get(REMEMBERED) != b"false",
        state_seq=state_seq + (2 if result.status == "APPLIED" and not is_replay else 0),
        decided_at=utc_text(record.timestamp),
    )


def account_named(request: Any) -> str | None:
    """Give the account that a request names, well-formed or not."""
    if isinstance(request, MalformedRequest):
        return request.account_ref_id
    return request.account.ref_id if request.account else None


def canonical_id(request_id: str) -> str:
    """Give a requestId as it is kept: a GUID in small letters, anything else as it is."""
    return request_id.lower() if is_guid(request_id) else request_id


def words_of(text: str) -> set[str]:
    """Give the words of a text, in small letters; what a comment is searched by."""
    return {word[:WORD_MAX] for word in _WORD.findall(text.casefold())}


def microseconds_of(instant: str) -> int:
    """Give a time with offset as microseconds since 1970, UTC; what is finer is cut."""
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND


@lru_cache
def utc_text(timestamp_ms: int) -> str:
    """Write a record's time as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    seconds, milliseconds = divmod(timestamp_ms, 1000)
    return f"{_second_text(seconds)}.{milliseconds:03d}Z"


def _event(event: _Event, image: bytes) -> EventRow:
    return EventRow(
        account=event.account.ref_id,
        ref_id=event.ref_id,
        event_at=microseconds_of(event.event_date),
        usage_type=event.usage_type,
        kind=event.kind,
        status=event.status,
        currency=event.currency,
        adjustment_state=event.adjustment_state,
        amount=event.current.tax_included_amount,
        image=image,
    )


def _adjusted_event(event: _Event, image: bytes) -> AdjustedRow:
    return AdjustedRow(
        event.adjustment_state,
        event.current.tax_included_amount,
        image,
        event.account.ref_id,
        event.ref_id,
    )


def _adjustment(adjustment: _Adjustment, image: bytes) -> AdjustmentRow:
    return AdjustmentRow(
        adjustment.account.ref_id,
        adjustment.chargeable_event_ref_id,
        adjustment.event_version,
        adjustment.request_id,
        adjustment.reversal_of,
        image,
    )


def _words(adjustment: _Adjustment) -> Iterable[WordRow]:
    for word in sorted(words_of(adjustment.comment)) if adjustment.comment else ():
        yield WordRow(word, adjustment.account.ref_id, adjustment.chargeable_event_ref_id)


def _source_of(headers: Mapping[str, bytes | None]) -> tuple[str, int | None, int | None]:
    """Give the request record of a result, its offset, and the number before the decision."""
    source = headers.get(SOURCE) or b""
    return (
        source.decode(errors="replace"),
        number_of(source.rpartition(b"-")[2]),
        number_of(headers.get(STATE_SEQ)),
    )


@lru_cache
def _second_text(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=100_000)
def _own_partition(key: bytes, partitions: int) -> int:
    return int(_partition_of(key, range(partitions), ()))
