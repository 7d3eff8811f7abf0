"""The three amounts of a charge; without tax and tax always make up the amount with tax."""

from typing import Annotated

import msgspec

from schemas.forms import INTEGER_MAX, INTEGER_MIN

Micro = Annotated[
    int,
    msgspec.Meta(
        description="Micro-units of the currency: 1 EUR is 1000000.",
        ge=INTEGER_MIN,
        le=INTEGER_MAX,
    ),
]


class Amounts(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """An amount without tax, its tax, and both together, in micro-units of the currency."""

    tax_excluded_amount: Micro
    tax_amount: Micro
    tax_included_amount: Micro


NOTHING = Amounts(tax_excluded_amount=0, tax_amount=0, tax_included_amount=0)
