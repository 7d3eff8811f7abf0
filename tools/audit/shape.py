"""What is wrong with the form of a request, and what a well-formed one asks."""

import re
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
Fault = tuple[str, str]  # code and field

CODES = (
    "MISSING_ATTRIBUTE",
    "INVALID_TYPE",
    "INVALID_FORMAT",
    "INVALID_ENUM",
    "UNKNOWN_ATTRIBUTE",
    "AMOUNT_NOT_POSITIVE",
    "AMOUNT_OUT_OF_RANGE",
    "CONFLICTING_ATTRIBUTES",
)
FAULTS_MAX = 20

REF_ID = r"[A-Za-z0-9._:-]{1,64}"
GUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
TEXTS = {
    "requestId": GUID,
    "user": r"(?s:.{1,128})",
    "chargeableEventRefId": REF_ID,
    "currency": r"[A-Z]{3}",
    "reason": r"(?s:.{0,64})",
    "comment": r"(?s:.{0,1000})",
    "reversalOf": r"[A-Za-z0-9._:-]{1,105}",
}
WORDS = {
    "chargeType": ("CREDIT", "DEBIT"),
    "adjustmentMode": ("AMOUNT", "PERCENT", "SET_TO", "FULL"),
    "taxTreatment": ("PROPORTIONAL", "NO_TAX", "TAX_ONLY"),
}
BELOW, BEYOND, FORM = "AMOUNT_NOT_POSITIVE", "AMOUNT_OUT_OF_RANGE", "INVALID_FORMAT"
NUMBERS = {  # least, greatest, and the codes of what is below and above
    "chargeAdjustment": (1, 10**15, BELOW, BEYOND),
    "percent": (1, 1_000_000, BELOW, BEYOND),
    "targetAmount": (0, 10**15, BEYOND, BEYOND),
    "expectedVersion": (-(2**63), 2**63 - 1, FORM, FORM),
}
TYPES: dict[str, type] = {
    **dict.fromkeys((*TEXTS, *WORDS), str),
    **dict.fromkeys(NUMBERS, int),
    "taxIncluded": bool,
}
PERCENT_OF_A_CREDIT_MAX = 10_000
MANDATORY = ("requestId", "user", "chargeableEventRefId", "currency")
SAYS_HOW_MUCH = ("chargeType", "chargeAdjustment", "percent", "targetAmount")
NEEDED = {
    "AMOUNT": ("chargeType", "chargeAdjustment"),
    "PERCENT": ("chargeType", "percent"),
    "SET_TO": ("targetAmount",),
    "FULL": ("chargeType",),
}
NOT_OF_A_REVERSAL = ("adjustmentMode", "taxTreatment", "taxIncluded", *SAYS_HOW_MUCH)
DEFAULTS: Body = {
    "adjustmentMode": "AMOUNT",
    "taxTreatment": "PROPORTIONAL",
    "reason": "BILLING_ERROR",
}


def shape_faults(request: Body) -> list[Fault]:
    """Everything wrong with a request's form, in the order it is told; nothing if well-formed."""
    given = _given(request)
    own = {(code, name) for name in given for code in _own_codes(name, given[name])}
    broken = {name for _, name in own}
    found = own | {*_account_faults(given.get("account"))}
    found |= {("MISSING_ATTRIBUTE", name) for name in MANDATORY if name not in given}
    if "reversalOf" not in given:
        mode = _word("adjustmentMode", given, broken)
        treatment = _word("taxTreatment", given, broken)
        found |= {*_mode_faults(mode, given), *_tax_faults(mode, treatment, given)}
    elif "reversalOf" not in broken:
        found |= {("CONFLICTING_ATTRIBUTES", name) for name in NOT_OF_A_REVERSAL if name in given}
    return sorted(found, key=lambda fault: (CODES.index(fault[0]), fault[1]))[:FAULTS_MAX]


def content(request: Body) -> Body:
    """What a well-formed request asks: defaults filled in, without the account."""
    asked = {**DEFAULTS, **_given(request)}
    asked.pop("account", None)
    asked["requestId"] = asked["requestId"].lower()
    if asked["taxTreatment"] != "PROPORTIONAL":
        asked.pop("taxIncluded", None)
    return asked


def _given(request: Body) -> Body:
    return {name: value for name, value in request.items() if value is not None}


def _own_codes(name: str, value: object) -> Iterator[str]:
    """What is wrong with one attribute, whatever else is given."""
    if name == "account":
        return
    if name not in TYPES:
        yield "UNKNOWN_ATTRIBUTE"
    elif type(value) is not TYPES[name]:
        yield "INVALID_TYPE"
    elif isinstance(value, str):
        yield from _text_codes(name, value)
    elif name in NUMBERS:
        assert isinstance(value, int)
        least, greatest, below, above = NUMBERS[name]
        if not least <= value <= greatest:
            yield below if value < least else above


def _text_codes(name: str, value: str) -> Iterator[str]:
    if name in WORDS and value not in WORDS[name]:
        yield "INVALID_ENUM"
    if name in TEXTS and not re.fullmatch(TEXTS[name], value):
        yield "INVALID_FORMAT"


def _account_faults(account: object) -> Iterator[Fault]:
    if account is None:
        return
    if not isinstance(account, dict):
        yield "INVALID_TYPE", "account"
        return
    given = _given(account)
    ref_id = given.pop("refId", None)
    if ref_id is None:
        yield "MISSING_ATTRIBUTE", "account.refId"
    elif not isinstance(ref_id, str):
        yield "INVALID_TYPE", "account.refId"
    elif not re.fullmatch(REF_ID, ref_id):
        yield "INVALID_FORMAT", "account.refId"
    for name in given:
        yield "UNKNOWN_ATTRIBUTE", f"account.{name}"


def _word(name: str, given: Body, broken: set[str]) -> str | None:
    """The mode or treatment, by default if need be; nothing if what was given is broken."""
    return None if name in broken else str(given.get(name, DEFAULTS[name]))


def _mode_faults(mode: str | None, given: Body) -> Iterator[Fault]:
    if mode is None:
        return
    needed = NEEDED[mode]
    for name in SAYS_HOW_MUCH:
        if name in needed and name not in given:
            yield "MISSING_ATTRIBUTE", name
        if name not in needed and name in given:
            yield "CONFLICTING_ATTRIBUTES", name
    charge_type, percent = given.get("chargeType"), given.get("percent", 0)
    if mode == "FULL" and charge_type == "DEBIT":
        yield "CONFLICTING_ATTRIBUTES", "chargeType"
    is_of_a_credit = mode == "PERCENT" and charge_type == "CREDIT" and type(percent) is int
    if is_of_a_credit and percent > PERCENT_OF_A_CREDIT_MAX:
        yield BEYOND, "percent"


def _tax_faults(mode: str | None, treatment: str | None, given: Body) -> Iterator[Fault]:
    """Whether `taxIncluded` is missed, or in the way of the mode or of the treatment."""
    tax_included = given.get("taxIncluded")
    if mode == "FULL":
        is_in_the_way = tax_included is not None
    else:
        is_in_the_way = tax_included is True and treatment in {"NO_TAX", "TAX_ONLY"}
    if is_in_the_way:
        yield "CONFLICTING_ATTRIBUTES", "taxIncluded"
    if mode not in {None, "FULL"} and treatment == "PROPORTIONAL" and tax_included is None:
        yield "MISSING_ATTRIBUTE", "taxIncluded"
