"""Works out what a request asks of its chargeable event: which way, how much, of which amount."""

from schemas.account import Account
from schemas.adjustment import (
    AdjustmentMode,
    AdjustmentRequest,
    ChargeType,
    TaxTreatment,
)
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent
from streams.domain import amounts


def mode_of(request: AdjustmentRequest) -> AdjustmentMode:
    """Give the mode that is recorded: a reversal is one too."""
    return AdjustmentMode.REVERSAL if request.reversal_of is not None else request.adjustment_mode


def charge_type_of(request: AdjustmentRequest, event: ChargeableEvent) -> ChargeType | None:
    """Say which way the charge goes; None for a target that it has already, and a reversal."""
    if request.target_amount is None:
        return request.charge_type
    now = part_of(event.current, request)
    if request.target_amount == now:
        return None
    return ChargeType.CREDIT if request.target_amount < now else ChargeType.DEBIT


def amount_of(request: AdjustmentRequest, event: ChargeableEvent) -> int:
    """Give how much is asked for, in micro-units of the part that is meant; never below zero."""
    if request.charge_adjustment is not None:
        return request.charge_adjustment
    if request.percent is not None:
        return amounts.percent_of(part_of(event.original, request), request.percent)
    now = part_of(event.current, request)
    return now if request.target_amount is None else abs(request.target_amount - now)


def part_of(whole: Amounts, request: AdjustmentRequest) -> int:
    """Give the one of three amounts that a request's amount, percent or target means."""
    if request.tax_treatment is TaxTreatment.TAX_ONLY:
        return whole.tax_amount
    if request.tax_treatment is TaxTreatment.NO_TAX or request.tax_included is False:
        return whole.tax_excluded_amount
    return whole.tax_included_amount


def effect_of(request: AdjustmentRequest, account: Account, event: ChargeableEvent) -> Amounts:
    """Give what an adjustment adds to the three amounts, signed; a reversal is not worked out."""
    amount = amount_of(request, event)
    is_credit = charge_type_of(request, event) is ChargeType.CREDIT
    if request.tax_treatment is TaxTreatment.NO_TAX:
        return amounts.without_tax(-amount if is_credit else amount)
    if request.tax_treatment is TaxTreatment.TAX_ONLY:
        return amounts.of_tax(-amount if is_credit else amount)
    is_tax_included = request.tax_included is not False  # FULL says nothing and means all
    if is_credit:
        return amounts.credit(amount, event.current, is_tax_included=is_tax_included)
    rate = 0 if account.tax_exempt else event.tax.rate
    return amounts.debit(amount, rate, is_tax_included=is_tax_included)
