import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java client, the way a user writes a producer: one thread sends, a callback per record counts.
 *
 * <p>JavaBench SERVERS TOPIC RECORDS PAYLOAD-FILE NAME=VALUE...
 *
 * <p>NAME is one of the client's, or rate: records/s, and the distribution of the time from when a record was due to its callback; the
 * first second is left out.
 */
public final class JavaBench {
    private static final long SECOND_NS = 1_000_000_000L;
    // All: of the client's own thread.
    private static long delivered;
    private static long failed;
    private static long[] latenciesNs = new long[0];
    private static int timed;

    private static void report(Exception e) {
        if (e == null) {
            delivered++;
        } else if (failed++ == 0) {
            System.err.println("JavaBench: the first failure: " + e);
        }
    }

    private static void reportTimed(Exception e, long dueNs, long fromNs) {
        report(e);
        if (dueNs >= fromNs) {
            latenciesNs[timed++] = System.nanoTime() - dueNs;
        }
    }

    private static void sendAll(KafkaProducer<byte[], byte[]> producer, String topic, byte[][] values, long n) {
        int next = 0;
        for (long i = 0; i < n; i++) {
            producer.send(new ProducerRecord<>(topic, values[next]), (metadata, e) -> report(e));
            if (++next == values.length) {
                next = 0;
            }
        }
    }

    /** When late, what is due goes in one burst, each timed from when it was due. */
    private static void sendAtRate(KafkaProducer<byte[], byte[]> producer, String topic, byte[][] values, int n, double rate) {
        latenciesNs = new long[n];
        long begin = System.nanoTime();
        for (int i = 0; i < n; i++) {
            long due = begin + (long) (i * 1e9 / rate);
            for (long left; (left = due - System.nanoTime()) > 0; ) {
                LockSupport.parkNanos(left);
            }
            producer.send(
                    new ProducerRecord<>(topic, values[i % values.length]),
                    (metadata, e) -> reportTimed(e, due, begin + SECOND_NS));
        }
    }

    private static double percentileUs(double q) {
        return timed == 0 ? 0 : latenciesNs[(int) Math.min(timed - 1, Math.round(q * timed))] / 1e3;
    }

    private static void printLatencies() {
        latenciesNs = Arrays.copyOf(latenciesNs, timed);
        Arrays.sort(latenciesNs);
        System.out.printf(
                Locale.ROOT,
                "latency_us n=%d mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f%n",
                timed,
                Arrays.stream(latenciesNs).average().orElse(0) / 1e3,
                percentileUs(.5),
                percentileUs(.9),
                percentileUs(.99),
                percentileUs(.999),
                percentileUs(1));
    }

    public static void main(String[] args) throws Exception {
        double rate = 0;
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        settings.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        for (int i = 4; i < args.length; i++) {
            String[] assignment = args[i].split("=", 2);
            if (assignment[0].equals("rate")) {
                rate = Double.parseDouble(assignment[1]);
            } else {
                settings.put(assignment[0], assignment[1]);
            }
        }
        String topic = args[1];
        long records = Long.parseLong(args[2]);
        byte[][] values =
                Files.readAllLines(Path.of(args[3])).stream()
                        .map(line -> line.getBytes(StandardCharsets.UTF_8))
                        .toArray(byte[][]::new);

        long created = System.nanoTime();
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
        // The first record goes before the clock starts: connection, metadata, producer id.
        producer.send(new ProducerRecord<>(topic, values[0]), (metadata, e) -> report(e)).get();
        double firstMs = (System.nanoTime() - created) / 1e6;
        long begin = System.nanoTime();
        if (rate > 0) {
            sendAtRate(producer, topic, values, (int) (records - 1), rate);
        } else {
            sendAll(producer, topic, values, records - 1);
        }
        producer.flush();
        double seconds = (System.nanoTime() - begin) / 1e9;
        producer.close(); // ends the client's thread: what it counted can be read
        System.out.printf(
                Locale.ROOT,
                "java %s records=%d failed=%d secs=%.6f first_ms=%.3f%n",
                AppInfoParser.getVersion(),
                delivered,
                failed,
                seconds,
                firstMs);
        if (rate > 0) {
            printLatencies();
        }
        System.exit(failed == 0 ? 0 : 1);
    }
}
