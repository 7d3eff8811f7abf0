package adjust.peer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** What an input record's headers noted, and the headers of the outputs that follow from it. */
final class Headers {
    private static final int NOTED_MAX = 256;
    private static final DateTimeFormatter UTC_TEXT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final Header[] COMMON = {
        header("ce_specversion", "1.0"),
        header("ce_source", "/adjust/streams"),
        header("content-type", "application/json")
    };
    private static final Header APPLIED = header("ce_type", "io.adjust.AdjustmentResult.applied.v1");
    private static final Header REFUSED = header("ce_type", "io.adjust.AdjustmentResult.refused.v1");
    private static final Header REPLAY = header("replay", "true");
    private static final Header NOT_REMEMBERED = header("remembered", "false");

    /** The kinds of entities that are published. */
    enum Entity {
        ACCOUNT("account", "AccountEx", "io.adjust.Account.updated.v1"),
        CHARGEABLE_EVENT(
                "chargeableEvent", "ChargeableEventEx", "io.adjust.ChargeableEvent.updated.v1"),
        ADJUSTMENT("adjustment", "AdjustmentEx", "io.adjust.Adjustment.created.v1");

        private final Header[] headers;

        Entity(String code, String payload, String type) {
            headers = new Header[] {
                header("X-Ocs-Io-message-code", code),
                header("X-Ocs-Io-message-payload", payload),
                header("ce_type", type)
            };
        }
    }

    final String channel;
    final String batch;
    final String time;
    private final String place;
    private final Header source;
    private final Header timeHeader;
    private final Header requestId;
    private final Header trace;

    Headers(Record<byte[], byte[]> record, RecordMetadata at, String requestId, Clock clock) {
        place = at.topic() + "-" + at.partition() + "-" + at.offset();
        source = header("source", place);
        time = clock.text(record.timestamp());
        timeHeader = header("ce_time", time);
        this.requestId = requestId == null ? null : header("requestId", requestId);
        String noted = noted(record, "channel");
        channel = noted == null ? "TOPIC" : noted;
        batch = noted(record, "batch");
        String traceparent = noted(record, "traceparent");
        trace = traceparent == null ? null : header("traceparent", traceparent);
    }

    RecordHeaders ofEntity(Entity entity, long seq, int number, String refId) {
        RecordHeaders headers = begin(seq, null, number);
        headers.add(header("ce_subject", refId));
        byte[] transaction = requestId == null ? source.value() : requestId.value();
        headers.add(new RecordHeader("X-Ocs-Io-transaction-id", transaction));
        addAll(headers, entity.headers);
        addAll(headers, COMMON);
        return headers;
    }

    RecordHeaders ofResult(
            long seq, long stateSeq, int number, boolean isApplied, String subject,
            boolean isReplay, boolean isRemembered) {
        RecordHeaders headers = begin(seq, header("state-seq", Long.toString(stateSeq)), number);
        headers.add(isApplied ? APPLIED : REFUSED);
        addAll(headers, COMMON);
        if (subject != null) {
            headers.add(header("ce_subject", subject));
        }
        if (isReplay) {
            headers.add(REPLAY);
        }
        if (!isRemembered) {
            headers.add(NOT_REMEMBERED);
        }
        return headers;
    }

    static RecordHeaders ofDeadLetter(
            Record<byte[], byte[]> record, RecordMetadata at, String code, String text) {
        RecordHeaders headers = new RecordHeaders(record.headers());
        headers.add(header("dlq-topic", at.topic()));
        headers.add(header("dlq-partition", Integer.toString(at.partition())));
        headers.add(header("dlq-offset", Long.toString(at.offset())));
        headers.add(header("dlq-code", code));
        headers.add(header("dlq-text", text));
        return headers;
    }

    private RecordHeaders begin(long seq, Header second, int number) {
        RecordHeaders headers = new RecordHeaders();
        headers.add(header("seq", Long.toString(seq)));
        if (second != null) {
            headers.add(second);
        }
        headers.add(source);
        headers.add(timeHeader);
        if (requestId != null) {
            headers.add(requestId);
        }
        if (trace != null) {
            headers.add(trace);
        }
        headers.add(header("ce_id", place + "-" + number));
        return headers;
    }

    /** The first header of this name that can be read and is not too long. */
    private static String noted(Record<byte[], byte[]> record, String name) {
        for (Header header : record.headers().headers(name)) {
            byte[] value = header.value();
            if (value != null && value.length > 0 && value.length <= NOTED_MAX) {
                try {
                    return UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
                } catch (CharacterCodingException unreadable) {
                    continue;
                }
            }
        }
        return null;
    }

    private static void addAll(RecordHeaders headers, Header[] more) {
        for (Header header : more) {
            headers.add(header);
        }
    }

    private static Header header(String name, String text) {
        return new RecordHeader(name, text.getBytes(UTF_8));
    }

    /** Writes times; many records have the one of the record before. */
    static final class Clock {
        private long milliseconds = Long.MIN_VALUE;
        private String text;

        private String text(long at) {
            if (at != milliseconds) {
                milliseconds = at;
                text = UTC_TEXT.format(Instant.ofEpochMilli(at));
            }
            return text;
        }
    }
}
