"""Requests whose attributes do not go together: mode, treatment and charge type decide."""

from typing import Any

from tests.builders import ABSENT
from tests.shapes.bases import BASES, Faults, Row, changed

_ALWAYS = ("user", "chargeableEventRefId", "currency")
_NEEDED = {
    "AMOUNT": (*_ALWAYS, "chargeType", "chargeAdjustment", "taxIncluded"),
    "PERCENT": (*_ALWAYS, "chargeType", "percent", "taxIncluded"),
    "SET_TO": (*_ALWAYS, "targetAmount", "taxIncluded"),
    "FULL": (*_ALWAYS, "chargeType"),
    "NO_TAX": (*_ALWAYS, "chargeType", "chargeAdjustment"),
    "TAX_ONLY": (*_ALWAYS, "chargeType", "chargeAdjustment"),
    "REVERSAL": _ALWAYS,
}
_MISSING: dict[str, Row] = {
    f"{name} with {field} {shows}": (
        changed(BASES[name], **{field: absent}),
        [("MISSING_ATTRIBUTE", field)],
    )
    for name, needed in _NEEDED.items()
    for field in needed
    for shows, absent in (("left out", ABSENT), ("null", None))
}

_BY_REVERSAL = (
    *("adjustmentMode", "taxTreatment", "chargeType", "chargeAdjustment"),
    *("percent", "targetAmount", "taxIncluded"),
)
_UNUSED = {
    "AMOUNT": ("percent", "targetAmount"),
    "PERCENT": ("chargeAdjustment", "targetAmount"),
    "SET_TO": ("chargeType", "chargeAdjustment", "percent"),
    "FULL": ("chargeAdjustment", "percent", "targetAmount", "taxIncluded"),
    "NO_TAX": ("percent", "targetAmount"),
    "TAX_ONLY": ("percent", "targetAmount"),
    "REVERSAL": _BY_REVERSAL,
}
_WELL_FORMED: dict[str, tuple[Any, ...]] = {
    "adjustmentMode": ("AMOUNT", "PERCENT", "SET_TO", "FULL"),
    "taxTreatment": ("PROPORTIONAL", "NO_TAX", "TAX_ONLY"),
    "chargeType": ("CREDIT", "DEBIT"),
    "chargeAdjustment": (1, 10**15),
    "percent": (1, 10000),
    "targetAmount": (0, 10**15),
    "taxIncluded": (True, False),
}
_MALFORMED: dict[str, tuple[tuple[Any, str], ...]] = {
    "adjustmentMode": (("REVERSAL", "INVALID_ENUM"), (1, "INVALID_TYPE")),
    "taxTreatment": (("TAX", "INVALID_ENUM"), (False, "INVALID_TYPE")),
    "chargeType": (("REFUND", "INVALID_ENUM"), (1, "INVALID_TYPE")),
    "chargeAdjustment": (
        *((0, "AMOUNT_NOT_POSITIVE"), (10**15 + 1, "AMOUNT_OUT_OF_RANGE")),
        *((2**64, "AMOUNT_OUT_OF_RANGE"), ("1", "INVALID_TYPE"), (True, "INVALID_TYPE")),
    ),
    "percent": (
        *((0, "AMOUNT_NOT_POSITIVE"), (1000001, "AMOUNT_OUT_OF_RANGE"), (1.0, "INVALID_TYPE")),
    ),
    "targetAmount": ((-1, "AMOUNT_OUT_OF_RANGE"), ("1", "INVALID_TYPE")),
    "taxIncluded": (("true", "INVALID_TYPE"), (1, "INVALID_TYPE")),
}
_CONFLICTS: dict[str, Row] = {
    f"{name} with {field} {value}": (
        BASES[name] | {field: value},
        [("CONFLICTING_ATTRIBUTES", field)],
    )
    for name, unused in _UNUSED.items()
    for field in unused
    for value in _WELL_FORMED[field]
}
_DOUBLE: dict[str, Row] = {
    f"{name} with a malformed {field} {value!r}": (
        BASES[name] | {field: value},
        [(code, field), ("CONFLICTING_ATTRIBUTES", field)],
    )
    for name, unused in _UNUSED.items()
    for field in unused
    for value, code in _MALFORMED[field]
}

_BROKEN: dict[str, Row] = {
    f"{name} with {field} {value!r}, needing and using nothing": (
        changed(BASES[name], **{field: value}),
        [(code, field)],
    )
    for field, value, code in (
        ("adjustmentMode", "REVERSAL", "INVALID_ENUM"),
        ("adjustmentMode", 1, "INVALID_TYPE"),
        ("adjustmentMode", {}, "INVALID_TYPE"),
    )
    for name in ("AMOUNT", "PERCENT", "SET_TO", "FULL", "NO_TAX", "TAX_ONLY")
}

_EVERYTHING: dict[str, Any] = {
    "chargeType": "DEBIT",
    "chargeAdjustment": 1,
    "percent": 20000,
    "targetAmount": 1,
    "taxIncluded": True,
}
_NOTHING = dict.fromkeys(_EVERYTHING, ABSENT)
_MODE_ENUM, _TREATMENT_ENUM = ("INVALID_ENUM", "adjustmentMode"), ("INVALID_ENUM", "taxTreatment")


def _conflicts(*fields: str) -> Faults:
    return [("CONFLICTING_ATTRIBUTES", field) for field in fields]


def _missing(*fields: str) -> Faults:
    return [("MISSING_ATTRIBUTE", field) for field in fields]


_TREATMENTS: dict[str, Row] = {
    **{
        f"{mode} {treatment} with taxIncluded": (
            BASES[mode] | {"taxTreatment": treatment, "taxIncluded": True},
            _conflicts("taxIncluded"),
        )
        for mode in ("AMOUNT", "PERCENT", "SET_TO", "FULL")
        for treatment in ("NO_TAX", "TAX_ONLY")
    },
    **{
        f"FULL {treatment} without taxIncluded": (
            BASES["FULL"] | {"taxTreatment": treatment, "taxIncluded": False},
            _conflicts("taxIncluded"),
        )
        for treatment in ("PROPORTIONAL", "NO_TAX", "TAX_ONLY")
    },
    **{
        f"{mode} with a broken treatment and taxIncluded {value}": (
            changed(BASES[mode], taxTreatment="TAX", taxIncluded=value),
            [_TREATMENT_ENUM],
        )
        for mode in ("AMOUNT", "PERCENT", "SET_TO")
        for value in (True, False, None, ABSENT)
    },
    **{
        f"FULL with a broken treatment and taxIncluded {value}": (
            BASES["FULL"] | {"taxTreatment": "TAX", "taxIncluded": value},
            [_TREATMENT_ENUM, *_conflicts("taxIncluded")],
        )
        for value in (True, False)
    },
    "FULL with a broken treatment": (BASES["FULL"] | {"taxTreatment": "TAX"}, [_TREATMENT_ENUM]),
    **{
        f"broken mode, {treatment} with taxIncluded": (
            BASES["AMOUNT"] | {"adjustmentMode": "ALL", "taxTreatment": treatment},
            [_MODE_ENUM, *_conflicts("taxIncluded")],
        )
        for treatment in ("NO_TAX", "TAX_ONLY")
    },
    "NO_TAX with a malformed taxIncluded": (
        BASES["NO_TAX"] | {"taxIncluded": "true"},
        [("INVALID_TYPE", "taxIncluded")],
    ),
    "broken mode and treatment, malformed taxIncluded": (
        BASES["AMOUNT"] | {"adjustmentMode": "ALL", "taxTreatment": "TAX", "taxIncluded": 1},
        [("INVALID_TYPE", "taxIncluded"), _MODE_ENUM, _TREATMENT_ENUM],
    ),
    "AMOUNT with a broken treatment and nothing else": (
        changed(BASES["AMOUNT"], taxTreatment="TAX", **_NOTHING),
        [*_missing("chargeAdjustment", "chargeType"), _TREATMENT_ENUM],
    ),
    "SET_TO with a broken treatment and everything": (
        BASES["SET_TO"] | _EVERYTHING | {"taxTreatment": "TAX"},
        [_TREATMENT_ENUM, *_conflicts("chargeAdjustment", "chargeType", "percent")],
    ),
}

_CHARGE_TYPES: dict[str, Row] = {
    "FULL with DEBIT": (BASES["FULL"] | {"chargeType": "DEBIT"}, _conflicts("chargeType")),
    "FULL with DEBIT, NO_TAX": (
        BASES["FULL"] | {"chargeType": "DEBIT", "taxTreatment": "NO_TAX"},
        _conflicts("chargeType"),
    ),
    "FULL with DEBIT, broken treatment": (
        BASES["FULL"] | {"chargeType": "DEBIT", "taxTreatment": "TAX"},
        [_TREATMENT_ENUM, *_conflicts("chargeType")],
    ),
    "FULL with a broken chargeType": (
        BASES["FULL"] | {"chargeType": "debit"},
        [("INVALID_ENUM", "chargeType")],
    ),
    "PERCENT of a broken chargeType, above the limit of a credit": (
        BASES["PERCENT"] | {"chargeType": "credit", "percent": 1000000},
        [("INVALID_ENUM", "chargeType")],
    ),
    "PERCENT of no chargeType, above the limit of a credit": (
        changed(BASES["PERCENT"], chargeType=ABSENT, percent=10001),
        _missing("chargeType"),
    ),
    "PERCENT of no chargeType, above every limit": (
        changed(BASES["PERCENT"], chargeType=ABSENT, percent=1000001),
        [*_missing("chargeType"), ("AMOUNT_OUT_OF_RANGE", "percent")],
    ),
    "PERCENT above the limit of a credit, broken treatment": (
        BASES["PERCENT"] | {"percent": 10001, "taxTreatment": "TAX"},
        [_TREATMENT_ENUM, ("AMOUNT_OUT_OF_RANGE", "percent")],
    ),
    "broken mode with a percent above the limit of a credit": (
        BASES["PERCENT"] | {"percent": 10001, "adjustmentMode": "percent"},
        [_MODE_ENUM],
    ),
    "broken mode with a percent above every limit": (
        BASES["PERCENT"] | {"percent": 1000001, "adjustmentMode": "percent"},
        [_MODE_ENUM, ("AMOUNT_OUT_OF_RANGE", "percent")],
    ),
}

_NAKED: dict[str, Row] = {
    "AMOUNT by default with nothing": (
        changed(BASES["AMOUNT"], **_NOTHING),
        _missing("chargeAdjustment", "chargeType", "taxIncluded"),
    ),
    "PERCENT with nothing": (
        changed(BASES["PERCENT"], **_NOTHING),
        _missing("chargeType", "percent", "taxIncluded"),
    ),
    "SET_TO with nothing": (
        changed(BASES["SET_TO"], **_NOTHING),
        _missing("targetAmount", "taxIncluded"),
    ),
    "FULL with nothing": (changed(BASES["FULL"], **_NOTHING), _missing("chargeType")),
    "NO_TAX with nothing": (
        changed(BASES["NO_TAX"], **_NOTHING),
        _missing("chargeAdjustment", "chargeType"),
    ),
    "broken mode with nothing": (
        changed(BASES["AMOUNT"], adjustmentMode="ALL", **_NOTHING),
        [_MODE_ENUM],
    ),
    "broken mode with everything": (
        BASES["AMOUNT"] | _EVERYTHING | {"adjustmentMode": "ALL"},
        [_MODE_ENUM],
    ),
    "AMOUNT for PERCENT": (
        BASES["AMOUNT"] | {"adjustmentMode": "PERCENT"},
        [*_missing("percent"), *_conflicts("chargeAdjustment")],
    ),
    "PERCENT for AMOUNT": (
        changed(BASES["PERCENT"], adjustmentMode=ABSENT),
        [*_missing("chargeAdjustment"), *_conflicts("percent")],
    ),
    "AMOUNT for SET_TO": (
        BASES["AMOUNT"] | {"adjustmentMode": "SET_TO"},
        [*_missing("targetAmount"), *_conflicts("chargeAdjustment", "chargeType")],
    ),
    "FULL with everything": (
        BASES["FULL"] | _EVERYTHING,
        _conflicts("chargeAdjustment", "chargeType", "percent", "targetAmount", "taxIncluded"),
    ),
}

WRONG_MODES = _MISSING | _CONFLICTS | _DOUBLE | _BROKEN | _TREATMENTS | _CHARGE_TYPES | _NAKED
