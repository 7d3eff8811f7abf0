package adjust.peer;

import static adjust.peer.Request.ChargeType.CREDIT;

import adjust.peer.Request.ChargeType;
import java.util.Set;

/** The reasons that a caller may give, and what each asks for. */
final class Reasons {
    static final String DEFAULT = "BILLING_ERROR";

    private static final Set<String> CONFIGURED = Set.of(
            DEFAULT,
            "DUPLICATED_CHARGE",
            "INCORRECT_METERING",
            "SERVICE_UNAVAILABLE",
            "GOODWILL",
            "DISPUTE",
            "RATE_CORRECTION",
            "OTHER");

    private Reasons() {}

    static boolean isConfigured(String reason) {
        return CONFIGURED.contains(reason);
    }

    static boolean isFor(String reason, ChargeType type) {
        return type == null || type == CREDIT || !reason.equals("GOODWILL");
    }

    static boolean needsComment(String reason) {
        return reason.equals("OTHER");
    }
}
