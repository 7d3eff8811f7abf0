package adjust.peer;

import adjust.peer.Headers.Entity;
import java.nio.ByteBuffer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;

/** Writes results, business transactions and dead letters of one task, and numbers them. */
final class Outputs {
    static final String RESULTS = "adjustment-results";
    static final String TRANSACTIONS = "business-transactions";
    static final String DEAD_LETTERS = "dlq-";
    private static final byte[] NUMBERS = {0};

    private final ProcessorContext<byte[], byte[]> context;
    private final KeyValueStore<byte[], byte[]> numbers;
    private long results;
    private long transactions;

    Outputs(ProcessorContext<byte[], byte[]> context, KeyValueStore<byte[], byte[]> numbers) {
        this.context = context;
        this.numbers = numbers;
        byte[] last = numbers.get(NUMBERS);
        if (last != null) {
            ByteBuffer buffer = ByteBuffer.wrap(last);
            results = buffer.getLong();
            transactions = buffer.getLong();
        }
    }

    /** The number of the last business transaction. */
    long transactions() {
        return transactions;
    }

    void entity(
            Record<byte[], byte[]> record, Headers source, Entity entity, int number,
            String refId, byte[] value) {
        transactions++;
        forward(record, value, source.ofEntity(entity, transactions, number, refId), TRANSACTIONS);
    }

    void result(
            Record<byte[], byte[]> record, Headers source, long stateSeq, int number,
            boolean isApplied, String subject, byte[] value,
            boolean isReplay, boolean isRemembered) {
        results++;
        RecordHeaders headers = source.ofResult(
                results, stateSeq, number, isApplied, subject, isReplay, isRemembered);
        forward(record, value, headers, RESULTS);
    }

    void deadLetter(Record<byte[], byte[]> record, RecordMetadata at, String code, String text) {
        RecordHeaders headers = Headers.ofDeadLetter(record, at, code, text);
        forward(record, record.value(), headers, DEAD_LETTERS + at.topic());
    }

    /** Keeps the numbers with the state: once an input record. */
    void keepNumbers() {
        byte[] last = ByteBuffer.allocate(16).putLong(results).putLong(transactions).array();
        numbers.put(NUMBERS, last);
    }

    private void forward(
            Record<byte[], byte[]> record, byte[] value, RecordHeaders headers, String sink) {
        context.forward(new Record<>(record.key(), value, record.timestamp(), headers), sink);
    }
}
