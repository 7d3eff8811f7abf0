"""Takes over accounts and chargeable events as other systems send them.

What goes in: the row as it is, or none, and what was sent. What comes out: the new row; None where
nothing changed, since upstream systems send twice; a `Conflict` where it must not be taken over.

Always true: an upsert never touches `adjusted` and `adjustmentCount`; `current` is `original` +
`adjusted` and not below zero; the version grows by one exactly where something changed.
"""

from dataclasses import dataclass

import msgspec

from schemas.account import Account, AccountReference, AccountUpsert
from schemas.amounts import NOTHING, Amounts
from schemas.chargeable_event import (
    AdjustmentState,
    BillingPeriod,
    ChargeableEvent,
    RatedAmounts,
    RatedChargeableEvent,
    Tax,
)
from schemas.dead_letters import DeadLetterCode
from streams.domain import amounts


@dataclass(frozen=True)
class Conflict:
    """Why an upsert is not taken over."""

    code: DeadLetterCode
    text: str


def upsert_account(row: Account | None, upsert: AccountUpsert) -> Account | Conflict | None:
    """Give the account as it is now; None if nothing changed."""
    if row is not None and row.currency != upsert.currency:
        return _currency_conflict("account", row.ref_id, row.currency, upsert.currency)
    same_version = Account(
        ref_id=upsert.ref_id,
        external_id=upsert.external_id,
        currency=upsert.currency,
        state=upsert.state,
        tax_exempt=upsert.tax_exempt,
        billing_in_progress=upsert.billing_in_progress,
        version=1 if row is None else row.version,
    )
    if row is None:
        return same_version
    if row == same_version:
        return None
    return msgspec.structs.replace(same_version, version=row.version + 1)


def upsert_chargeable_event(
    row: ChargeableEvent | None, upsert: RatedChargeableEvent
) -> ChargeableEvent | Conflict | None:
    """Give the chargeable event as it is now; None if nothing changed."""
    if row is not None and row.currency != upsert.currency:
        return _currency_conflict("chargeable event", row.ref_id, row.currency, upsert.currency)
    same_version = _rated(upsert, row)
    if amounts.is_any_negative(same_version.current):
        text = (
            f"The original amounts of chargeable event {upsert.ref_id} are less than what was"
            " credited already."
        )
        return Conflict(DeadLetterCode.CONFLICTS_WITH_ADJUSTMENTS, text)
    if row is None:
        return same_version
    if row == same_version:
        return None
    return msgspec.structs.replace(same_version, version=row.version + 1)


def adjustment_state(adjusted: Amounts, current: Amounts) -> AdjustmentState:
    """Tell what adjustments have made of a charge."""
    if adjusted == NOTHING:
        return AdjustmentState.NONE
    if current == NOTHING:
        return AdjustmentState.FULLY_CREDITED
    if adjusted.tax_included_amount < 0:
        return AdjustmentState.PARTIALLY_CREDITED
    if adjusted.tax_included_amount > 0:
        return AdjustmentState.INCREASED
    return AdjustmentState.NONE


def _rated(upsert: RatedChargeableEvent, row: ChargeableEvent | None) -> ChargeableEvent:
    original = _amounts(upsert.original)
    adjusted = NOTHING if row is None else row.adjusted
    current = amounts.add(original, adjusted)
    return ChargeableEvent(
        ref_id=upsert.ref_id,
        account=AccountReference(ref_id=upsert.account.ref_id),
        usage_type=upsert.usage_type,
        kind=upsert.kind,
        event_date=upsert.event_date,
        quantity=upsert.quantity,
        unit_of_measure=upsert.unit_of_measure,
        currency=upsert.currency,
        original=original,
        tax=Tax(code=upsert.tax.code, rate=upsert.tax.rate),
        gl_code=upsert.gl_code,
        status=upsert.status,
        billing_period=BillingPeriod(
            start=upsert.billing_period.start, end=upsert.billing_period.end
        ),
        invoice_ref_id=upsert.invoice_ref_id,
        adjusted=adjusted,
        current=current,
        adjustment_state=adjustment_state(adjusted, current),
        adjustment_count=0 if row is None else row.adjustment_count,
        version=1 if row is None else row.version,
    )


def _amounts(rated: RatedAmounts) -> Amounts:
    return Amounts(
        tax_excluded_amount=rated.tax_excluded_amount,
        tax_amount=rated.tax_amount,
        tax_included_amount=rated.tax_included_amount,
    )


def _currency_conflict(entity: str, ref_id: str, before: str, after: str) -> Conflict:
    text = f"The currency of {entity} {ref_id} is {before} and cannot become {after}."
    return Conflict(DeadLetterCode.IMMUTABLE_ATTRIBUTE, text)
