import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * How many records of a topic a consumer sees that reads committed ones: markers and aborted records are not among them, so the partitions'
 * ends do not tell. A commit's markers may still be under way, so it reads up to the ends that one sees who reads everything.
 *
 * <p>CountCommitted SERVERS TOPIC
 */
public final class CountCommitted {
    private static final long PATIENCE_NS = 30_000_000_000L;

    private static Map<TopicPartition, Long> ends(Properties settings, List<TopicPartition> partitions) throws Exception {
        try (Admin admin = Admin.create(settings)) {
            Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> found =
                    admin.listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                            .all()
                            .get();
            return found.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
        }
    }

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        Properties reading = new Properties();
        reading.putAll(settings);
        reading.put("isolation.level", "read_committed");
        reading.put("max.partition.fetch.bytes", "8388608");
        reading.put("max.poll.records", "100000");
        reading.put("enable.auto.commit", "false");
        long counted = 0;
        long deadline = System.nanoTime() + PATIENCE_NS;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(reading, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions =
                    consumer.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition())).toList();
            Map<TopicPartition, Long> ends = ends(settings, partitions);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                if (System.nanoTime() > deadline) {
                    System.err.println("CountCommitted: a transaction is open, or its markers do not come");
                    System.exit(1);
                }
                counted += consumer.poll(Duration.ofSeconds(1)).count();
            }
        }
        System.out.println(counted);
    }
}
