package adjust.peer;

import adjust.peer.Account.Reference;
import adjust.peer.Request.ChargeType;
import adjust.peer.Result.Adjustment;
import adjust.peer.Result.BillingTreatment;
import java.util.List;

/**
 * Decides a request that is no repeat: applied, with the event and the adjustment, or refused.
 *
 * @param refusal null if the request is applied
 */
record Decision(Result result, Refusal refusal) {

    /** The rows that a request names; the last three of a reversal, or a reused id. */
    record State(
            Account account,
            ChargeableEvent event,
            boolean isAnswered,
            Adjustment reversed,
            String reversedBy) {}

    /** What was noted about the asking. */
    record Noted(String account, String channel, String batch, String requestedAt) {}

    private record Outcome(Refusal refusal, Amounts effect) {
        Outcome(Refusal refusal) {
            this(refusal, null);
        }
    }

    static Decision of(State state, Request request, Noted noted) {
        Outcome outcome = outcome(state, request);
        if (outcome.refusal != null) {
            Result.Fault fault = Wording.fault(outcome.refusal, state, request, noted.account);
            Result refused = Result.refused(
                    request, noted.account, state.event, fault, noted.requestedAt);
            return new Decision(refused, outcome.refusal);
        }
        ChargeableEvent after = state.event.adjustedBy(outcome.effect);
        Adjustment adjustment = adjustment(state, request, noted, outcome.effect, after);
        Result applied = new Result(
                request.requestId(),
                after.account(),
                after.refId(),
                Result.Status.APPLIED,
                adjustment,
                after,
                List.of(),
                after.current(),
                noted.requestedAt);
        return new Decision(applied, null);
    }

    private static Outcome outcome(State state, Request request) {
        Account account = state.account;
        ChargeableEvent event = state.event;
        Adjustment reversed = state.reversed;
        if (state.isAnswered) {
            return new Outcome(Refusal.REQUEST_ID_REUSED);
        }
        if (account == null) {
            return new Outcome(Refusal.ACCOUNT_NOT_FOUND);
        }
        if (account.state() == Account.State.INACTIVE
                || account.state() == Account.State.DEACTIVATED) {
            return new Outcome(Refusal.ACCOUNT_STATE_INVALID);
        }
        if (account.billingInProgress()) {
            return new Outcome(Refusal.BILLING_IN_PROGRESS);
        }
        if (event == null) {
            return new Outcome(Refusal.CHARGEABLE_EVENT_NOT_FOUND);
        }
        if (request.expectedVersion() != null && request.expectedVersion() != event.version()) {
            return new Outcome(Refusal.VERSION_CONFLICT);
        }
        if (!request.currency().equals(event.currency())) {
            return new Outcome(Refusal.CURRENCY_MISMATCH);
        }
        if (!Reasons.isConfigured(request.reason())) {
            return new Outcome(Refusal.REASON_NOT_CONFIGURED);
        }
        if (!Reasons.isFor(request.reason(), request.chargeTypeFor(event))) {
            return new Outcome(Refusal.REASON_NOT_APPLICABLE);
        }
        if (Reasons.needsComment(request.reason())
                && (request.comment() == null || request.comment().isBlank())) {
            return new Outcome(Refusal.COMMENT_REQUIRED);
        }
        Amounts effect;
        if (request.reversalOf() == null) {
            effect = request.effectOn(account, event);
        } else if (reversed == null || !reversed.chargeableEventRefId().equals(event.refId())) {
            return new Outcome(Refusal.ADJUSTMENT_NOT_FOUND);
        } else if (state.reversedBy != null) {
            return new Outcome(Refusal.ALREADY_REVERSED);
        } else if (reversed.reversalOf() != null) {
            return new Outcome(Refusal.NOT_REVERSIBLE);
        } else {
            effect = reversed.effect().negated();
        }
        if (effect.equals(Amounts.NOTHING)) {
            return new Outcome(Refusal.NOTHING_TO_ADJUST);
        }
        Amounts after = event.current().plus(effect);
        if (after.anyNegative()) {
            return new Outcome(Refusal.CREDIT_EXCEEDS_REMAINING);
        }
        if (event.current().leavesRange(after)
                || event.adjusted().leavesRange(event.adjusted().plus(effect))) {
            return new Outcome(Refusal.SUM_OUT_OF_RANGE);
        }
        return new Outcome(null, effect);
    }

    private static Adjustment adjustment(
            State state, Request request, Noted noted, Amounts effect, ChargeableEvent after) {
        ChargeableEvent before = state.event;
        boolean isOpen = before.status() == ChargeableEvent.Status.RATED;
        return new Adjustment(
                Adjustment.refId(noted.account, request.requestId()),
                request.requestId(),
                request.user(),
                noted.channel,
                new Reference(noted.account),
                before.refId(),
                effect.taxIncludedAmount() < 0 ? ChargeType.CREDIT : ChargeType.DEBIT,
                request.mode(),
                state.reversed != null ? state.reversed.taxTreatment() : request.taxTreatment(),
                before.currency(),
                request.reason(),
                request.comment(),
                effect,
                before.current(),
                after.current(),
                after.version(),
                isOpen ? BillingTreatment.SAME_PERIOD : BillingTreatment.NEXT_BILL,
                request.reversalOf(),
                noted.batch,
                noted.requestedAt);
    }
}
