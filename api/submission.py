"""A posted body judged: what goes to the topic, or all that is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from api.problems import Mishap
from api.records import account_named, canonical_id
from schemas.adjustment import AdjustmentRequest
from schemas.adjustment_result import Fault
from schemas.dead_letters import DeadLetterCode
from schemas.reading import MalformedRequest, Unreadable, read_object, read_request
from schemas.refusals import Refusal

FAULTS_MAX = 20
_PLACEHOLDER_ID = "00000000-0000-0000-0000-000000000000"
_LADDER = list(Refusal)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A well-formed request and the bytes that say it."""

    request: AdjustmentRequest
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a body does not go to the topic: one mishap, or the faults of a request."""

    mishap: Mishap | None = None
    detail: str
    request_id: str | None = None
    account: str | None = None
    chargeable_event_ref_id: str | None = None
    faults: Sequence[Fault] = ()


def judge(body: bytes, idempotency_key: str | None) -> Submission | Rejection:
    """Read a body, with the idempotency key for the requestId where that is missing."""
    request = read_request(body)
    faults: list[Fault] = []
    if isinstance(request, Unreadable) and request.code is DeadLetterCode.NO_REQUEST_ID:
        body, faults = _with_request_id(body, idempotency_key)
        request = read_request(body)
    if isinstance(request, Unreadable):
        return Rejection(mishap=Mishap(request.code.value), detail=request.text)
    request_id = None if faults else request.request_id
    if isinstance(request, MalformedRequest):
        faults += request.faults
    if request_id and idempotency_key and canonical_id(idempotency_key) != canonical_id(request_id):
        faults.append(
            Fault(
                code=Refusal.CONFLICTING_ATTRIBUTES,
                field="Idempotency-Key",
                message="Idempotency-Key and requestId must be the same.",
            )
        )
    if isinstance(request, AdjustmentRequest) and not faults:
        return Submission(request=request, value=body)
    return _rejection(request, request_id, faults)


def _with_request_id(body: bytes, idempotency_key: str | None) -> tuple[bytes, list[Fault]]:
    """Give the body with a requestId, and what was wrong with its own.

    Without a key to stand in, a placeholder lets the other attributes be judged as well. What is
    nested deeper than any request is left out: such a body is refused in any case.
    """
    attributes = read_object(body)
    assert not isinstance(attributes, Unreadable), "it was read as an object without a requestId"
    given = attributes.get("requestId")
    faults = []
    if given is not None:
        fault = (
            (Refusal.INVALID_FORMAT, "empty") if given == "" else (Refusal.INVALID_TYPE, "not text")
        )
        faults.append(_request_id_fault(fault[0], f"requestId is {fault[1]}; it must be a GUID."))
    elif not idempotency_key:
        faults.append(_request_id_fault(Refusal.MISSING_ATTRIBUTE, "requestId is missing."))
    attributes["requestId"] = _PLACEHOLDER_ID if faults else idempotency_key
    return json.dumps(attributes, ensure_ascii=False).encode(), faults


def _request_id_fault(code: Refusal, message: str) -> Fault:
    return Fault(code=code, field="requestId", message=message)


def _rejection(
    request: AdjustmentRequest | MalformedRequest, request_id: str | None, faults: list[Fault]
) -> Rejection:
    in_order = sorted(faults, key=lambda fault: (_LADDER.index(fault.code), fault.field))
    return Rejection(
        detail=" ".join(fault.message for fault in in_order[:FAULTS_MAX]),
        request_id=request_id,
        account=account_named(request),
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        faults=in_order[:FAULTS_MAX],
    )
