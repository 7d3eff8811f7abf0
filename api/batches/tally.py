"""Adds up what items came to."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from schemas.amounts import Amounts


class _Error(msgspec.Struct):
    code: str


class _Adjustment(msgspec.Struct):
    effect: Amounts


class _Result(msgspec.Struct):
    adjustment: _Adjustment | None
    errors: list[_Error]


_decode = msgspec.json.Decoder(_Result).decode


@dataclass
class Tally:
    """What some results add to a report; amounts in micro-units."""

    applied: int = 0
    tax_excluded: int = 0
    tax: int = 0
    tax_included: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def add(self, value: bytes) -> None:
        """Add a result. What is refused counts under its first code."""
        result = _decode(value)
        if result.adjustment is None:
            self.refusals[result.errors[0].code] += 1
            return
        effect = result.adjustment.effect
        self.applied += 1
        self.tax_excluded += effect.tax_excluded_amount
        self.tax += effect.tax_amount
        self.tax_included += effect.tax_included_amount
