"""What an adjustment posts: lines that add up to zero.

A debit is above zero, a credit below. A credit of a charge lowers the receivable, and takes revenue
and tax back. An amount of zero posts no line; the numbers of the others stay.
"""

from typing import NamedTuple

from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from schemas.reasons import REASONS
from streams.subscribers.finance.gl_accounts import GlAccounts

RECEIVABLE, REVENUE, TAX_PAYABLE = 1, 2, 3


class Line(NamedTuple):
    """One line of a journal entry; the amount is in micro-units."""

    number: int
    gl_account: str
    amount: int


class Taxed(NamedTuple):
    """What a chargeable event says of the accounts that an adjustment of it is posted to."""

    gl_code: str | None
    tax_code: str | None


UNKNOWN = Taxed(None, None)
"""Of an event whose image has expired from the topic before it was read."""


def taxed(event: ChargeableEvent) -> Taxed:
    """Give what counts of an event."""
    return Taxed(event.gl_code, event.tax.code)


def post(adjustment: Adjustment, event: Taxed, accounts: GlAccounts) -> list[Line]:
    """Give the lines of an adjustment of this event, which add up to zero."""
    effect = adjustment.effect
    lines = (
        Line(RECEIVABLE, accounts.receivable, effect.tax_included_amount),
        Line(REVENUE, event.gl_code or _of_reason(adjustment), -effect.tax_excluded_amount),
        Line(TAX_PAYABLE, accounts.of_tax(event.tax_code), -effect.tax_amount),
    )
    assert sum(line.amount for line in lines) == 0, "whoever reads images refuses such an effect"
    return [line for line in lines if line.amount]


def _of_reason(adjustment: Adjustment) -> str:
    """Give the reason's account; a reason that this version does not know has its own name."""
    reason = REASONS.get(adjustment.reason)
    return reason.gl_code if reason else adjustment.reason
