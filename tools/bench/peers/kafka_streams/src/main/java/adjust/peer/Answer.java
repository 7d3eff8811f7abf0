package adjust.peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * The first result of a request, byte for byte, and what was asked.
 *
 * @param content digest of what was asked
 * @param reversedBy refId of the adjustment that reversed this request's own; or null
 * @param value the result
 */
record Answer(byte[] content, boolean isApplied, String reversedBy, byte[] value) {
    private static final int DIGEST_BYTES = 32;

    static Answer of(byte[] stored) {
        if (stored == null) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(stored);
        byte[] content = new byte[DIGEST_BYTES];
        buffer.get(content);
        boolean isApplied = buffer.get() == 1;
        byte[] reversedBy = new byte[buffer.get()];
        buffer.get(reversedBy);
        byte[] value = Arrays.copyOfRange(stored, buffer.position(), stored.length);
        String by = new String(reversedBy, StandardCharsets.US_ASCII);
        return new Answer(content, isApplied, by.isEmpty() ? null : by, value);
    }

    byte[] stored() {
        byte[] by = (reversedBy == null ? "" : reversedBy).getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(DIGEST_BYTES + 2 + by.length + value.length)
                .put(content)
                .put((byte) (isApplied ? 1 : 0))
                .put((byte) by.length)
                .put(by)
                .put(value)
                .array();
    }

    Answer reversedBy(String refId) {
        return new Answer(content, isApplied, refId, value);
    }

    /** Digests what was asked, with defaults filled in and without the account. */
    static byte[] contentOf(Request asked) {
        boolean isProportional = asked.taxTreatment() == Request.TaxTreatment.PROPORTIONAL;
        String content = String.join("\u0000",
                asked.user(),
                asked.chargeableEventRefId(),
                String.valueOf(asked.chargeType()),
                String.valueOf(asked.chargeAdjustment()),
                asked.currency(),
                String.valueOf(isProportional ? asked.taxIncluded() : null),
                asked.reason(),
                asked.adjustmentMode().name(),
                asked.taxTreatment().name(),
                asked.comment() == null ? "" : "=" + asked.comment(),
                String.valueOf(asked.percent()),
                String.valueOf(asked.targetAmount()),
                String.valueOf(asked.expectedVersion()),
                String.valueOf(asked.reversalOf()));
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(content.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
