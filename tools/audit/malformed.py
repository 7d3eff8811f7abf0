"""Takes a well-formed request and spoils its form in one or several ways."""

from random import Random

from tools.audit.shape import Body

GONE = object()
SPOILT: tuple[tuple[str, object], ...] = (
    ("user", GONE),
    ("user", None),
    ("user", ""),
    ("user", 7),
    ("user", "u" * 129),
    ("chargeableEventRefId", GONE),
    ("chargeableEventRefId", "CE 1"),
    ("chargeableEventRefId", {"refId": "CE-1"}),
    ("chargeableEventRefId", "C" * 65),
    ("currency", GONE),
    ("currency", "euro"),
    ("currency", 978),
    ("requestId", "no GUID"),
    ("requestId", "7d8f3f3e6f0a4d2b9a510c8a5f6f2f10"),
    ("account", "ACC-1"),
    ("account", {}),
    ("account", {"refId": 7}),
    ("account", {"refId": None, "name": "Jane"}),
    ("chargeType", GONE),
    ("chargeType", "CREDIT"),
    ("chargeType", "DEBIT"),
    ("chargeType", "credit"),
    ("chargeType", ["CREDIT"]),
    ("chargeAdjustment", GONE),
    ("chargeAdjustment", 5),
    ("chargeAdjustment", 0),
    ("chargeAdjustment", -5),
    ("chargeAdjustment", 10**15),
    ("chargeAdjustment", 10**15 + 1),
    ("chargeAdjustment", 2**64),
    ("chargeAdjustment", "5"),
    ("chargeAdjustment", 5.0),
    ("chargeAdjustment", True),
    ("percent", GONE),
    ("percent", 0),
    ("percent", 10_000),
    ("percent", 10_001),
    ("percent", 1_000_001),
    ("percent", -(2**70)),
    ("percent", 0.5),
    ("targetAmount", GONE),
    ("targetAmount", 0),
    ("targetAmount", -1),
    ("targetAmount", 10**15 + 1),
    ("targetAmount", False),
    ("taxIncluded", GONE),
    ("taxIncluded", True),
    ("taxIncluded", False),
    ("taxIncluded", "true"),
    ("taxIncluded", 0),
    ("adjustmentMode", "AMOUNT"),
    ("adjustmentMode", "PERCENT"),
    ("adjustmentMode", "SET_TO"),
    ("adjustmentMode", "FULL"),
    ("adjustmentMode", "REVERSAL"),
    ("adjustmentMode", 1),
    ("taxTreatment", "PROPORTIONAL"),
    ("taxTreatment", "NO_TAX"),
    ("taxTreatment", "TAX_ONLY"),
    ("taxTreatment", "TAX"),
    ("taxTreatment", {}),
    ("reason", "R" * 65),
    ("reason", 5),
    ("comment", "c" * 1001),
    ("comment", False),
    ("expectedVersion", "1"),
    ("expectedVersion", 1.5),
    ("expectedVersion", 2**63),
    ("expectedVersion", -(2**63) - 1),
    ("reversalOf", "ADJ-1"),
    ("reversalOf", "ADJ 1"),
    ("reversalOf", "A" * 106),
    ("reversalOf", 1),
    ("unheard", "of"),
    ("unheard", None),
    ("amount", 5),
)
MANY = {f"unknown{number:02d}": number for number in range(25)}
MANY_SHARE = 0.03


def spoil(body: Body, draw: Random) -> Body:
    """Change one to four attributes; what comes out may by chance be well-formed still."""
    spoilt = body | dict(draw.choices(SPOILT, k=draw.choice((1, 1, 2, 3, 4))))
    if draw.random() < MANY_SHARE:
        spoilt |= MANY
    return {name: value for name, value in spoilt.items() if value is not GONE}
