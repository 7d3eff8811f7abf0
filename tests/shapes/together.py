"""Requests with several faults, which are all told, each once and in order."""

from typing import Any

from tests.builders import ABSENT, REQUEST_ID, Body
from tests.shapes.bases import AMOUNT, REVERSAL, Row, changed

_CONFLICT = "CONFLICTING_ATTRIBUTES"
_EVERYTHING: Body = {
    "adjustmentMode": "FULL",
    "taxTreatment": "NO_TAX",
    "chargeType": "DEBIT",
    "chargeAdjustment": 1,
    "percent": 1,
    "targetAmount": 1,
    "taxIncluded": True,
}
_BROKEN: Body = {
    "adjustmentMode": "ALL",
    "taxTreatment": 1,
    "chargeType": "REFUND",
    "chargeAdjustment": 0,
    "percent": 1000001,
    "targetAmount": -1,
    "taxIncluded": "true",
}
_BROKEN_ALONE = [
    ("INVALID_TYPE", "taxIncluded"),
    ("INVALID_TYPE", "taxTreatment"),
    ("INVALID_ENUM", "adjustmentMode"),
    ("INVALID_ENUM", "chargeType"),
    ("AMOUNT_NOT_POSITIVE", "chargeAdjustment"),
    ("AMOUNT_OUT_OF_RANGE", "percent"),
    ("AMOUNT_OUT_OF_RANGE", "targetAmount"),
]

_REVERSALS: dict[str, Row] = {
    "reversal with everything besides": (
        REVERSAL | _EVERYTHING,
        [(_CONFLICT, field) for field in sorted(_EVERYTHING)],
    ),
    "reversal with everything besides, malformed": (
        REVERSAL | _BROKEN,
        [*_BROKEN_ALONE, *((_CONFLICT, field) for field in sorted(_BROKEN))],
    ),
    "reversal in a mode that would need more": (
        REVERSAL | {"adjustmentMode": "PERCENT"},
        [(_CONFLICT, "adjustmentMode")],
    ),
    "reversal in a broken mode, with a percent": (
        REVERSAL | {"adjustmentMode": "REVERSAL", "percent": 1},
        [("INVALID_ENUM", "adjustmentMode"), (_CONFLICT, "adjustmentMode"), (_CONFLICT, "percent")],
    ),
    "reversal without a user, of a wrong version": (
        changed(REVERSAL, user=ABSENT, expectedVersion="2"),
        [("MISSING_ATTRIBUTE", "user"), ("INVALID_TYPE", "expectedVersion")],
    ),
    **{
        f"broken reversalOf {broken!r:.10} {shows}": (
            changed(REVERSAL, reversalOf=broken, **changes),
            [(code, "reversalOf")],
        )
        for broken, code in ((5, "INVALID_TYPE"), ("", "INVALID_FORMAT"), ("A B", "INVALID_FORMAT"))
        for shows, changes in (
            ("alone", {}),
            ("with everything", _EVERYTHING),
            ("in a mode that needs more", {"adjustmentMode": "PERCENT"}),
            ("with an amount", {"chargeType": "CREDIT", "chargeAdjustment": 1}),
            ("with NO_TAX and taxIncluded", {"taxTreatment": "NO_TAX", "taxIncluded": True}),
            ("with FULL of a DEBIT", {"adjustmentMode": "FULL", "chargeType": "DEBIT"}),
            (
                "with a percent above the limit of a credit",
                {"adjustmentMode": "PERCENT", "chargeType": "CREDIT", "percent": 10001},
            ),
        )
    },
    "broken reversalOf with everything malformed": (
        REVERSAL | _BROKEN | {"reversalOf": 5},
        [("INVALID_TYPE", "reversalOf"), *_BROKEN_ALONE],
    ),
}

_UNKNOWN: dict[str, Any] = {f"unknown{number:03}": number for number in range(500)}
_MANY: dict[str, Row] = {
    "nothing but a requestId and an account": (
        {"requestId": REQUEST_ID, "account": {"refId": "ACC-1001"}},
        [
            ("MISSING_ATTRIBUTE", field)
            for field in (
                *("chargeAdjustment", "chargeType", "chargeableEventRefId", "currency"),
                *("taxIncluded", "user"),
            )
        ],
    ),
    "a fault of every code": (
        changed(
            AMOUNT | _BROKEN,
            adjustmentMode="FULL",
            taxTreatment="NO_TAX",
            requestId="not a GUID",
            account={"refId": "ACC-1001", "name": "Jane"},
            user=ABSENT,
            chargeableEventRefId=None,
            currency="eur",
            reason=5,
            comment="c" * 1001,
            expectedVersion=2**63,
            surprise=1,
        ),
        [
            ("MISSING_ATTRIBUTE", "chargeableEventRefId"),
            ("MISSING_ATTRIBUTE", "user"),
            ("INVALID_TYPE", "reason"),
            ("INVALID_TYPE", "taxIncluded"),
            ("INVALID_FORMAT", "comment"),
            ("INVALID_FORMAT", "currency"),
            ("INVALID_FORMAT", "expectedVersion"),
            ("INVALID_FORMAT", "requestId"),
            ("INVALID_ENUM", "chargeType"),
            ("UNKNOWN_ATTRIBUTE", "account.name"),
            ("UNKNOWN_ATTRIBUTE", "surprise"),
            ("AMOUNT_NOT_POSITIVE", "chargeAdjustment"),
            ("AMOUNT_OUT_OF_RANGE", "percent"),
            ("AMOUNT_OUT_OF_RANGE", "targetAmount"),
            *((_CONFLICT, field) for field in ("chargeAdjustment", "percent", "targetAmount")),
            (_CONFLICT, "taxIncluded"),
        ],
    ),
    "more unknown attributes than are told": (
        AMOUNT | _UNKNOWN,
        [("UNKNOWN_ATTRIBUTE", field) for field in list(_UNKNOWN)[:20]],
    ),
    "an amount out of range after more faults than are told": (
        AMOUNT | _UNKNOWN | {"user": None, "chargeAdjustment": 0},
        [
            ("MISSING_ATTRIBUTE", "user"),
            *(("UNKNOWN_ATTRIBUTE", field) for field in list(_UNKNOWN)[:19]),
        ],
    ),
    "unknown attributes by name, not as they came": (
        AMOUNT | {"zebra": 1, "apple": 1, "user": 5, "mango": 1, "comment": 5},
        [
            ("INVALID_TYPE", "comment"),
            ("INVALID_TYPE", "user"),
            *(("UNKNOWN_ATTRIBUTE", field) for field in ("apple", "mango", "zebra")),
        ],
    ),
}

WRONG_TOGETHER = _REVERSALS | _MANY
