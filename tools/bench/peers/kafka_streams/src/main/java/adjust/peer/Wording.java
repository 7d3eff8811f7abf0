package adjust.peer;

import static adjust.peer.Amounts.money;

import adjust.peer.Decision.State;
import adjust.peer.Request.TaxTreatment;
import adjust.peer.Result.Fault;
import java.util.Locale;

/** Says in words why a request is refused, and which attribute is at fault. */
final class Wording {
    private Wording() {}

    static Fault fault(Refusal code, State state, Request request, String account) {
        return new Fault(code, field(code, request), message(code, state, request, account));
    }

    private static String field(Refusal code, Request request) {
        return switch (code) {
            case REQUEST_ID_REUSED -> "requestId";
            case ACCOUNT_NOT_FOUND, ACCOUNT_STATE_INVALID, BILLING_IN_PROGRESS -> "account.refId";
            case CHARGEABLE_EVENT_NOT_FOUND -> "chargeableEventRefId";
            case VERSION_CONFLICT -> "expectedVersion";
            case CURRENCY_MISMATCH -> "currency";
            case REASON_NOT_CONFIGURED, REASON_NOT_APPLICABLE -> "reason";
            case COMMENT_REQUIRED -> "comment";
            case ADJUSTMENT_NOT_FOUND, ALREADY_REVERSED, NOT_REVERSIBLE -> "reversalOf";
            default -> switch (request.mode()) {
                case AMOUNT -> "chargeAdjustment";
                case PERCENT -> "percent";
                case SET_TO -> "targetAmount";
                case FULL -> "adjustmentMode";
                case REVERSAL -> "reversalOf";
            };
        };
    }

    private static String message(Refusal code, State state, Request request, String account) {
        ChargeableEvent event = state.event();
        String asked = request.chargeableEventRefId();
        String undone = request.reversalOf();
        return switch (code) {
            case REQUEST_ID_REUSED -> "Account %s has another request under requestId %s."
                    .formatted(account, request.requestId());
            case ACCOUNT_NOT_FOUND -> "There is no account %s.".formatted(account);
            case ACCOUNT_STATE_INVALID -> "Account %s is %s."
                    .formatted(account, state.account().state().name().toLowerCase(Locale.ROOT));
            case BILLING_IN_PROGRESS -> ("A bill of account %s is being made."
                    + " Ask again later, under a new requestId.").formatted(account);
            case CHARGEABLE_EVENT_NOT_FOUND -> "There is no chargeable event %s on account %s."
                    .formatted(asked, account);
            case VERSION_CONFLICT -> ("Chargeable event %s is at version %d, not %d."
                    + " Look at it again first.")
                    .formatted(asked, event.version(), request.expectedVersion());
            case CURRENCY_MISMATCH -> "Chargeable event %s is in %s, not %s."
                    .formatted(asked, event.currency(), request.currency());
            case REASON_NOT_CONFIGURED -> "The reason is not on the list of reasons.";
            case REASON_NOT_APPLICABLE -> "The reason %s is not for a %s."
                    .formatted(request.reason(), request.chargeTypeFor(event));
            case COMMENT_REQUIRED -> "The reason %s needs a comment.".formatted(request.reason());
            case ADJUSTMENT_NOT_FOUND -> "Chargeable event %s has no adjustment %s."
                    .formatted(asked, undone);
            case ALREADY_REVERSED -> "Adjustment %s was reversed already, by %s."
                    .formatted(undone, state.reversedBy());
            case NOT_REVERSIBLE -> ("Adjustment %s is a reversal itself."
                    + " Make a new adjustment instead.").formatted(undone);
            case NOTHING_TO_ADJUST -> noEffect(event, request);
            case CREDIT_EXCEEDS_REMAINING -> tooMuch(event, request);
            case SUM_OUT_OF_RANGE -> ("The amounts of chargeable event %s, or the sum of its"
                    + " adjustments, would go beyond a thousand million %s.")
                    .formatted(event.refId(), event.currency());
            default -> throw new IllegalArgumentException(code + " is about the form");
        };
    }

    private static String noEffect(ChargeableEvent event, Request request) {
        String now = part(request.partOf(event.current()), event, request);
        if (request.percent() != null) {
            String original = part(request.partOf(event.original()), event, request);
            return percent(request) + " of the original " + original + " is nothing.";
        }
        if (request.targetAmount() != null) {
            return "Chargeable event %s is at %s already.".formatted(event.refId(), now);
        }
        return "Nothing is left to credit: %s remain on chargeable event %s."
                .formatted(now, event.refId());
    }

    private static String tooMuch(ChargeableEvent event, Request request) {
        if (request.reversalOf() != null) {
            Amounts left = event.current();
            return ("Adjustment %s cannot be undone: it added more than what remains on chargeable"
                    + " event %s, %s without tax and %s of tax.").formatted(
                    request.reversalOf(),
                    event.refId(),
                    money(left.taxExcludedAmount(), event.currency()),
                    money(left.taxAmount(), event.currency()));
        }
        String asked = part(request.amountFor(event), event, request);
        if (request.percent() != null) {
            asked = percent(request) + " of the original charge, " + asked + ",";
        }
        return "The credit of %s is more than the %s that remain on chargeable event %s."
                .formatted(
                        asked, part(request.partOf(event.current()), event, request), event.refId());
    }

    private static String part(long amount, ChargeableEvent event, Request request) {
        String money = money(amount, event.currency());
        if (request.taxTreatment() == TaxTreatment.TAX_ONLY) {
            return money + " of tax";
        }
        return request.withoutTax() ? money + " without tax" : money;
    }

    private static String percent(Request request) {
        return "%d.%02d %%".formatted(request.percent() / 100, request.percent() % 100);
    }
}
