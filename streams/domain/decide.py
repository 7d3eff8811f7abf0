"""Decides one request to adjust a chargeable event: applied, refused, or answered before.

What goes in: the rows that the request names (`State`), what was asked (`AdjustmentRequest`), and
what was noted about the asking (`Noted`). What comes out: a `Decision`, with the result for the
caller and, if the request is applied, the event's new after-image and the adjustment.

The rules stand in `_refusal`, one `if` a rule, in the order of the members of `Refusal`; the first
that holds is the answer. Shape was judged before, in `schemas.reading`; a repeat is no refusal.

Always true:
- The same arguments give the same bytes: no clock, no chance, no environment. Ids are derived from
  the request, and the only time is that of the request's record.
- An applied request changes exactly one event: `after` is `before` + `effect` in each of the three
  amounts, none is below zero, the version is one higher. A refused one changes nothing.
- What was noted never changes what is decided, and is no part of a request's content.
"""

import hashlib

import msgspec

from schemas.account import Account, AccountReference, AccountState
from schemas.adjustment import Adjustment, AdjustmentRequest, BillingTreatment, ChargeType
from schemas.adjustment_result import AdjustmentResult, Fault, ResultStatus
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent, ChargeableEventStatus
from schemas.reading import MalformedRequest
from schemas.reasons import DEFAULT_REASON, REASONS
from schemas.refusals import Refusal
from streams.domain import amounts
from streams.domain.upserts import adjustment_state


class Answer(msgspec.Struct, frozen=True, gc=False):
    """That the account had a request of this id before: the digest of what it asked."""

    content: bytes


class State(msgspec.Struct, frozen=True, gc=False):
    """All that a decision needs to know: the rows that account, event and request id name."""

    account: Account | None
    chargeable_event: ChargeableEvent | None
    answer: Answer | None


class Noted(msgspec.Struct, frozen=True, gc=False):
    """What was noted about a request; never part of what was asked."""

    account_ref_id: str  # the key of the record
    channel: str
    batch: str | None
    requested_at: str | None  # when the broker appended the record; None where there is none


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


class _Content(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a caller asked; an attribute added later, absent by default, changes no digest."""

    user: str
    chargeable_event_ref_id: str
    charge_type: str
    charge_adjustment: int
    currency: str
    tax_included: bool
    reason: str
    adjustment_mode: str
    tax_treatment: str
    comment: str | None = None


_encode = msgspec.json.Encoder().encode


def decide(state: State, request: AdjustmentRequest, noted: Noted) -> Decision:
    """Apply or refuse a request, or find that it was answered before.

    Every refusal is remembered like an applied request, REQUEST_ID_REUSED excepted.
    """
    if state.answer is not None and state.answer.content == content_of(request):
        return Decision(result=None, is_replay=True)
    outcome = _refusal_or_change(state, request, noted)
    if isinstance(outcome, Fault):
        is_remembered = outcome.code is not Refusal.REQUEST_ID_REUSED
        refused = _refused(state, request, noted, outcome)
        return Decision(result=refused, is_remembered=is_remembered)
    event = outcome.after
    adjustment = _adjustment(request, noted, outcome)
    result = AdjustmentResult(
        request_id=request.request_id,
        account=event.account,
        chargeable_event_ref_id=event.ref_id,
        status=ResultStatus.APPLIED,
        adjustment=adjustment,
        chargeable_event=event,
        errors=(),
        remaining=event.current,
        requested_at=noted.requested_at,
    )
    return Decision(
        result=result, chargeable_event=event, adjustment=adjustment, is_remembered=True
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
    """Digest what was asked, with defaults filled in and without the account."""
    content = _Content(
        user=request.user,
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        charge_type=request.charge_type,
        charge_adjustment=request.charge_adjustment,
        currency=request.currency,
        tax_included=request.tax_included,
        reason=DEFAULT_REASON if request.reason is None else request.reason,
        adjustment_mode=request.adjustment_mode,
        tax_treatment=request.tax_treatment,
        comment=request.comment,
    )
    return hashlib.sha256(_encode(content)).digest()


def _refusal_or_change(  # noqa: C901, PLR0911 - the whole ladder, a rule a line
    state: State, request: AdjustmentRequest, noted: Noted
) -> Fault | _Change:
    """Try the rules in the order of `Refusal`; where none holds, give the change."""
    account, event = state.account, state.chargeable_event
    if state.answer is not None:
        text = f"The requestId {request.request_id} was used for another request on this account."
        return _fault(Refusal.REQUEST_ID_REUSED, "requestId", text)
    if account is None:
        text = f"There is no account {noted.account_ref_id}."
        return _fault(Refusal.ACCOUNT_NOT_FOUND, "account.refId", text)
    if account.state is AccountState.INACTIVE or account.state is AccountState.DEACTIVATED:
        text = f"The account {account.ref_id} is {account.state.lower()}."
        return _fault(Refusal.ACCOUNT_STATE_INVALID, "account.refId", text)
    if account.billing_in_progress:
        text = f"A bill of account {account.ref_id} is being made. Ask again under a new requestId."
        return _fault(Refusal.BILLING_IN_PROGRESS, "account.refId", text)
    if event is None:
        text = _event_not_found(request, account)
        return _fault(Refusal.CHARGEABLE_EVENT_NOT_FOUND, "chargeableEventRefId", text)
    if request.currency != event.currency:
        text = (
            f"The chargeable event {event.ref_id} is in {event.currency}, not {request.currency}."
        )
        return _fault(Refusal.CURRENCY_MISMATCH, "currency", text)
    reason = REASONS.get(DEFAULT_REASON if request.reason is None else request.reason)
    if reason is None:
        return _fault(Refusal.REASON_NOT_CONFIGURED, "reason", "The reason is not on the list.")
    if request.charge_type not in reason.charge_types:
        text = f"The reason {reason.code} is not for a {request.charge_type}."
        return _fault(Refusal.REASON_NOT_APPLICABLE, "reason", text)
    if reason.comment_required and not (request.comment and request.comment.strip()):
        text = f"The reason {reason.code} needs a comment."
        return _fault(Refusal.COMMENT_REQUIRED, "comment", text)
    if request.charge_type is ChargeType.CREDIT and request.charge_adjustment > _creditable(
        request, event
    ):
        return _fault(
            Refusal.CREDIT_EXCEEDS_REMAINING, "chargeAdjustment", _too_much(request, event)
        )
    effect = _effect(request, account, event)
    after = _adjusted(event, effect)
    if not (amounts.is_in_range(after.current) and amounts.is_in_range(after.adjusted)):
        text = f"The amounts of chargeable event {event.ref_id} would go beyond 10^15 micro-units."
        return _fault(Refusal.SUM_OUT_OF_RANGE, "chargeAdjustment", text)
    return _Change(event, effect, after)


def _effect(request: AdjustmentRequest, account: Account, event: ChargeableEvent) -> Amounts:
    is_tax_included = request.tax_included
    if request.charge_type is ChargeType.CREDIT:
        return amounts.credit(
            request.charge_adjustment, event.current, is_tax_included=is_tax_included
        )
    rate = 0 if account.tax_exempt else event.tax.rate
    return amounts.debit(request.charge_adjustment, rate, is_tax_included=is_tax_included)


def _creditable(request: AdjustmentRequest, event: ChargeableEvent) -> int:
    current = event.current
    return current.tax_included_amount if request.tax_included else current.tax_excluded_amount


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


def _adjustment(request: AdjustmentRequest, noted: Noted, change: _Change) -> Adjustment:
    before = change.before
    is_open = before.status is ChargeableEventStatus.RATED
    return Adjustment(
        ref_id=f"ADJ-{noted.account_ref_id}-{request.request_id}",
        request_id=request.request_id,
        user=request.user,
        channel=noted.channel,
        account=before.account,
        chargeable_event_ref_id=before.ref_id,
        charge_type=request.charge_type,
        adjustment_mode=request.adjustment_mode,
        tax_treatment=request.tax_treatment,
        currency=before.currency,
        reason=DEFAULT_REASON if request.reason is None else request.reason,
        comment=request.comment,
        effect=change.effect,
        before=before.current,
        after=change.after.current,
        event_version=change.after.version,
        billing_treatment=BillingTreatment.SAME_PERIOD if is_open else BillingTreatment.NEXT_BILL,
        reversal_of=None,
        batch=noted.batch,
        requested_at=noted.requested_at,
    )


def _refused(
    state: State, request: AdjustmentRequest, noted: Noted, fault: Fault
) -> AdjustmentResult:
    event = state.chargeable_event
    return AdjustmentResult(
        request_id=request.request_id,
        account=AccountReference(ref_id=noted.account_ref_id),
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        status=ResultStatus.REFUSED,
        adjustment=None,
        chargeable_event=event,
        errors=(fault,),
        remaining=None if event is None else event.current,
        requested_at=noted.requested_at,
    )


def _fault(code: Refusal, field: str, message: str) -> Fault:
    return Fault(code=code, field=field, message=message)


def _event_not_found(request: AdjustmentRequest, account: Account) -> str:
    return (
        f"There is no chargeable event {request.chargeable_event_ref_id} on account"
        f" {account.ref_id}."
    )


def _too_much(request: AdjustmentRequest, event: ChargeableEvent) -> str:
    asked = amounts.micro_as_money(request.charge_adjustment, event.currency)
    left = amounts.micro_as_money(_creditable(request, event), event.currency)
    without = "" if request.tax_included else ", without tax,"
    return (
        f"The credit of {asked} is more than the {left} that{without} remain on"
        f" chargeable event {event.ref_id}."
    )
