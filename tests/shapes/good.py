"""Requests in which nothing is wrong, up to every limit."""

import json
from typing import Any

from tests.builders import ABSENT, REQUEST_ID, Body
from tests.shapes.bases import AMOUNT, BASES, PERCENT, REVERSAL, SET_TO, changed, raw

_PROPORTIONAL = ("PROPORTIONAL", ABSENT, None)
_OTHERS = ("NO_TAX", "TAX_ONLY")
_UNSAID = (ABSENT, None)
_MODES: dict[str, Body] = {
    f"{mode} {charge_type} {treatment}, taxIncluded {included}".replace(str(ABSENT), "-"): changed(
        BASES[mode], chargeType=charge_type, taxTreatment=treatment, taxIncluded=included
    )
    for mode, charge_types, treatments, includes in (
        ("AMOUNT", ("CREDIT", "DEBIT"), _PROPORTIONAL, (True, False)),
        ("AMOUNT", ("CREDIT", "DEBIT"), _OTHERS, (False, *_UNSAID)),
        ("PERCENT", ("CREDIT", "DEBIT"), _PROPORTIONAL, (True, False)),
        ("PERCENT", ("CREDIT", "DEBIT"), _OTHERS, (False, *_UNSAID)),
        ("SET_TO", _UNSAID, _PROPORTIONAL, (True, False)),
        ("SET_TO", _UNSAID, _OTHERS, (False, *_UNSAID)),
        ("FULL", ("CREDIT",), (*_PROPORTIONAL, *_OTHERS), _UNSAID),
        ("REVERSAL", _UNSAID, _UNSAID, _UNSAID),
    )
    for charge_type in charge_types
    for treatment in treatments
    for included in includes
}

_EVERY_LETTER = "ABCXYZabcxyz0189._:-"
_LIMITS: dict[str, Body] = {
    f"{base.get('chargeType')} {field}: {value!a:.40}": base | {field: value}
    for base, field, values in (
        (AMOUNT, "chargeAdjustment", (1, 10**15)),
        (PERCENT, "percent", (1, 10000)),
        (PERCENT | {"chargeType": "DEBIT"}, "percent", (1, 10001, 1000000)),
        (SET_TO, "targetAmount", (0, 10**15)),
        (AMOUNT, "expectedVersion", (0, 1, -1, 2**63 - 1, -(2**63))),
        (AMOUNT, "requestId", (REQUEST_ID.upper(), "00000000-0000-0000-0000-000000000000")),
        (AMOUNT, "user", ("u", "u" * 128, "\u00e9" * 128, "\U0001f600" * 128, " ")),
        (AMOUNT, "chargeableEventRefId", ("C", "C" * 64, _EVERY_LETTER)),
        (AMOUNT, "currency", ("AAA", "ZZZ")),
        (AMOUNT, "reason", ("", "R" * 64, "\u00e9" * 64)),
        (AMOUNT, "comment", ("", "c" * 1000, "\U0001f600" * 1000, 'a "b" \\ \n\t\u00e9')),
        (REVERSAL, "reversalOf", ("A", "A" * 105, _EVERY_LETTER)),
    )
    for value in values
}

_OPTIONAL: dict[str, Any] = dict.fromkeys(
    (
        *("chargeType", "chargeAdjustment", "percent", "targetAmount", "taxIncluded"),
        *("adjustmentMode", "taxTreatment", "reason", "comment", "expectedVersion", "reversalOf"),
        "surprise",
    )
)
_NULLS: dict[str, Body] = {
    f"{name} with null for all the rest": _OPTIONAL | base for name, base in BASES.items()
}

_TEXT = json.dumps(AMOUNT)
_SPELLINGS: dict[str, Body | bytes] = {
    "mode and treatment as they are by default": AMOUNT
    | {"adjustmentMode": "AMOUNT", "taxTreatment": "PROPORTIONAL"},
    "no reason and no comment": changed(AMOUNT, reason=ABSENT, comment=ABSENT),
    "null inside the account": AMOUNT | {"account": {"refId": "ACC-1001", "name": None}},
    "escapes in a name": _TEXT.replace('"user"', '"\\u0075\\u0073er"').encode(),
    "escapes in a word": _TEXT.replace('"CREDIT"', '"\\u0043REDIT"').encode(),
    "escapes in a refId": _TEXT.replace('"CE-', '"\\u0043\\u0045-').encode(),
    "a pair of surrogates": _TEXT.replace("twice", "\\ud83d\\ude00").encode(),
    "not ASCII": json.dumps(AMOUNT | {"user": "J\u00e1n \U0001f600"}, ensure_ascii=False).encode(),
    "blanks all over": json.dumps(AMOUNT, indent=3).replace('":', '" :\r\n\t').encode() + b"\n ",
    "attributes in another order": dict(reversed(AMOUNT.items())),
    "no money, below zero": raw(SET_TO, "targetAmount", "-0"),
}

GOOD: dict[str, Body | bytes] = {**_MODES, **_LIMITS, **_NULLS, **_SPELLINGS}
