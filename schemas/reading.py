"""From the bytes of a record to a message, or to what is wrong with it; never an exception.

What goes in: the value of a record, or the body of a POST: any bytes, or none.
What comes out: the message; `MalformedRequest`, which can be answered with a 400 code, for a JSON
object with a `requestId`; `Unreadable`, a dead letter, for anything else.

A good message costs one validation. Parsers keep the last of doubled keys silently, so the
quotation marks are counted too: a message has as many as its known keys and texts need. Doubled
keys, unknown attributes and escaped marks only ever add to them, so an equal number proves that
there are none. Whatever fails or has more is read again slowly and strictly.

Always true: unknown attributes and doubled keys never pass the count; `null` counts as absent in a
request; a message means the same on the fast way and on the slow one.
"""

import json
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.account import AccountUpsert
from schemas.adjustment import AdjustmentRequest, RequestedAccount
from schemas.adjustment_result import Fault
from schemas.chargeable_event import RatedChargeableEvent
from schemas.dead_letters import DeadLetterCode
from schemas.faults import FAULTS_MAX, faults_of
from schemas.forms import Incoming, is_guid
from schemas.json_text import BYTES_MAX, NotJsonError, parse_json, shallow
from schemas.modes import is_whole

FAULTS_TOLD = 5

_validate_request = AdjustmentRequest.__pydantic_validator__.validate_json

_Upsert = TypeVar("_Upsert", bound=Incoming)


@dataclass(frozen=True, kw_only=True)
class MalformedRequest:
    """A request that can be answered, though not as it was meant."""

    request_id: str
    chargeable_event_ref_id: str | None  # as it came, if it is text
    account_ref_id: str | None  # as it came, if it is text
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Unreadable:
    """A message that nobody can be answered about."""

    code: DeadLetterCode
    text: str


def read_request(value: bytes | None) -> AdjustmentRequest | MalformedRequest | Unreadable:
    """Read a request from a topic or from REST."""
    if value is not None and len(value) <= BYTES_MAX:
        try:
            request: AdjustmentRequest = _validate_request(value)
        except ValidationError:
            pass
        else:
            if value.count(b'"') == _marks_of(request) and is_whole(request):
                return request
    return _read_request_slowly(value)


def read_account(value: bytes | None) -> AccountUpsert | Unreadable:
    """Read an account as the CRM sends it."""
    return _read_upsert(AccountUpsert, value)


def read_rated_event(value: bytes | None) -> RatedChargeableEvent | Unreadable:
    """Read a chargeable event as rating sends it."""
    return _read_upsert(RatedChargeableEvent, value)


def read_object(value: bytes | None) -> dict[str, Any] | Unreadable:
    """Read any JSON object; what is nested deeper than one level is left out, types stay."""
    if value is None:
        return Unreadable(DeadLetterCode.NO_VALUE, "The record has no value.")
    try:
        content = parse_json(value)
    except NotJsonError as error:
        return Unreadable(DeadLetterCode.NOT_JSON, str(error))
    if not isinstance(content, dict):
        kind = _KINDS.get(type(content), "number")
        text = f"The value is a JSON {kind}, not an object."
        return Unreadable(DeadLetterCode.NOT_AN_OBJECT, text)
    nested: dict[str, Any] = shallow(content)
    return nested


def _read_request_slowly(
    value: bytes | None,
) -> AdjustmentRequest | MalformedRequest | Unreadable:
    content = read_object(value)
    if isinstance(content, Unreadable):
        return content
    request_id = content.get("requestId")
    if not isinstance(request_id, str) or not request_id:
        text = "The request has no requestId that is a text, so that nobody can be answered."
        return Unreadable(DeadLetterCode.NO_REQUEST_ID, text)
    given = worth_judging(AdjustmentRequest, content)
    account = given.get("account")
    if isinstance(account, dict):
        given["account"] = account = worth_judging(RequestedAccount, account)
    broken = None
    try:
        request = AdjustmentRequest.model_validate_json(json.dumps(given))
    except ValidationError as error:
        broken = error.with_traceback(None)  # else it holds on to all that its callers hold
    faults = faults_of(given, broken)
    if not faults:
        return request
    return MalformedRequest(
        request_id=request_id.lower() if is_guid(request_id) else request_id,
        chargeable_event_ref_id=_text(given.get("chargeableEventRefId")),
        account_ref_id=_text(account.get("refId")) if isinstance(account, dict) else None,
        faults=faults,
    )


def _read_upsert(model: type[_Upsert], value: bytes | None) -> _Upsert | Unreadable:
    if value is not None and len(value) <= BYTES_MAX:
        try:
            upsert = model.model_validate_json(value)
        except ValidationError:
            pass
        else:
            if value.count(b'"') == _marks_of(upsert):
                return upsert
    content = read_object(value)
    if isinstance(content, Unreadable):
        return content
    try:
        return model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        return Unreadable(DeadLetterCode.INVALID_UPSERT, _faults_told(error))


def _marks_of(message: Incoming) -> int:
    """Count the quotation marks that the keys and texts of a message need."""
    given, parts = message.model_fields_set, message.__dict__
    marks = 2 * len(given)
    for name in given:
        part = parts[name]
        if isinstance(part, str):
            marks += 2
        elif part is not None and not isinstance(part, int):  # asking pydantic's own class is slow
            marks += _marks_of(part)
    return marks


_KINDS = {list: "array", str: "string", bool: "boolean", type(None): "null"}


def worth_judging(model: type[Incoming], content: dict[str, Any]) -> dict[str, Any]:
    """Leave out nulls, and of unknown attributes all but the first few: no more would be told."""
    known = {field.alias for field in model.model_fields.values()}
    given = {key: part for key, part in content.items() if part is not None}
    told = set(nsmallest(FAULTS_MAX, given.keys() - known))
    return {key: part for key, part in given.items() if key in known or key in told}


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def _faults_told(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
        for detail in details[:FAULTS_TOLD]
    ]
    more = f"; and {len(details) - FAULTS_TOLD} more" if len(details) > FAULTS_TOLD else ""
    return f"Attributes do not fit: {'; '.join(told)}{more}."
