"""Decides one request to adjust a chargeable event: applied, refused, or answered before.

What goes in: the rows that the request names (`State`), what was asked (`AdjustmentRequest`), and
what was noted about the asking (`Noted`). What comes out: a `Decision`, with the result for the
caller and, if the request is applied, the event's new after-image and the adjustment.

The rules stand in `_refusal_or_change`, one `if` a rule, in the order of the members of `Refusal`;
the first that is broken is the answer. Shape was judged before, in `schemas.reading`; a repeat is
no refusal. What an adjustment adds is worked out in `effects`, what a refusal says in `wording`.

Always true:
- The same arguments give the same bytes: no clock, no chance, no environment. Ids are derived from
  the request, and the only time is that of the request's record.
- An applied request changes exactly one event: `after` is `before` + `effect` in each of the three
  amounts, none is below zero, the version is one higher. A refused one changes nothing.
- A reversal's effect is the exact opposite of the reversed one's, once; both stay as they are.
- What was noted never changes what is decided, and is no part of a request's content.
"""

import hashlib

import msgspec

from schemas.account import AccountReference, AccountState
from schemas.adjustment import (
    Adjustment,
    AdjustmentRequest,
    BillingTreatment,
    ChargeType,
    TaxTreatment,
)
from schemas.adjustment_result import AdjustmentResult, ResultStatus
from schemas.amounts import NOTHING, Amounts
from schemas.chargeable_event import ChargeableEvent, ChargeableEventStatus
from schemas.reading import MalformedRequest
from schemas.reasons import DEFAULT_REASON, REASONS
from schemas.refusals import Refusal
from streams.domain import amounts
from streams.domain.effects import charge_type_of, effect_of, mode_of
from streams.domain.state import Noted, State
from streams.domain.upserts import adjustment_state
from streams.domain.wording import fault_of

_NOT_ADJUSTED = {AccountState.INACTIVE, AccountState.DEACTIVATED}
_GUID_LENGTH = 36


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a request comes to; without a result it is a repeat: the first one counts."""

    result: AdjustmentResult | None
    chargeable_event: ChargeableEvent | None = None
    adjustment: Adjustment | None = None
    is_replay: bool = False
    is_remembered: bool = False


class _Change(msgspec.Struct, frozen=True, gc=False):
    """What an applied request does to its event."""

    before: ChargeableEvent
    effect: Amounts
    after: ChargeableEvent


class _Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a caller asked; an attribute added later, absent by default, changes no digest."""

    user: str
    chargeable_event_ref_id: str
    charge_type: str | None = None
    charge_adjustment: int | None = None
    currency: str
    tax_included: bool | None = None
    reason: str
    adjustment_mode: str
    tax_treatment: str
    comment: str | None = None
    percent: int | None = None
    target_amount: int | None = None
    expected_version: int | None = None
    reversal_of: str | None = None


_encode = msgspec.json.Encoder().encode


def decide(state: State, request: AdjustmentRequest, noted: Noted) -> Decision:
    """Apply or refuse a request, or find that it was answered before.

    Every refusal is remembered like an applied request, REQUEST_ID_REUSED excepted.
    """
    if state.answer is not None and state.answer.content == content_of(request):
        return Decision(result=None, is_replay=True)
    outcome = _refusal_or_change(state, request)
    if isinstance(outcome, Refusal):
        refused = _refused(outcome, state, request, noted)
        return Decision(result=refused, is_remembered=outcome is not Refusal.REQUEST_ID_REUSED)
    event = outcome.after
    adjustment = _adjustment(state, request, noted, outcome)
    return Decision(
        result=applied_result(event, adjustment),
        chargeable_event=event,
        adjustment=adjustment,
        is_remembered=True,
    )


def applied_result(event: ChargeableEvent, adjustment: Adjustment) -> AdjustmentResult:
    """Tell of an adjustment, with the event as it left it."""
    return AdjustmentResult(
        request_id=adjustment.request_id,
        account=event.account,
        chargeable_event_ref_id=event.ref_id,
        status=ResultStatus.APPLIED,
        adjustment=adjustment,
        chargeable_event=event,
        errors=(),
        remaining=event.current,
        requested_at=adjustment.requested_at,
    )


def refuse_malformed(malformed: MalformedRequest, noted: Noted) -> AdjustmentResult:
    """Answer a request whose shape is wrong: all its faults at once, nothing about the event."""
    return AdjustmentResult(
        request_id=malformed.request_id,
        account=AccountReference(ref_id=noted.account_ref_id),
        chargeable_event_ref_id=malformed.chargeable_event_ref_id,
        status=ResultStatus.REFUSED,
        adjustment=None,
        chargeable_event=None,
        errors=malformed.faults,
        remaining=None,
        requested_at=noted.requested_at,
    )


def content_of(request: AdjustmentRequest) -> bytes:
    """Digest what was asked, with defaults filled in and without the account.

    Beside NO_TAX and TAX_ONLY a `taxIncluded` of false says nothing that they do not say.
    """
    is_proportional = request.tax_treatment is TaxTreatment.PROPORTIONAL
    content = _Content(
        user=request.user,
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        charge_type=request.charge_type,
        charge_adjustment=request.charge_adjustment,
        currency=request.currency,
        tax_included=request.tax_included if is_proportional else None,
        reason=_reason_of(request),
        adjustment_mode=request.adjustment_mode,
        tax_treatment=request.tax_treatment,
        comment=request.comment,
        percent=request.percent,
        target_amount=request.target_amount,
        expected_version=request.expected_version,
        reversal_of=request.reversal_of,
    )
    return hashlib.sha256(_encode(content)).digest()


def adjustment_ref_id(account: str, request_id: str) -> str:
    """Give the refId of the adjustment that a request of this account makes, if it is applied."""
    return f"ADJ-{account}-{request_id}"


def request_of_adjustment(account: str, ref_id: str) -> str | None:
    """Give the requestId whose adjustment has this refId; None if it is not of this account."""
    request_id = ref_id[-_GUID_LENGTH:]
    return request_id if ref_id == adjustment_ref_id(account, request_id) else None


def _refusal_or_change(  # noqa: C901, PLR0911, PLR0912 - the whole ladder, a rule an `if`
    state: State, request: AdjustmentRequest
) -> Refusal | _Change:
    """Try the rules in the order of `Refusal`; where none is broken, give the change."""
    account, event, reversed_ = state.account, state.chargeable_event, state.adjustment
    if state.answer is not None:
        return Refusal.REQUEST_ID_REUSED
    if account is None:
        return Refusal.ACCOUNT_NOT_FOUND
    if account.state in _NOT_ADJUSTED:
        return Refusal.ACCOUNT_STATE_INVALID
    if account.billing_in_progress:
        return Refusal.BILLING_IN_PROGRESS
    if event is None:
        return Refusal.CHARGEABLE_EVENT_NOT_FOUND
    if request.expected_version not in {None, event.version}:
        return Refusal.VERSION_CONFLICT
    if request.currency != event.currency:
        return Refusal.CURRENCY_MISMATCH
    reason = REASONS.get(_reason_of(request))
    if reason is None:
        return Refusal.REASON_NOT_CONFIGURED
    if charge_type_of(request, event) not in {None, *reason.charge_types}:
        return Refusal.REASON_NOT_APPLICABLE
    if reason.comment_required and not (request.comment or "").strip():
        return Refusal.COMMENT_REQUIRED
    if request.reversal_of is None:
        effect = effect_of(request, account, event)
    elif reversed_ is None or reversed_.chargeable_event_ref_id != event.ref_id:
        return Refusal.ADJUSTMENT_NOT_FOUND
    elif state.reversed_by is not None:
        return Refusal.ALREADY_REVERSED
    elif reversed_.reversal_of is not None:
        return Refusal.NOT_REVERSIBLE
    else:
        effect = amounts.negated(reversed_.effect)
    if effect == NOTHING:
        return Refusal.NOTHING_TO_ADJUST
    after = _adjusted(event, effect)
    if amounts.is_any_negative(after.current):
        return Refusal.CREDIT_EXCEEDS_REMAINING
    if amounts.leave_range(event.current, after.current):
        return Refusal.SUM_OUT_OF_RANGE
    if amounts.leave_range(event.adjusted, after.adjusted):
        return Refusal.SUM_OUT_OF_RANGE
    return _Change(event, effect, after)


def _reason_of(request: AdjustmentRequest) -> str:
    return DEFAULT_REASON if request.reason is None else request.reason


def _adjusted(event: ChargeableEvent, effect: Amounts) -> ChargeableEvent:
    adjusted, current = amounts.add(event.adjusted, effect), amounts.add(event.current, effect)
    return msgspec.structs.replace(
        event,
        adjusted=adjusted,
        current=current,
        adjustment_state=adjustment_state(adjusted, current),
        adjustment_count=event.adjustment_count + 1,
        version=event.version + 1,
    )


def _adjustment(
    state: State, request: AdjustmentRequest, noted: Noted, change: _Change
) -> Adjustment:
    before, reversed_ = change.before, state.adjustment
    is_credit = change.effect.tax_included_amount < 0
    is_open = before.status is ChargeableEventStatus.RATED
    return Adjustment(
        ref_id=adjustment_ref_id(noted.account_ref_id, request.request_id),
        request_id=request.request_id,
        user=request.user,
        channel=noted.channel,
        account=before.account,
        chargeable_event_ref_id=before.ref_id,
        charge_type=ChargeType.CREDIT if is_credit else ChargeType.DEBIT,
        adjustment_mode=mode_of(request),
        tax_treatment=reversed_.tax_treatment if reversed_ else request.tax_treatment,
        currency=before.currency,
        reason=_reason_of(request),
        comment=request.comment,
        effect=change.effect,
        before=before.current,
        after=change.after.current,
        event_version=change.after.version,
        billing_treatment=BillingTreatment.SAME_PERIOD if is_open else BillingTreatment.NEXT_BILL,
        reversal_of=request.reversal_of,
        batch=noted.batch,
        requested_at=noted.requested_at,
    )


def _refused(
    code: Refusal, state: State, request: AdjustmentRequest, noted: Noted
) -> AdjustmentResult:
    event = state.chargeable_event
    return AdjustmentResult(
        request_id=request.request_id,
        account=AccountReference(ref_id=noted.account_ref_id),
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        status=ResultStatus.REFUSED,
        adjustment=None,
        chargeable_event=event,
        errors=(fault_of(code, state, request, noted.account_ref_id),),
        remaining=None if event is None else event.current,
        requested_at=noted.requested_at,
    )
