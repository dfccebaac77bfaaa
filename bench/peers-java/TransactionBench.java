import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Transactions of the Java client, one behind the other in one thread; a callback per record counts. How long each commit took is timed:
 * the call, which first sends what has gathered.
 *
 * <p>TransactionBench SERVERS TOPIC RECORDS PAYLOAD-FILE NAME=VALUE...
 *
 * <p>NAME is one of the client's, or size: records of a transaction, partitions: from which one is drawn for each record, or warmup:
 * seconds that go before the clock starts, up to half of the records.
 */
public final class TransactionBench {
    private final KafkaProducer<byte[], byte[]> producer;
    private final String topic;
    private final byte[][] values;
    private final int size;
    private final int partitions;
    private final SplittableRandom random = new SplittableRandom(1);
    private int next;
    private long committed;
    private long[] commitsNs = new long[1024];
    private int timed;
    // Of the client's own thread.
    private long delivered;
    private long failed;

    private TransactionBench(
            KafkaProducer<byte[], byte[]> producer, String topic, byte[][] values, int size, int partitions) {
        this.producer = producer;
        this.topic = topic;
        this.values = values;
        this.size = size;
        this.partitions = partitions;
    }

    private void report(Exception e) {
        if (e == null) {
            delivered++;
        } else if (failed++ == 0) {
            System.err.println("TransactionBench: the first failure: " + e);
        }
    }

    /** One of at most this many records; what its commit took, in ns. */
    private long transaction(long most) {
        long n = Math.min(size, most);
        producer.beginTransaction();
        for (long i = 0; i < n; i++) {
            Integer partition = random.nextInt(partitions);
            producer.send(new ProducerRecord<>(topic, partition, null, values[next]), (metadata, e) -> report(e));
            if (++next == values.length) {
                next = 0;
            }
        }
        long begin = System.nanoTime();
        producer.commitTransaction();
        committed += n;
        return System.nanoTime() - begin;
    }

    private void warmUp(double seconds, long most) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (System.nanoTime() < end && committed < most) {
            transaction(most - committed);
        }
    }

    private void measure(long records) {
        while (committed < records) {
            if (timed == commitsNs.length) {
                commitsNs = Arrays.copyOf(commitsNs, timed * 2);
            }
            commitsNs[timed++] = transaction(records - committed);
        }
    }

    private double percentileUs(double q) {
        return commitsNs[(int) Math.min(timed - 1, Math.round(q * timed))] / 1e3;
    }

    private void printCommits() {
        commitsNs = Arrays.copyOf(commitsNs, timed);
        Arrays.sort(commitsNs);
        System.out.printf(
                Locale.ROOT,
                "latency_us n=%d mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f%n",
                timed,
                Arrays.stream(commitsNs).average().orElse(0) / 1e3,
                percentileUs(.5),
                percentileUs(.9),
                percentileUs(.99),
                percentileUs(.999),
                percentileUs(1));
    }

    public static void main(String[] args) throws Exception {
        int size = 100;
        int partitions = 1;
        double warmUp = 0;
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        settings.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        for (int i = 4; i < args.length; i++) {
            String[] assignment = args[i].split("=", 2);
            switch (assignment[0]) {
                case "size" -> size = Integer.parseInt(assignment[1]);
                case "partitions" -> partitions = Integer.parseInt(assignment[1]);
                case "warmup" -> warmUp = Double.parseDouble(assignment[1]);
                default -> settings.put(assignment[0], assignment[1]);
            }
        }
        long records = Long.parseLong(args[2]);
        byte[][] values =
                Files.readAllLines(Path.of(args[3])).stream()
                        .map(line -> line.getBytes(StandardCharsets.UTF_8))
                        .toArray(byte[][]::new);

        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
        TransactionBench bench = new TransactionBench(producer, args[1], values, size, partitions);
        producer.initTransactions();
        bench.warmUp(warmUp, records / 2);
        long before = bench.committed;
        long begin = System.nanoTime();
        bench.measure(records);
        double seconds = (System.nanoTime() - begin) / 1e9;
        producer.close(); // ends the client's thread: what it counted can be read
        System.out.printf(
                Locale.ROOT,
                "java %s records=%d failed=%d timed=%d transactions=%d secs=%.6f%n",
                AppInfoParser.getVersion(),
                bench.delivered,
                bench.failed,
                records - before,
                bench.timed,
                seconds);
        bench.printCommits();
        System.exit(bench.failed == 0 ? 0 : 1);
    }
}
