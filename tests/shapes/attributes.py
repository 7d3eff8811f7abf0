"""Requests with one attribute that is wrong by itself, whatever the others say."""

from tests.builders import REQUEST_ID, Body
from tests.shapes.bases import AMOUNT, PERCENT, REVERSAL, SET_TO, Row, raw

_DIGITS = "9" * 5000


def _home(field: str) -> Body:
    """Give a good request that uses the attribute."""
    homes = {"percent": PERCENT, "targetAmount": SET_TO, "reversalOf": REVERSAL}
    return homes.get(field, AMOUNT)


_JSON = {
    "text": '"1"',
    "empty text": '""',
    "integer": "1",
    "zero": "0",
    "5000 digits": _DIGITS,
    "fraction": "1.5",
    "integer with a point": "1.0",
    "integer with an exponent": "1e3",
    "beyond floating point": "1e999",
    "true": "true",
    "false": "false",
    "list": "[]",
    "list of one": '["1"]',
    "object": "{}",
}
_TEXT = {"text", "empty text"}
_INTEGER = {"integer", "zero", "5000 digits"}
_BOOLEAN = {"true", "false"}
_RIGHT_TYPES = {
    **dict.fromkeys(("user", "chargeableEventRefId", "currency", "reason", "comment"), _TEXT),
    **dict.fromkeys(("chargeType", "adjustmentMode", "taxTreatment", "reversalOf"), _TEXT),
    **dict.fromkeys(("chargeAdjustment", "percent", "targetAmount", "expectedVersion"), _INTEGER),
    "taxIncluded": _BOOLEAN,
    "account": {"object"},
}
_TYPES: dict[str, Row] = {
    f"{field}: {kind}": (raw(_home(field), field, text), [("INVALID_TYPE", field)])
    for field, right in _RIGHT_TYPES.items()
    for kind, text in _JSON.items()
    if kind not in right
}

_REF_ID = ("", "CE 1", " CE-1", "CE-1\n", "CE/1", "CE+1", "C\u00c9-1", "\uff23E-1", "CE-\u0661")
_WRONG_FORMS = {
    "requestId": (
        *("7d8f3f3e", REQUEST_ID[:-1], REQUEST_ID + "0", REQUEST_ID + "\n", " " + REQUEST_ID),
        *(REQUEST_ID.replace("-", ""), "{" + REQUEST_ID[1:-1] + "}", "urn:uuid:" + REQUEST_ID),
        *("g" + REQUEST_ID[1:], "7d8f3f3-e6f0a-4d2b-9a51-0c8a5f6f2f10", " ", "x" * 5000),
        *(REQUEST_ID.replace("7", "\u0667"), REQUEST_ID.replace("d", "\uff44")),
    ),
    "user": ("", "u" * 129, "\u00e9" * 129),
    "chargeableEventRefId": (*_REF_ID, "C" * 65),
    "currency": (
        *("", "eur", "Eur", "EU", "EURO", "EU1", "EUR\n", " EUR", "EU ", "978"),
        *("\uff25UR", "\u00c9UR", "\u0415UR", "\u0661\u0662\u0663"),
    ),
    "reason": ("R" * 65, "\u00e9" * 65),
    "comment": ("c" * 1001, "\U0001f600" * 1001),
    "reversalOf": (*_REF_ID, "A" * 106),
}
_FORMS: dict[str, Row] = {
    f"{field}: {text[:50]!a} of {len(text)}": (
        _home(field) | {field: text},
        [("INVALID_FORMAT", field)],
    )
    for field, texts in _WRONG_FORMS.items()
    for text in texts
}

_WRONG_WORDS = {
    "chargeType": (*("", "1", "REFUND", "credit", "CREDIT\n", " CREDIT"), "\uff23REDIT"),
    "adjustmentMode": (
        *("", "1", "REVERSAL", "amount", "SET TO", "SETTO", "FULL\n", "PERCENT "),
        "\uff26ULL",
    ),
    "taxTreatment": (*("", "1", "no_tax", "NO TAX", "TAX", "TAX_ONLY\n"), "N\uff2f_TAX"),
}
_WORDS: dict[str, Row] = {
    f"{field}: {word!a}": (AMOUNT | {field: word}, [("INVALID_ENUM", field)])
    for field, words in _WRONG_WORDS.items()
    for word in words
}

_DEBIT_PERCENT = PERCENT | {"chargeType": "DEBIT"}
_NOT_POSITIVE = ("0", "-0", "-1", str(-(10**15)), str(-(2**63) - 1), "-" + _DIGITS)
_TOO_LARGE = (str(2**63 - 1), str(2**63), str(2**64), str(10**30), _DIGITS)
_RANGES: dict[str, Row] = {
    f"{field} {base.get('chargeType')}: {number[:20]} of {len(number)}": (
        raw(base, field, number),
        [(code, field)],
    )
    for base, field, code, numbers in (
        (AMOUNT, "chargeAdjustment", "AMOUNT_NOT_POSITIVE", _NOT_POSITIVE),
        (AMOUNT, "chargeAdjustment", "AMOUNT_OUT_OF_RANGE", (str(10**15 + 1), *_TOO_LARGE)),
        (PERCENT, "percent", "AMOUNT_NOT_POSITIVE", _NOT_POSITIVE),
        (PERCENT, "percent", "AMOUNT_OUT_OF_RANGE", ("10001", "1000000", "1000001", *_TOO_LARGE)),
        (_DEBIT_PERCENT, "percent", "AMOUNT_NOT_POSITIVE", _NOT_POSITIVE),
        (_DEBIT_PERCENT, "percent", "AMOUNT_OUT_OF_RANGE", ("1000001", *_TOO_LARGE)),
        (SET_TO, "targetAmount", "AMOUNT_OUT_OF_RANGE", (str(10**15 + 1), *_TOO_LARGE)),
        (SET_TO, "targetAmount", "AMOUNT_OUT_OF_RANGE", ("-1", str(-(2**64)), "-" + _DIGITS)),
        (AMOUNT, "expectedVersion", "INVALID_FORMAT", (str(2**63), str(-(2**63) - 1))),
        (AMOUNT, "expectedVersion", "INVALID_FORMAT", (str(2**64), _DIGITS, "-" + _DIGITS)),
    )
    for number in numbers
}

_UNKNOWN: dict[str, Row] = {
    f"unknown {name!a}: {text[:20]}": (
        raw(AMOUNT, name, text),
        [("UNKNOWN_ATTRIBUTE", name)],
    )
    for name, texts in {
        "surprise": ("1", "0", '""', "false", "[]", "{}", "[null]", "1e999", _DIGITS, '{"a":{}}'),
        "charge_type": ('"CREDIT"',),
        "chargetype": ('"CREDIT"',),
        "chargeType ": ('"CREDIT"',),
        "account.refId": ('"ACC-1001"',),
        "refId": ('"ACC-1001"',),
        "channel": ('"REST"',),
        "batch": ('"1"',),
        "": ("1",),
        "\uff55ser": ('"crm:jane"',),
    }.items()
    for text in texts
}

_ACCOUNTS: dict[str, Row] = {
    f"account {account}": (AMOUNT | {"account": account}, faults)
    for account, faults in (
        ({}, [("MISSING_ATTRIBUTE", "account.refId")]),
        ({"refId": None}, [("MISSING_ATTRIBUTE", "account.refId")]),
        ({"refId": 1}, [("INVALID_TYPE", "account.refId")]),
        ({"refId": True}, [("INVALID_TYPE", "account.refId")]),
        ({"refId": ["ACC-1001"]}, [("INVALID_TYPE", "account.refId")]),
        ({"refId": {"refId": "ACC-1001"}}, [("INVALID_TYPE", "account.refId")]),
        ({"refId": "ACC-1001", "name": "Jane"}, [("UNKNOWN_ATTRIBUTE", "account.name")]),
        ({"refId": "ACC-1001", "": 0}, [("UNKNOWN_ATTRIBUTE", "account.")]),
        (
            {"refID": "ACC-1001"},
            [("MISSING_ATTRIBUTE", "account.refId"), ("UNKNOWN_ATTRIBUTE", "account.refID")],
        ),
    )
}

# A record with such an account is none of its key: on the topic it is a dead letter.
WRONG_ACCOUNTS: dict[str, Row] = {
    f"account.refId: {text[:50]!a} of {len(text)}": (
        AMOUNT | {"account": {"refId": text}},
        [("INVALID_FORMAT", "account.refId")],
    )
    for text in (*_REF_ID, "A" * 65)
}

WRONG_ATTRIBUTES = _TYPES | _FORMS | _WORDS | _RANGES | _UNKNOWN | _ACCOUNTS
