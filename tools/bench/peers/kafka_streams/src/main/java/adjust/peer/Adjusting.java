package adjust.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import adjust.peer.Headers.Entity;
import adjust.peer.Json.Problem;
import adjust.peer.Result.Adjustment;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.Arrays;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;

/** One task: takes over accounts and chargeable events, and answers requests. */
final class Adjusting implements Processor<byte[], byte[], byte[], byte[]> {
    static final String ACCOUNTS = "accounts";
    static final String EVENTS = "chargeable-events";
    static final String REQUESTS = "adjustment-requests";
    static final String ANSWERS = "answers";
    static final String NUMBERS = "numbers";
    private static final int GUID_LENGTH = 36;

    private final int partitions;
    private final Headers.Clock clock = new Headers.Clock();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> accounts;
    private KeyValueStore<byte[], byte[]> events;
    private KeyValueStore<byte[], byte[]> answers;
    private Outputs outputs;

    Adjusting(int partitions) {
        this.partitions = partitions;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
        accounts = given.getStateStore(ACCOUNTS);
        events = given.getStateStore(EVENTS);
        answers = given.getStateStore(ANSWERS);
        outputs = new Outputs(given, given.getStateStore(NUMBERS));
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata at = context.recordMetadata().orElseThrow();
        try {
            String key = keyOf(record, at);
            switch (at.topic()) {
                case ACCOUNTS -> takeOverAccount(record, at, key);
                case EVENTS -> takeOverEvent(record, at, key);
                default -> answer(record, at, key);
            }
        } catch (Problem problem) {
            outputs.deadLetter(record, at, problem.code, problem.getMessage());
        }
        outputs.keepNumbers();
    }

    private String keyOf(Record<byte[], byte[]> record, RecordMetadata at) throws Problem {
        if (record.key() == null) {
            throw new Problem("NO_KEY", "The record has no key.");
        }
        String key = new String(record.key(), UTF_8);
        if (!Reader.isRefId(key)) {
            throw new Problem("INVALID_KEY", "The key is not an account's refId:"
                    + " 1 to 64 letters, digits, '.', '_', ':' or '-'.");
        }
        int partition = Utils.toPositive(Utils.murmur2(record.key())) % partitions;
        if (partition != at.partition()) {
            throw new Problem("WRONG_PARTITION", "The key belongs to partition " + partition + ".");
        }
        return key;
    }

    private void takeOverAccount(Record<byte[], byte[]> record, RecordMetadata at, String key)
            throws Problem {
        Account sent = sent(record, Account.class);
        same(key, sent.refId(), "refId");
        Account row = Json.row(accounts.get(record.key()), Account.class);
        sameCurrency("account", key, row == null ? null : row.currency(), sent.currency());
        long version = row == null ? 1 : row.version();
        if (sent.withVersion(version).equals(row)) {
            return;
        }
        byte[] value = Json.write(sent.withVersion(row == null ? 1 : version + 1));
        accounts.put(record.key(), value);
        Headers source = new Headers(record, at, null, clock);
        outputs.entity(record, source, Entity.ACCOUNT, 0, key, value);
    }

    private void takeOverEvent(Record<byte[], byte[]> record, RecordMetadata at, String key)
            throws Problem {
        ChargeableEvent sent = sent(record, ChargeableEvent.class);
        if (!sent.original().balances() || sent.original().anyNegative()) {
            throw new Problem("INVALID_UPSERT", "The original amounts do not fit.");
        }
        same(key, sent.account().refId(), "account.refId");
        byte[] rowKey = rowKey(key, sent.refId());
        ChargeableEvent row = Json.row(events.get(rowKey), ChargeableEvent.class);
        String before = row == null ? null : row.currency();
        sameCurrency("chargeable event", sent.refId(), before, sent.currency());
        ChargeableEvent rated = row == null
                ? sent.with(Amounts.NOTHING, 0, 1)
                : sent.with(row.adjusted(), row.adjustmentCount(), row.version());
        if (rated.current().anyNegative()) {
            throw new Problem("CONFLICTS_WITH_ADJUSTMENTS", "The original amounts of chargeable"
                    + " event " + sent.refId() + " are less than what was credited already.");
        }
        if (rated.equals(row)) {
            return;
        }
        if (row != null) {
            rated = sent.with(row.adjusted(), row.adjustmentCount(), row.version() + 1);
        }
        byte[] value = Json.write(rated);
        events.put(rowKey, value);
        Headers source = new Headers(record, at, null, clock);
        outputs.entity(record, source, Entity.CHARGEABLE_EVENT, 0, sent.refId(), value);
    }

    private void answer(Record<byte[], byte[]> record, RecordMetadata at, String key)
            throws Problem {
        Read read = Reader.read(record.value());
        if (read instanceof Read.Unreadable unreadable) {
            throw new Problem(unreadable.code(), unreadable.text());
        }
        if (read instanceof Read.Malformed malformed) {
            same(key, malformed.account(), "account.refId");
            Headers source = new Headers(record, at, malformed.requestId(), clock);
            byte[] value = Json.write(malformed.refused(key, source.time));
            outputs.result(record, source, outputs.transactions(), 0,
                    false, malformed.chargeableEventRefId(), value, false, false);
            return;
        }
        Request request = (Request) read;
        same(key, request.account(), "account.refId");
        decide(record, new Headers(record, at, request.requestId(), clock), key, request);
    }

    private void decide(
            Record<byte[], byte[]> record, Headers source, String key, Request request) {
        byte[] answerKey = rowKey(key, request.requestId());
        byte[] content = Answer.contentOf(request);
        String subject = request.chargeableEventRefId();
        long stateSeq = outputs.transactions();
        Answer first = Answer.of(answers.get(answerKey));
        if (first != null && Arrays.equals(first.content(), content)) {
            outputs.result(record, source, stateSeq, 0,
                    first.isApplied(), subject, first.value(), true, true);
            return;
        }
        byte[] eventKey = rowKey(key, subject);
        byte[] undoneKey = undoneKey(key, request.reversalOf());
        Answer undone = undoneKey == null ? null : Answer.of(answers.get(undoneKey));
        Decision decision = Decision.of(
                state(record.key(), eventKey, first, undone),
                request,
                new Decision.Noted(key, source.channel, source.batch, source.time));
        Result result = decision.result();
        boolean isApplied = decision.refusal() == null;
        byte[] value;
        if (isApplied) {
            byte[] event = Json.write(result.chargeableEvent());
            byte[] adjustment = Json.write(result.adjustment());
            String refId = result.adjustment().refId();
            value = result.around(adjustment, event);
            events.put(eventKey, event);
            outputs.entity(record, source, Entity.CHARGEABLE_EVENT, 0, subject, event);
            outputs.entity(record, source, Entity.ADJUSTMENT, 1, refId, adjustment);
            if (undone != null) {
                answers.put(undoneKey, undone.reversedBy(refId).stored());
            }
        } else {
            value = Json.write(result);
        }
        boolean isRemembered = decision.refusal() != Refusal.REQUEST_ID_REUSED;
        if (isRemembered) {
            answers.put(answerKey, new Answer(content, isApplied, null, value).stored());
        }
        outputs.result(record, source, stateSeq, isApplied ? 2 : 0,
                isApplied, subject, value, false, isRemembered);
    }

    private Decision.State state(byte[] key, byte[] eventKey, Answer first, Answer undone) {
        return new Decision.State(
                Json.row(accounts.get(key), Account.class),
                Json.row(events.get(eventKey), ChargeableEvent.class),
                first != null,
                undone == null ? null : Json.row(undone.value(), Result.class).adjustment(),
                undone == null ? null : undone.reversedBy());
    }

    /** The row of the request whose adjustment has this refId; null if none of this account has. */
    private static byte[] undoneKey(String account, String reversalOf) {
        if (reversalOf == null || reversalOf.length() < GUID_LENGTH) {
            return null;
        }
        String requestId = reversalOf.substring(reversalOf.length() - GUID_LENGTH);
        boolean isOfAccount = reversalOf.equals(Adjustment.refId(account, requestId));
        return isOfAccount ? rowKey(account, requestId) : null;
    }

    private static <T> T sent(Record<byte[], byte[]> record, Class<T> type) throws Problem {
        try {
            return Json.MAPPER.treeToValue(Json.object(record.value()), type);
        } catch (JsonProcessingException doesNotFit) {
            throw new Problem("INVALID_UPSERT", "Attributes do not fit.");
        }
    }

    private static void same(String key, String named, String field) throws Problem {
        if (named != null && !named.equals(key)) {
            String found = named.substring(0, Math.min(64, named.length()));
            throw new Problem("KEY_MISMATCH",
                    "%s is %s, the record's key another account.".formatted(field, found));
        }
    }

    private static void sameCurrency(String entity, String refId, String before, String after)
            throws Problem {
        if (before != null && !before.equals(after)) {
            throw new Problem("IMMUTABLE_ATTRIBUTE", "The currency of %s %s is %s and cannot become %s."
                    .formatted(entity, refId, before, after));
        }
    }

    private static byte[] rowKey(String account, String id) {
        return (account + "/" + id).getBytes(US_ASCII);
    }
}
