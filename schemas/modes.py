"""Which attributes of a request each mode and tax treatment needs, and which contradict it.

What goes in: the attributes that were given, by wire name, and the names of those that are broken
in themselves. What depends on a broken mode, treatment or reversal is not judged.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from schemas.adjustment import (
    CREDIT_PERCENT_MAX,
    AdjustmentMode,
    AdjustmentRequest,
    ChargeType,
    TaxTreatment,
)
from schemas.refusals import Refusal

NEEDED: Mapping[str, AbstractSet[str]] = {
    AdjustmentMode.AMOUNT: {"chargeType", "chargeAdjustment"},
    AdjustmentMode.PERCENT: {"chargeType", "percent"},
    AdjustmentMode.SET_TO: {"targetAmount"},
    AdjustmentMode.FULL: {"chargeType"},
}
# Says which amount is meant: needed where amounts move in proportion and not all of them is taken.
_WHICH = "taxIncluded"
_BY_MODE = frozenset({_WHICH}.union(*NEEDED.values()))
_DECISIVE = _BY_MODE | {"adjustmentMode", "taxTreatment", "reversalOf"}
_WIRE_NAMES = {
    name: field.alias
    for name, field in AdjustmentRequest.model_fields.items()
    if field.alias in _DECISIVE
}
_NAMES = frozenset(_WIRE_NAMES)
_PLAIN = {"charge_type", "charge_adjustment", "tax_included"}


class Contradiction(NamedTuple):
    """An attribute that does not go with the mode, the treatment or a reversal."""

    code: Refusal
    field: str
    because: str  # what it does not go with, for people
    expected: str = ""  # what it must be instead


def contradictions(given: Mapping[str, Any], broken: AbstractSet[str]) -> Iterator[Contradiction]:
    """Give what is missing or too much, in no order. Raises nothing, whatever was given."""
    if "reversalOf" in broken:
        return
    if "reversalOf" in given:
        for field in given.keys() & (_DECISIVE - {"reversalOf"}):
            yield Contradiction(Refusal.CONFLICTING_ATTRIBUTES, field, "a reversal")
        return
    if "adjustmentMode" not in broken:
        yield from _of_mode(given, broken)
    treatment = given.get("taxTreatment", TaxTreatment.PROPORTIONAL)
    is_full = given.get("adjustmentMode") == AdjustmentMode.FULL
    is_judged = "taxTreatment" not in broken and not is_full
    if is_judged and treatment != TaxTreatment.PROPORTIONAL and given.get(_WHICH) is True:
        because = f"taxTreatment {treatment}"
        yield Contradiction(Refusal.CONFLICTING_ATTRIBUTES, _WHICH, because, "false or left out")


def is_whole(request: AdjustmentRequest) -> bool:
    """Whether a request that was read has what its mode needs, and nothing else."""
    attributes, names = request.__dict__, request.model_fields_set & _NAMES
    if names == _PLAIN and None not in map(attributes.get, _PLAIN):
        return True  # by far the most, and quicker
    given = {_WIRE_NAMES[name]: attributes[name] for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    return next(contradictions(given, frozenset()), None) is None


def _of_mode(given: Mapping[str, Any], broken: AbstractSet[str]) -> Iterator[Contradiction]:
    mode = given.get("adjustmentMode", AdjustmentMode.AMOUNT)
    treatment = given.get("taxTreatment", TaxTreatment.PROPORTIONAL)
    is_full, because = mode == AdjustmentMode.FULL, f"adjustmentMode {mode}"
    is_which_needed = not is_full and treatment == TaxTreatment.PROPORTIONAL
    needed = NEEDED[mode] | {_WHICH} if is_which_needed else NEEDED[mode]
    used = NEEDED[mode] if is_full else NEEDED[mode] | {_WHICH}
    for field in needed - given.keys():
        expected = ChargeType.CREDIT if is_full else ""
        yield Contradiction(Refusal.MISSING_ATTRIBUTE, field, because, expected)
    for field in (given.keys() & _BY_MODE) - used:
        yield Contradiction(Refusal.CONFLICTING_ATTRIBUTES, field, because)
    charge_type = given.get("chargeType")
    if is_full and charge_type == ChargeType.DEBIT:
        expected = ChargeType.CREDIT
        yield Contradiction(Refusal.CONFLICTING_ATTRIBUTES, "chargeType", because, expected)
    is_percent_of_credit = mode == AdjustmentMode.PERCENT and charge_type == ChargeType.CREDIT
    percent = given.get("percent", 0)
    if is_percent_of_credit and "percent" not in broken and percent > CREDIT_PERCENT_MAX:
        yield Contradiction(
            Refusal.AMOUNT_OUT_OF_RANGE, "percent", "chargeType CREDIT", "at most 100.00 %"
        )
