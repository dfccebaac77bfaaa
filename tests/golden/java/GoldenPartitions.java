import java.io.PrintStream;
import java.util.HexFormat;
import java.util.Random;

import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/**
 * Prints what the Java client makes of 1,000 keys of 0 to 60 bytes: hex of the key ("-": empty), its murmur2, and the partition that a
 * topic of 1, 6, 7, 100 and 65536 partitions gets.
 *
 *   java -cp 'jars/*' GoldenPartitions.java FILE
 */
public class GoldenPartitions {
	static final int[] PARTITIONS = {1, 6, 7, 100, 65536};

	public static void main(String[] args) throws Exception {
		Random random = new Random(20240601);
		try (PrintStream out = new PrintStream(args[0])) {
			for (int i = 0; i < 1000; i++) {
				byte[] key = new byte[i < 61 ? i : random.nextInt(61)];
				random.nextBytes(key);
				out.print((key.length == 0 ? "-" : HexFormat.of().formatHex(key)) + " " + Utils.murmur2(key));
				for (int n : PARTITIONS)
					out.print(" " + BuiltInPartitioner.partitionForKey(key, n));
				out.println();
			}
		}
	}
}
