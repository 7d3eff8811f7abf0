"""Says in the published schema of a request what each mode needs, and what contradicts it."""

from typing import Any

from schemas.adjustment import CREDIT_PERCENT_MAX, AdjustmentMode, ChargeType, TaxTreatment
from schemas.modes import NEEDED

_ABSENT = {"type": "null"}
_GIVEN = {"not": _ABSENT}
_AMOUNTS = frozenset[str]().union(*NEEDED.values())

Schema = dict[str, Any]


def add_modes(schema: Schema) -> None:
    """Add the rules of `schemas.modes`; null counts as absent, here as there."""
    for name in ("adjustmentMode", "taxTreatment"):
        attribute = schema["properties"][name]
        said = {key: attribute.pop(key) for key in ("default", "description") if key in attribute}
        schema["properties"][name] = {"anyOf": [attribute, _ABSENT], **said}
    names = sorted({*_AMOUNTS, "taxIncluded", "adjustmentMode", "taxTreatment"})
    reversal = {"properties": {"reversalOf": {"type": "string"}}, "required": ["reversalOf"]}
    schema["if"] = reversal
    schema["then"] = {"properties": dict.fromkeys(names, _ABSENT)}
    schema["else"] = {"allOf": [rule for mode in NEEDED for rule in _rules_of(mode)]}


def _rules_of(mode: str) -> list[Schema]:
    needed, other = sorted(NEEDED[mode]), sorted(_AMOUNTS - NEEDED[mode])
    properties = dict.fromkeys(needed, _GIVEN) | dict.fromkeys(other, _ABSENT)
    if mode == AdjustmentMode.FULL:
        taken = {"chargeType": {"const": ChargeType.CREDIT}, "taxIncluded": _ABSENT}
        return [_rule(_is(adjustmentMode=mode), {"properties": properties | taken} | _all(needed))]
    is_mode = _is(adjustmentMode=mode)
    if mode == AdjustmentMode.AMOUNT:  # meant if none is given
        others = sorted(other for other in NEEDED if other != mode)
        is_mode = {"properties": {"adjustmentMode": {"not": {"enum": others}}}}
    rules = [
        _rule(is_mode, {"properties": properties} | _all(needed)),
        _rule(
            {"allOf": [is_mode, _only_part()]},
            {"properties": {"taxIncluded": {"enum": [False, None]}}},
            _rule(is_mode, {"properties": {"taxIncluded": _GIVEN}} | _all(["taxIncluded"])),
        ),
    ]
    if mode == AdjustmentMode.PERCENT:
        is_credit = _is(adjustmentMode=mode, chargeType=ChargeType.CREDIT)
        rules.append(_rule(is_credit, {"properties": {"percent": {"maximum": CREDIT_PERCENT_MAX}}}))
    return rules


def _only_part() -> Schema:
    parts = [treatment for treatment in TaxTreatment if treatment is not TaxTreatment.PROPORTIONAL]
    return {"properties": {"taxTreatment": {"enum": parts}}, "required": ["taxTreatment"]}


def _is(**values: str) -> Schema:
    return {"properties": {name: {"const": value} for name, value in values.items()}} | _all(values)


def _all(names: Any) -> Schema:
    return {"required": sorted(names)}


def _rule(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    return {"if": condition, "then": then} | ({"else": otherwise} if otherwise else {})
