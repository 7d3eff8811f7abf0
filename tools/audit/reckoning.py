"""What a request would do to the three amounts of a charge, in exact fractions."""

from fractions import Fraction
from math import floor
from typing import NamedTuple

from tools.audit.shape import Body

EXCLUDED, TAX, INCLUDED = 0, 1, 2
NAMES = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
HALF = Fraction(1, 2)
BASIS = 10_000
ONLY = {"NO_TAX": EXCLUDED, "TAX_ONLY": TAX}
OPPOSITE = {"CREDIT": "DEBIT", "DEBIT": "CREDIT"}

Amounts = tuple[int, int, int]


class Meant(NamedTuple):
    """What a request comes to: so much of one part, down (CREDIT) or up (DEBIT)."""

    charge_type: str | None
    amount: int
    part: int


def read(amounts: Body) -> Amounts:
    """The three amounts of a message."""
    excluded, tax, included = (amounts[name] for name in NAMES)
    return excluded, tax, included


def written(amounts: Amounts) -> Body:
    """Three amounts as a message has them."""
    return dict(zip(NAMES, amounts, strict=True))


def plus(one: Amounts, other: Amounts) -> Amounts:
    """Each amount of the one with that of the other."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def meant(asked: Body, event: Body) -> Meant:
    """What a request that is no reversal comes to on this charge."""
    part = _part(asked)
    current, original = read(event["current"])[part], read(event["original"])[part]
    mode, charge_type = asked["adjustmentMode"], asked.get("chargeType")
    if mode == "AMOUNT":
        return Meant(charge_type, asked["chargeAdjustment"], part)
    if mode == "PERCENT":
        return Meant(charge_type, _round(Fraction(original * asked["percent"], BASIS)), part)
    if mode == "FULL":
        return Meant("CREDIT", current, part)
    difference = asked["targetAmount"] - current
    if difference == 0:
        return Meant(None, 0, part)
    return Meant("DEBIT" if difference > 0 else "CREDIT", abs(difference), part)


def effect(asked: Body, event: Body, tax_exempt: bool) -> Amounts:  # noqa: FBT001 - a fact
    """What would be added to the three amounts; a credit must not exceed what remains."""
    charge_type, amount, part = meant(asked, event)
    sign = -1 if charge_type == "CREDIT" else 1
    if asked["taxTreatment"] == "NO_TAX":
        return sign * amount, 0, sign * amount
    if asked["taxTreatment"] == "TAX_ONLY":
        return 0, sign * amount, sign * amount
    if amount == 0:
        return 0, 0, 0
    share = _remaining_share(event, part) if sign < 0 else _own_share(event, part, tax_exempt)
    tax = _round(amount * share)
    excluded = amount - tax if part == INCLUDED else amount
    return sign * excluded, sign * tax, sign * (excluded + tax)


def state(adjusted: Amounts, current: Amounts) -> str:
    """The adjustmentState that follows from these sums."""
    if not any(adjusted):
        return "NONE"
    if not any(current):
        return "FULLY_CREDITED"
    if adjusted[INCLUDED] == 0:
        return "NONE"
    return "PARTIALLY_CREDITED" if adjusted[INCLUDED] < 0 else "INCREASED"


def _part(asked: Body) -> int:
    """Which of the three amounts the request speaks of."""
    treatment = asked["taxTreatment"]
    if treatment in ONLY:
        return ONLY[treatment]
    return INCLUDED if asked.get("taxIncluded", True) else EXCLUDED


def _remaining_share(event: Body, part: int) -> Fraction:
    """How much tax remains for each unit of the part that remains."""
    remaining = read(event["current"])
    return Fraction(remaining[TAX], remaining[part])


def _own_share(event: Body, part: int, tax_exempt: bool) -> Fraction:  # noqa: FBT001 - a fact
    """How much tax the event's own rate puts on each unit of the part."""
    rate = Fraction(0 if tax_exempt else event["tax"]["rate"], BASIS)
    return rate / (1 + rate) if part == INCLUDED else rate


def _round(amount: Fraction) -> int:
    return floor(amount + HALF)
