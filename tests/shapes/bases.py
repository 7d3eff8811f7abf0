"""A good request of every kind, and how another is made of it."""

import json
from typing import Any

from tests.builders import ABSENT, REQUEST_ID, Body, request_body

Faults = list[tuple[str, str]]
Row = tuple[Body | bytes, Faults]

AMOUNT = request_body()
PERCENT = request_body(adjustmentMode="PERCENT", chargeAdjustment=ABSENT, percent=2500)
SET_TO = request_body(
    adjustmentMode="SET_TO", chargeType=ABSENT, chargeAdjustment=ABSENT, targetAmount=5000000
)
FULL = request_body(adjustmentMode="FULL", chargeAdjustment=ABSENT, taxIncluded=ABSENT)
NO_TAX = request_body(taxTreatment="NO_TAX", taxIncluded=ABSENT)
TAX_ONLY = request_body(taxTreatment="TAX_ONLY", taxIncluded=ABSENT)
REVERSAL = request_body(
    chargeType=ABSENT,
    chargeAdjustment=ABSENT,
    taxIncluded=ABSENT,
    reversalOf=f"ADJ-ACC-1001-{REQUEST_ID}",
)
BASES = {
    "AMOUNT": AMOUNT,
    "PERCENT": PERCENT,
    "SET_TO": SET_TO,
    "FULL": FULL,
    "NO_TAX": NO_TAX,
    "TAX_ONLY": TAX_ONLY,
    "REVERSAL": REVERSAL,
}


def value_of(body: Body | bytes) -> bytes:
    """Give a body as it is sent."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def changed(base: Body, **changes: Any) -> Body:
    """Give another body; ABSENT leaves an attribute out."""
    return {name: part for name, part in (base | changes).items() if part is not ABSENT}


def raw(base: Body, field: str, text: str) -> bytes:
    """Give a body in which an attribute is the JSON text given, whatever it is."""
    return json.dumps(base | {field: "@"}).replace('"@"', text).encode()
