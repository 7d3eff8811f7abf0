"""Says in words why a request is refused, and which attribute is at fault; money as money."""

from schemas.adjustment import AdjustmentMode, AdjustmentRequest, TaxTreatment
from schemas.adjustment_result import Fault
from schemas.chargeable_event import ChargeableEvent
from schemas.refusals import Refusal
from streams.domain.amounts import micro_as_money
from streams.domain.effects import amount_of, charge_type_of, mode_of, part_of
from streams.domain.state import State

_FIELDS = {
    Refusal.REQUEST_ID_REUSED: "requestId",
    Refusal.ACCOUNT_NOT_FOUND: "account.refId",
    Refusal.ACCOUNT_STATE_INVALID: "account.refId",
    Refusal.BILLING_IN_PROGRESS: "account.refId",
    Refusal.CHARGEABLE_EVENT_NOT_FOUND: "chargeableEventRefId",
    Refusal.VERSION_CONFLICT: "expectedVersion",
    Refusal.CURRENCY_MISMATCH: "currency",
    Refusal.REASON_NOT_CONFIGURED: "reason",
    Refusal.REASON_NOT_APPLICABLE: "reason",
    Refusal.COMMENT_REQUIRED: "comment",
    Refusal.ADJUSTMENT_NOT_FOUND: "reversalOf",
    Refusal.ALREADY_REVERSED: "reversalOf",
    Refusal.NOT_REVERSIBLE: "reversalOf",
}
# The attribute that gives the amount is at fault where the amount does not fit.
_GIVEN_BY = {
    AdjustmentMode.AMOUNT: "chargeAdjustment",
    AdjustmentMode.PERCENT: "percent",
    AdjustmentMode.SET_TO: "targetAmount",
    AdjustmentMode.FULL: "adjustmentMode",
    AdjustmentMode.REVERSAL: "reversalOf",
}


_SENTENCES = {
    Refusal.REQUEST_ID_REUSED: "Account {account} has another request under requestId {request}.",
    Refusal.ACCOUNT_NOT_FOUND: "There is no account {account}.",
    Refusal.ACCOUNT_STATE_INVALID: "Account {account} is {account_state}.",
    Refusal.BILLING_IN_PROGRESS: (
        "A bill of account {account} is being made. Ask again later, under a new requestId."
    ),
    Refusal.CHARGEABLE_EVENT_NOT_FOUND: (
        "There is no chargeable event {event} on account {account}."
    ),
    Refusal.VERSION_CONFLICT: (
        "Chargeable event {event} is at version {version}, not {expected_version}."
        " Look at it again first."
    ),
    Refusal.CURRENCY_MISMATCH: "Chargeable event {event} is in {currency}, not {asked_currency}.",
    Refusal.REASON_NOT_CONFIGURED: "The reason is not on the list of reasons.",
    Refusal.REASON_NOT_APPLICABLE: "The reason {reason} is not for a {charge_type}.",
    Refusal.COMMENT_REQUIRED: "The reason {reason} needs a comment.",
    Refusal.ADJUSTMENT_NOT_FOUND: "Chargeable event {event} has no adjustment {reversal_of}.",
    Refusal.ALREADY_REVERSED: "Adjustment {reversal_of} was reversed already, by {reversed_by}.",
    Refusal.NOT_REVERSIBLE: (
        "Adjustment {reversal_of} is a reversal itself. Make a new adjustment instead."
    ),
}


def fault_of(code: Refusal, state: State, request: AdjustmentRequest, account: str) -> Fault:
    """Give the one fault of a refused request; `account` is the key of its record."""
    event = state.chargeable_event
    if code in _SENTENCES:
        sentence = _SENTENCES[code].format(
            account=account,
            account_state=state.account.state.lower() if state.account else None,
            request=request.request_id,
            event=request.chargeable_event_ref_id,
            version=event.version if event else None,
            expected_version=request.expected_version,
            currency=event.currency if event else None,
            asked_currency=request.currency,
            reason=request.reason,
            charge_type=charge_type_of(request, event) if event else None,
            reversal_of=request.reversal_of,
            reversed_by=state.reversed_by,
        )
        return Fault(code=code, field=_FIELDS[code], message=sentence)
    assert event is not None, "rules about amounts come after those about rows"
    sentence = {
        Refusal.NOTHING_TO_ADJUST: _no_effect,
        Refusal.CREDIT_EXCEEDS_REMAINING: _too_much,
        Refusal.SUM_OUT_OF_RANGE: _too_large,
    }[code](event, request)
    return Fault(code=code, field=_GIVEN_BY[mode_of(request)], message=sentence)


def _too_large(event: ChargeableEvent, _request: AdjustmentRequest) -> str:
    return (
        f"The amounts of chargeable event {event.ref_id}, or the sum of its adjustments, would go"
        f" beyond a thousand million {event.currency}."
    )


def _no_effect(event: ChargeableEvent, request: AdjustmentRequest) -> str:
    now = _part_in_words(part_of(event.current, request), event, request)
    if request.percent is not None:
        original = _part_in_words(part_of(event.original, request), event, request)
        return f"{_percent(request.percent)} of the original {original} is nothing."
    if request.target_amount is not None:
        return f"Chargeable event {event.ref_id} is at {now} already."
    return f"Nothing is left to credit: {now} remain on chargeable event {event.ref_id}."


def _too_much(event: ChargeableEvent, request: AdjustmentRequest) -> str:
    if request.reversal_of is not None:
        left = event.current
        excluded = micro_as_money(left.tax_excluded_amount, event.currency)
        tax = micro_as_money(left.tax_amount, event.currency)
        return (
            f"Adjustment {request.reversal_of} cannot be undone: it added more than what remains"
            f" on chargeable event {event.ref_id}, {excluded} without tax and {tax} of tax."
        )
    asked = _part_in_words(amount_of(request, event), event, request)
    if request.percent is not None:
        asked = f"{_percent(request.percent)} of the original charge, {asked},"
    left_of_it = _part_in_words(part_of(event.current, request), event, request)
    return (
        f"The credit of {asked} is more than the {left_of_it} that remain on"
        f" chargeable event {event.ref_id}."
    )


def _part_in_words(amount: int, event: ChargeableEvent, request: AdjustmentRequest) -> str:
    money = micro_as_money(amount, event.currency)
    if request.tax_treatment is TaxTreatment.TAX_ONLY:
        return f"{money} of tax"
    is_without_tax = request.tax_treatment is TaxTreatment.NO_TAX or request.tax_included is False
    return f"{money} without tax" if is_without_tax else money


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02} %"
