"""Says in codes and words what is wrong with a malformed request."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from schemas.adjustment import ChargeType
from schemas.adjustment_result import Fault
from schemas.modes import Contradiction, contradictions
from schemas.refusals import Refusal

FAULTS_MAX = 20
QUOTED_MAX = 40  # characters of what came in

_CODES = {
    "missing": Refusal.MISSING_ATTRIBUTE,
    "string_pattern_mismatch": Refusal.INVALID_FORMAT,
    "string_too_short": Refusal.INVALID_FORMAT,
    "string_too_long": Refusal.INVALID_FORMAT,
    "enum": Refusal.INVALID_ENUM,
    "literal_error": Refusal.INVALID_ENUM,
    "extra_forbidden": Refusal.UNKNOWN_ATTRIBUTE,
    "greater_than_equal": Refusal.AMOUNT_NOT_POSITIVE,
    "less_than_equal": Refusal.AMOUNT_OUT_OF_RANGE,
}
_CODES_OF_LIMITS = {
    ("targetAmount", "greater_than_equal"): Refusal.AMOUNT_OUT_OF_RANGE,
    ("expectedVersion", "greater_than_equal"): Refusal.INVALID_FORMAT,
    ("expectedVersion", "less_than_equal"): Refusal.INVALID_FORMAT,
}
_REF_ID = "a text of 1 to 64 letters, digits, dots, underscores, colons or hyphens"
_EXPECTED = {
    "requestId": "a GUID of 36 characters",
    "user": "a text of 1 to 128 characters",
    "account": "an object with a refId",
    "account.refId": _REF_ID,
    "chargeableEventRefId": _REF_ID,
    "chargeType": " or ".join(ChargeType),
    "chargeAdjustment": "an integer of micro-units, above zero and at most 1,000,000,000.00",
    "percent": "an integer of basis points, above zero and at most 10,000.00 %",
    "targetAmount": "an integer of micro-units, from zero to 1,000,000,000.00",
    "currency": "three capital letters",
    "taxIncluded": "true or false",
    "reason": "a text of up to 64 characters",
    "comment": "a text of up to 1,000 characters",
    "adjustmentMode": "AMOUNT, PERCENT, SET_TO or FULL",
    "taxTreatment": "PROPORTIONAL, NO_TAX or TAX_ONLY",
    "expectedVersion": "an integer of 64 bits",
    "reversalOf": "a text of 1 to 105 letters, digits, dots, underscores, colons or hyphens",
}
_ORDER = {code: place for place, code in enumerate(Refusal)}
_TYPES = {
    str: "a text",
    bool: "true or false",
    int: "an integer",
    float: "a number with a fraction or an exponent",
    list: "a list",
}


def faults_of(given: Mapping[str, Any], error: ValidationError | None) -> tuple[Fault, ...]:
    """All faults of a request: in the order of the codes, then by field; 20 at most."""
    details = error.errors(include_url=False, include_context=False) if error else []
    faults = [_fault(detail["type"], detail["loc"], detail["input"]) for detail in details]
    broken = {fault.field for fault in faults}
    faults += [_contradicting(found) for found in contradictions(given, broken)]
    return tuple(sorted(faults, key=lambda fault: (_ORDER[fault.code], fault.field))[:FAULTS_MAX])


def _fault(kind: str, place: tuple[int | str, ...], found: Any) -> Fault:
    field = ".".join(str(part) for part in place)
    code = _CODES_OF_LIMITS.get((field, kind)) or _CODES.get(kind, Refusal.INVALID_TYPE)
    if code is Refusal.INVALID_ENUM and not isinstance(found, str):
        code = Refusal.INVALID_TYPE
    return Fault(code=code, field=_shortened(field), message=_message(code, field, found))


def _contradicting(found: Contradiction) -> Fault:
    field, because = found.field, found.because
    expected = found.expected or _EXPECTED[field]
    if found.code is Refusal.MISSING_ATTRIBUTE:
        message = f"{field} is missing with {because}: {expected}."
    elif found.code is Refusal.CONFLICTING_ATTRIBUTES and not found.expected:
        message = f"{field} does not go with {because}."
    else:
        message = f"{field} must be {expected} with {because}."
    return Fault(code=found.code, field=field, message=message)


def _message(code: Refusal, field: str, found: Any) -> str:
    if code is Refusal.UNKNOWN_ATTRIBUTE:
        return f"{_quoted(field)} is not an attribute of a request."
    expected = _EXPECTED[field]
    if code is Refusal.MISSING_ATTRIBUTE:
        return f"{field} is missing: {expected}."
    if code is Refusal.INVALID_TYPE:
        return f"{field} must be {expected}, not {_TYPES.get(type(found), 'an object')}."
    if code is Refusal.INVALID_ENUM:
        return f"{field} must be {expected}, not {_quoted(found)}."
    return f"{field} must be {expected}."


def _quoted(text: str) -> str:
    return json.dumps(_shortened(text), ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= QUOTED_MAX else text[:QUOTED_MAX] + "…"
