package adjust.peer;

import static java.util.Map.entry;

import adjust.peer.Request.ChargeType;
import adjust.peer.Request.Mode;
import adjust.peer.Request.TaxTreatment;
import adjust.peer.Result.Fault;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Reads one request: attribute by attribute, noting every fault. */
final class Reader {
    private static final int FAULTS_MAX = 20;
    private static final int QUOTED_MAX = 40;
    private static final String REF_ID =
            "a text of 1 to 64 letters, digits, dots, underscores, colons or hyphens";
    private static final Map<String, String> EXPECTED = Map.ofEntries(
            entry("requestId", "a GUID of 36 characters"),
            entry("user", "a text of 1 to 128 characters"),
            entry("account", "an object with a refId"),
            entry("account.refId", REF_ID),
            entry("chargeableEventRefId", REF_ID),
            entry("chargeType", "CREDIT or DEBIT"),
            entry("chargeAdjustment",
                    "an integer of micro-units, above zero and at most 1,000,000,000.00"),
            entry("percent", "an integer of basis points, above zero and at most 10,000.00 %"),
            entry("targetAmount", "an integer of micro-units, from zero to 1,000,000,000.00"),
            entry("currency", "three capital letters"),
            entry("taxIncluded", "true or false"),
            entry("reason", "a text of up to 64 characters"),
            entry("comment", "a text of up to 1,000 characters"),
            entry("adjustmentMode", "AMOUNT, PERCENT, SET_TO or FULL"),
            entry("taxTreatment", "PROPORTIONAL, NO_TAX or TAX_ONLY"),
            entry("expectedVersion", "an integer of 64 bits"),
            entry("reversalOf",
                    "a text of 1 to 105 letters, digits, dots, underscores, colons or hyphens"));
    private static final Comparator<Fault> IN_ORDER =
            Comparator.comparing(Fault::code).thenComparing(Fault::field);

    private final ObjectNode given;
    private final List<Fault> faults = new ArrayList<>(0);

    private Reader(ObjectNode given) {
        this.given = given;
    }

    static Read read(byte[] value) {
        try {
            ObjectNode given = Json.object(value);
            JsonNode requestId = given.get("requestId");
            if (requestId == null || !requestId.isTextual() || requestId.textValue().isEmpty()) {
                return new Read.Unreadable("NO_REQUEST_ID", "The request has no requestId"
                        + " that is a text, so that nobody can be answered.");
            }
            return new Reader(given).request();
        } catch (Json.Problem problem) {
            return new Read.Unreadable(problem.code, problem.getMessage());
        }
    }

    static boolean isRefId(String text) {
        return isOfRefId(text, 64);
    }

    private Read request() {
        String requestId = formed("requestId", Reader::isGuid);
        String reason = text("reason", 0, 64);
        Mode mode = word("adjustmentMode", Mode.class, Mode.REVERSAL);
        TaxTreatment treatment = word("taxTreatment", TaxTreatment.class, null);
        Request request = new Request(
                requestId == null ? null : requestId.toLowerCase(Locale.ROOT),
                needed("user", text("user", 1, 128)),
                account(),
                needed("chargeableEventRefId", formed("chargeableEventRefId", Reader::isRefId)),
                word("chargeType", ChargeType.class, null),
                integer("chargeAdjustment", 1, Amounts.SUM_MAX),
                integer("percent", 1, 1_000_000),
                integer("targetAmount", 0, Amounts.SUM_MAX),
                needed("currency", formed("currency", Reader::isCurrency)),
                flag("taxIncluded"),
                reason == null ? Reasons.DEFAULT : reason,
                text("comment", 0, 1000),
                mode == null ? Mode.AMOUNT : mode,
                treatment == null ? TaxTreatment.PROPORTIONAL : treatment,
                integer("expectedVersion", Long.MIN_VALUE, Long.MAX_VALUE),
                formed("reversalOf", text -> isOfRefId(text, 105)));
        noteUnknown(given, "");
        if (faults.isEmpty() && Modes.isPlain(request)) {
            return request;
        }
        Set<String> broken = faults.stream().map(Fault::field).collect(Collectors.toSet());
        faults.addAll(Modes.contradictions(request, names(given), broken, EXPECTED));
        return faults.isEmpty() ? request : malformed(requestId);
    }

    private Read.Malformed malformed(String requestId) {
        faults.sort(IN_ORDER);
        JsonNode event = at(given, "chargeableEventRefId");
        JsonNode account = at(given, "account");
        JsonNode owner = account instanceof ObjectNode named ? at(named, "refId") : null;
        return new Read.Malformed(
                requestId == null
                        ? given.get("requestId").textValue()
                        : requestId.toLowerCase(Locale.ROOT),
                event == null ? null : event.textValue(),
                owner == null ? null : owner.textValue(),
                faults.subList(0, Math.min(FAULTS_MAX, faults.size())));
    }

    private String account() {
        JsonNode node = at(given, "account");
        if (node == null) {
            return null;
        }
        if (!(node instanceof ObjectNode account)) {
            wrongType("account", node);
            return null;
        }
        noteUnknown(account, "account.");
        JsonNode refId = at(account, "refId");
        String text = refId == null ? null : textOf("account.refId", refId);
        if (text != null && !isRefId(text)) {
            wrong(Refusal.INVALID_FORMAT, "account.refId");
        }
        return refId == null ? needed("account.refId", null) : text;
    }

    private String text(String name, int least, int most) {
        JsonNode node = at(given, name);
        String text = node == null ? null : textOf(name, node);
        if (text != null
                && (text.length() < least
                        || text.length() > most && text.codePointCount(0, text.length()) > most)) {
            return wrong(Refusal.INVALID_FORMAT, name);
        }
        return text;
    }

    private String formed(String name, Predicate<String> isFormed) {
        JsonNode node = at(given, name);
        String text = node == null ? null : textOf(name, node);
        return text == null || isFormed.test(text) ? text : wrong(Refusal.INVALID_FORMAT, name);
    }

    private <E extends Enum<E>> E word(String name, Class<E> words, E neverAsked) {
        JsonNode node = at(given, name);
        String text = node == null ? null : textOf(name, node);
        if (text == null) {
            return null;
        }
        for (E word : words.getEnumConstants()) {
            if (word != neverAsked && word.name().equals(text)) {
                return word;
            }
        }
        note(Refusal.INVALID_ENUM, name,
                "%s must be %s, not %s.".formatted(name, EXPECTED.get(name), quoted(text)));
        return null;
    }

    private Long integer(String name, long least, long most) {
        JsonNode node = at(given, name);
        if (node == null) {
            return null;
        }
        if (!node.isIntegralNumber()) {
            wrongType(name, node);
            return null;
        }
        BigInteger big = node.canConvertToLong() ? null : node.bigIntegerValue();
        boolean isBelow = big == null ? node.longValue() < least : big.signum() < 0;
        boolean isAbove = big == null ? node.longValue() > most : big.signum() > 0;
        if (!isBelow && !isAbove) {
            return node.longValue();
        }
        boolean isNoAmount = name.equals("expectedVersion");
        boolean isTooSmall = isBelow && !name.equals("targetAmount");
        wrong(isNoAmount ? Refusal.INVALID_FORMAT
                : isTooSmall ? Refusal.AMOUNT_NOT_POSITIVE : Refusal.AMOUNT_OUT_OF_RANGE, name);
        return null;
    }

    private Boolean flag(String name) {
        JsonNode node = at(given, name);
        if (node != null && !node.isBoolean()) {
            wrongType(name, node);
            return null;
        }
        return node == null ? null : node.booleanValue();
    }

    private String textOf(String field, JsonNode node) {
        if (!node.isTextual()) {
            wrongType(field, node);
        }
        return node.textValue();
    }

    private String needed(String field, String value) {
        if (value == null && faults.stream().noneMatch(fault -> fault.field().equals(field))) {
            note(Refusal.MISSING_ATTRIBUTE, field,
                    "%s is missing: %s.".formatted(field, EXPECTED.get(field)));
        }
        return value;
    }

    /** Of the unknown attributes all but the first few are passed over: no more would be told. */
    private void noteUnknown(ObjectNode object, String prefix) {
        TreeSet<String> unknown = null;
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            boolean isKnown = EXPECTED.containsKey(prefix.isEmpty() ? name : prefix + name);
            if ((!isKnown || name.indexOf('.') >= 0) && at(object, name) != null) {
                unknown = unknown == null ? new TreeSet<>() : unknown;
                unknown.add(name);
            }
        }
        if (unknown != null) {
            unknown.stream().limit(FAULTS_MAX).map(prefix::concat).forEach(
                    field -> note(Refusal.UNKNOWN_ATTRIBUTE, field,
                            quoted(field) + " is not an attribute of a request."));
        }
    }

    private void wrongType(String field, JsonNode node) {
        String type = switch (node.getNodeType()) {
            case STRING -> "a text";
            case BOOLEAN -> "true or false";
            case NUMBER -> node.isIntegralNumber()
                    ? "an integer" : "a number with a fraction or an exponent";
            case ARRAY -> "a list";
            default -> "an object";
        };
        note(Refusal.INVALID_TYPE, field,
                "%s must be %s, not %s.".formatted(field, EXPECTED.get(field), type));
    }

    private String wrong(Refusal code, String field) {
        note(code, field, "%s must be %s.".formatted(field, EXPECTED.get(field)));
        return null;
    }

    private void note(Refusal code, String field, String message) {
        faults.add(new Fault(code, shortened(field), message));
    }

    /** What was given; null counts as not given. */
    private static JsonNode at(ObjectNode object, String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    private static Set<String> names(ObjectNode object) {
        Set<String> names = new HashSet<>();
        object.fieldNames().forEachRemaining(name -> {
            if (at(object, name) != null) {
                names.add(name);
            }
        });
        return names;
    }

    private static String quoted(String text) {
        return new String(Json.write(shortened(text)), StandardCharsets.UTF_8);
    }

    private static String shortened(String text) {
        if (text.codePointCount(0, text.length()) <= QUOTED_MAX) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, QUOTED_MAX)) + "…";
    }

    private static boolean isOfRefId(String text, int most) {
        boolean isFormed = !text.isEmpty() && text.length() <= most;
        for (int place = 0; isFormed && place < text.length(); place++) {
            char letter = text.charAt(place);
            isFormed = isDigitOrLetter(letter) || "._:-".indexOf(letter) >= 0;
        }
        return isFormed;
    }

    private static boolean isDigitOrLetter(char letter) {
        return letter >= '0' && letter <= '9'
                || letter >= 'A' && letter <= 'Z'
                || letter >= 'a' && letter <= 'z';
    }

    private static boolean isGuid(String text) {
        boolean isFormed = text.length() == 36;
        for (int place = 0; isFormed && place < 36; place++) {
            boolean isHyphen = place == 8 || place == 13 || place == 18 || place == 23;
            char letter = text.charAt(place);
            isFormed = isHyphen ? letter == '-' : Character.digit(letter, 16) >= 0 && letter < 128;
        }
        return isFormed;
    }

    private static boolean isCurrency(String text) {
        return text.length() == 3 && text.chars().allMatch(letter -> letter >= 'A' && letter <= 'Z');
    }
}
