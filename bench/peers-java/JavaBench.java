import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java client, the way a user writes a producer: one thread sends, a callback per record counts.
 *
 * <p>JavaBench SERVERS TOPIC RECORDS PAYLOAD-FILE NAME=VALUE...
 */
public final class JavaBench {
    private static long delivered; // both: of the client's own thread
    private static long failed;

    private static void report(Exception e) {
        if (e == null) {
            delivered++;
        } else if (failed++ == 0) {
            System.err.println("JavaBench: the first failure: " + e);
        }
    }

    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        settings.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        for (int i = 4; i < args.length; i++) {
            String[] assignment = args[i].split("=", 2);
            settings.put(assignment[0], assignment[1]);
        }
        String topic = args[1];
        long records = Long.parseLong(args[2]);
        List<byte[]> values =
                Files.readAllLines(Path.of(args[3])).stream().map(line -> line.getBytes(StandardCharsets.UTF_8)).toList();
        byte[][] rotation = values.toArray(new byte[0][]);

        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
        // The first record goes before the clock starts: connection, metadata, producer id.
        producer.send(new ProducerRecord<>(topic, rotation[0]), (metadata, e) -> report(e)).get();
        long begin = System.nanoTime();
        int next = 0;
        for (long i = 1; i < records; i++) {
            producer.send(new ProducerRecord<>(topic, rotation[next]), (metadata, e) -> report(e));
            if (++next == rotation.length) {
                next = 0;
            }
        }
        producer.flush();
        double seconds = (System.nanoTime() - begin) / 1e9;
        producer.close(); // ends the client's thread: what it counted can be read
        System.out.printf("java %s records=%d failed=%d secs=%.6f%n", AppInfoParser.getVersion(), delivered, failed, seconds);
        System.exit(failed == 0 ? 0 : 1);
    }
}
