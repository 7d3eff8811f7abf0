"""One function an input topic: read rows, decide, write rows, publish."""

import re
from typing import Any

import msgspec

from schemas.adjustment import AdjustmentRequest
from schemas.adjustment_result import AdjustmentResult
from schemas.dead_letters import DeadLetterCode
from schemas.reading import (
    MalformedRequest,
    Unreadable,
    read_account,
    read_rated_event,
    read_request,
)
from streams import rows, tables
from streams.delivery.work import FOUND_AT, Work
from streams.domain.decide import content_of, decide, refuse_malformed
from streams.domain.state import Noted
from streams.domain.upserts import Conflict, upsert_account, upsert_chargeable_event
from streams.publishing import Source, publish_entity, publish_result

_REF_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_encode = msgspec.json.Encoder().encode


def handle_account(work: Work, record: Any) -> None:
    """Take over an account as the CRM has it."""
    key = _own_key(work, record)
    if key is None:
        return
    upsert = read_account(record.value)
    if isinstance(upsert, Unreadable):
        work.dead_letter(record, upsert.code, upsert.text)
        return
    if upsert.ref_id != key:
        _mismatch(work, record, "refId", upsert.ref_id)
        return
    row = upsert_account(work.get(tables.ACCOUNTS, record.key), upsert)
    if isinstance(row, Conflict):
        work.dead_letter(record, row.code, row.text)
        return
    if row is not None:
        image = work.put(tables.ACCOUNTS, record.key, row)
        publish_entity(work, Source(work, record), 0, row, image)


def handle_chargeable_event(work: Work, record: Any) -> None:
    """Take over a chargeable event as rating has it."""
    key = _own_key(work, record)
    if key is None:
        return
    upsert = read_rated_event(record.value)
    if isinstance(upsert, Unreadable):
        work.dead_letter(record, upsert.code, upsert.text)
        return
    if upsert.account.ref_id != key:
        _mismatch(work, record, "account.refId", upsert.account.ref_id)
        return
    row_key = tables.event_key(key, upsert.ref_id)
    row = upsert_chargeable_event(work.get(tables.CHARGEABLE_EVENTS, row_key), upsert)
    if isinstance(row, Conflict):
        work.dead_letter(record, row.code, row.text)
        return
    if row is not None:
        work.put(tables.CHARGEABLE_EVENTS, row_key, row)
        publish_entity(work, Source(work, record), 0, row, _encode(row))


def handle_request(work: Work, record: Any) -> None:
    """Answer a request: every one that can be read gets exactly one result."""
    key = _own_key(work, record)
    if key is None:
        return
    request = read_request(record.value)
    if isinstance(request, Unreadable):
        work.dead_letter(record, request.code, request.text)
        return
    named = _account_named(request)
    if named is not None and named != key:
        _mismatch(work, record, "account.refId", named)
        return
    source = Source(work, record, request.request_id)
    noted = Noted(key, source.channel, source.batch, source.time)
    if isinstance(request, MalformedRequest):
        result = refuse_malformed(request, noted)
        _publish(work, source, 0, result, _encode(result), is_remembered=False)
    else:
        _answer(work, source, request, noted)


def _answer(work: Work, source: Source, request: AdjustmentRequest, noted: Noted) -> None:
    account = noted.account_ref_id
    state = tables.read_state(work, account, request)
    decision = decide(state, request, noted)
    answer_key = tables.answer_key(account, request.request_id)
    if decision.result is None:
        _replay(work, source, work.get(tables.ANSWERS, answer_key))
        return
    result, number = decision.result, 0
    if decision.chargeable_event is None or decision.adjustment is None:
        value = _encode(result)
        answer: tables.Remembered = rows.StoredAnswer(
            content_of(request), result.status, result.chargeable_event_ref_id, value
        )
    else:
        row_key = tables.event_key(account, request.chargeable_event_ref_id)
        row = work.put(tables.CHARGEABLE_EVENTS, row_key, decision.chargeable_event)
        event, adjustment = _encode(decision.chargeable_event), _encode(decision.adjustment)
        publish_entity(work, source, 0, decision.chargeable_event, event)
        publish_entity(work, source, 1, decision.adjustment, adjustment)
        if request.reversal_of is not None:
            tables.mark_reversed(work, account, request.reversal_of, decision.adjustment.ref_id)
        value = _encode(_with_images(result, msgspec.Raw(adjustment), msgspec.Raw(event)))
        answer = rows.applied_answer(content_of(request), row, decision.adjustment)
        number = 2
    if decision.is_remembered:
        work.put(tables.ANSWERS, answer_key, answer)
    _publish(work, source, number, result, value, is_remembered=decision.is_remembered)


def _replay(work: Work, source: Source, first: tables.Remembered) -> None:
    """Tell once more what the first result was."""
    told, subject = first.value, first.subject
    publish_result(work, source, 0, told, status=first.status, subject=subject, is_replay=True)
    work.tally["request", "REPLAYED", ""] += 1


def _with_images(result: AdjustmentResult, adjustment: Any, event: Any) -> AdjustmentResult:
    """The result around two images that are JSON already; it is good for encoding only."""
    return msgspec.structs.replace(result, adjustment=adjustment, chargeable_event=event)


def _publish(  # noqa: PLR0913 - what a result is made of
    work: Work,
    source: Source,
    number: int,
    result: AdjustmentResult,
    value: bytes,
    *,
    is_remembered: bool,
) -> None:
    publish_result(
        work,
        source,
        number,
        value,
        status=result.status,
        subject=result.chargeable_event_ref_id,
        is_remembered=is_remembered,
    )
    work.tally["request", result.status, result.errors[0].code if result.errors else ""] += 1


def _own_key(work: Work, record: Any) -> str | None:
    """The account's refId; None for a dead letter and for a record of another partition."""
    if record.key is None:
        work.dead_letter(record, DeadLetterCode.NO_KEY, "The record has no key.")
        return None
    if not _REF_ID.fullmatch(record.key):
        text = "The key is not an account's refId: 1 to 64 letters, digits, '.', '_', ':' or '-'."
        work.dead_letter(record, DeadLetterCode.INVALID_KEY, text)
        return None
    partition = work.partition_of(record.key)
    if partition == work.unit:
        return str(record.key, "ascii")
    if any(name == FOUND_AT for name, _ in record.headers):
        text = f"The key belongs to partition {partition}; the record was sent on once already."
        work.dead_letter(record, DeadLetterCode.WRONG_PARTITION, text)
    elif not work.send_on(record, partition):
        text = f"The key belongs to partition {partition}; the record is too large to be sent on."
        work.dead_letter(record, DeadLetterCode.WRONG_PARTITION, text)
    return None


def _account_named(request: AdjustmentRequest | MalformedRequest) -> str | None:
    if isinstance(request, MalformedRequest):
        return request.account_ref_id
    return request.account.ref_id if request.account else None


def _mismatch(work: Work, record: Any, field: str, found: str) -> None:
    text = f"{field} is {found[:64]}, the record's key another account."
    work.dead_letter(record, DeadLetterCode.KEY_MISMATCH, text)
