package adjust.peer;

import static org.apache.kafka.streams.StreamsConfig.consumerPrefix;
import static org.apache.kafka.streams.StreamsConfig.producerPrefix;

import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Runs until it is stopped.
 *
 * <p>Arguments: bootstrap-servers state-folder output-prefix partitions compression.
 */
public final class Main {
    private static final String SOURCE = "inputs";
    private static final String PROCESSOR = "adjusting";

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        Topology topology = topology(arguments[2], Integer.parseInt(arguments[3]));
        KafkaStreams streams = new KafkaStreams(
                topology, settings(arguments[0], arguments[1], arguments[2], arguments[4]));
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("peer ready");
            }
            if (now == KafkaStreams.State.ERROR) {
                Runtime.getRuntime().halt(1);
            }
        });
        streams.setUncaughtExceptionHandler(problem -> {
            problem.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        Thread.currentThread().join();
    }

    private static Topology topology(String prefix, int partitions) {
        ByteArraySerializer bytes = new ByteArraySerializer();
        Topology topology = new Topology()
                .addSource(SOURCE, new ByteArrayDeserializer(), new ByteArrayDeserializer(),
                        Adjusting.ACCOUNTS, Adjusting.EVENTS, Adjusting.REQUESTS)
                .addProcessor(PROCESSOR, () -> new Adjusting(partitions), SOURCE)
                .addStateStore(store(Stores.persistentKeyValueStore(Adjusting.ACCOUNTS)), PROCESSOR)
                .addStateStore(store(Stores.persistentKeyValueStore(Adjusting.EVENTS)), PROCESSOR)
                .addStateStore(store(Stores.persistentKeyValueStore(Adjusting.ANSWERS)), PROCESSOR)
                // One row that each record changes: the cache lets the last of a commit through.
                .addStateStore(
                        store(Stores.inMemoryKeyValueStore(Adjusting.NUMBERS)).withCachingEnabled(),
                        PROCESSOR);
        for (String sink : new String[] {
            Outputs.RESULTS,
            Outputs.TRANSACTIONS,
            Outputs.DEAD_LETTERS + Adjusting.ACCOUNTS,
            Outputs.DEAD_LETTERS + Adjusting.EVENTS,
            Outputs.DEAD_LETTERS + Adjusting.REQUESTS
        }) {
            topology.addSink(sink, prefix + sink, bytes, bytes, PROCESSOR);
        }
        return topology;
    }

    private static StoreBuilder<?> store(KeyValueBytesStoreSupplier rows) {
        Serde<byte[]> bytes = Serdes.ByteArray();
        return Stores.keyValueStoreBuilder(rows, bytes, bytes);
    }

    private static Properties settings(
            String servers, String folder, String prefix, String compression) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, prefix + "app");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), prefix + "1");
        settings.put(consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6000);
        settings.put(consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2000);
        settings.put(producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), compression);
        return settings;
    }
}
