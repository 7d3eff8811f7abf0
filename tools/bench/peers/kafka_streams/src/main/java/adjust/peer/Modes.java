package adjust.peer;

import static adjust.peer.Refusal.AMOUNT_OUT_OF_RANGE;
import static adjust.peer.Refusal.CONFLICTING_ATTRIBUTES;
import static adjust.peer.Refusal.MISSING_ATTRIBUTE;

import adjust.peer.Request.ChargeType;
import adjust.peer.Request.Mode;
import adjust.peer.Request.TaxTreatment;
import adjust.peer.Result.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which attributes each mode and tax treatment needs, and which contradict it. */
final class Modes {
    private static final String WHICH = "taxIncluded";
    private static final Map<Mode, Set<String>> NEEDED = Map.of(
            Mode.AMOUNT, Set.of("chargeType", "chargeAdjustment"),
            Mode.PERCENT, Set.of("chargeType", "percent"),
            Mode.SET_TO, Set.of("targetAmount"),
            Mode.FULL, Set.of("chargeType"));
    private static final Set<String> BY_MODE =
            Set.of("chargeType", "chargeAdjustment", "percent", "targetAmount", WHICH);

    private final Request request;
    private final Set<String> given;
    private final Set<String> broken;
    private final Map<String, String> expected;
    private final List<Fault> faults = new ArrayList<>();

    private Modes(
            Request request, Set<String> given, Set<String> broken, Map<String, String> expected) {
        this.request = request;
        this.given = given;
        this.broken = broken;
        this.expected = expected;
    }

    /** Whether it is of the one sort that nearly all are, and whole. */
    static boolean isPlain(Request request) {
        return request.mode() == Mode.AMOUNT
                && request.taxTreatment() == TaxTreatment.PROPORTIONAL
                && request.chargeType() != null
                && request.chargeAdjustment() != null
                && request.taxIncluded() != null
                && request.percent() == null
                && request.targetAmount() == null;
    }

    /** What is missing or too much, in no order; `given` and `broken` are names of attributes. */
    static List<Fault> contradictions(
            Request request, Set<String> given, Set<String> broken, Map<String, String> expected) {
        Modes modes = new Modes(request, given, broken, expected);
        if (!broken.contains("reversalOf")) {
            modes.judge();
        }
        return modes.faults;
    }

    private void judge() {
        if (given.contains("reversalOf")) {
            for (String field : given) {
                if (BY_MODE.contains(field) || field.equals("adjustmentMode")
                        || field.equals("taxTreatment")) {
                    doesNotGo(field, "a reversal");
                }
            }
            return;
        }
        if (!broken.contains("adjustmentMode")) {
            judgeMode(request.adjustmentMode());
        }
        boolean isFull = request.adjustmentMode() == Mode.FULL;
        boolean isProportional = request.taxTreatment() == TaxTreatment.PROPORTIONAL;
        if (!isFull && !isProportional && Boolean.TRUE.equals(request.taxIncluded())) {
            String because = "taxTreatment " + request.taxTreatment();
            mustBe(CONFLICTING_ATTRIBUTES, WHICH, "false or left out", because);
        }
    }

    private void judgeMode(Mode mode) {
        String because = "adjustmentMode " + mode;
        boolean isFull = mode == Mode.FULL;
        boolean isWhichNeeded = !isFull
                && !broken.contains("taxTreatment")
                && request.taxTreatment() == TaxTreatment.PROPORTIONAL;
        for (String field : BY_MODE) {
            boolean isNeeded =
                    NEEDED.get(mode).contains(field) || isWhichNeeded && field.equals(WHICH);
            boolean isUsed = isNeeded || !isFull && field.equals(WHICH);
            if (isNeeded && !given.contains(field)) {
                String what = isFull ? "CREDIT" : expected.get(field);
                faults.add(new Fault(MISSING_ATTRIBUTE, field,
                        "%s is missing with %s: %s.".formatted(field, because, what)));
            } else if (!isUsed && given.contains(field)) {
                doesNotGo(field, because);
            }
        }
        if (isFull && request.chargeType() == ChargeType.DEBIT) {
            mustBe(CONFLICTING_ATTRIBUTES, "chargeType", "CREDIT", because);
        }
        if (mode == Mode.PERCENT && request.chargeType() == ChargeType.CREDIT
                && request.percent() != null && request.percent() > 10_000) {
            mustBe(AMOUNT_OUT_OF_RANGE, "percent", "at most 100.00 %", "chargeType CREDIT");
        }
    }

    private void doesNotGo(String field, String because) {
        faults.add(new Fault(CONFLICTING_ATTRIBUTES, field,
                "%s does not go with %s.".formatted(field, because)));
    }

    private void mustBe(Refusal code, String field, String what, String because) {
        faults.add(new Fault(code, field,
                "%s must be %s with %s.".formatted(field, what, because)));
    }
}
