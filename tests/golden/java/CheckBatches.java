import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

/**
 * Reads files of record batches with Java's own reader and prints what they hold, one line a batch and one a record; the
 * C tests print the same lines from the same bytes. Ends with 1 when Java finds any batch or record invalid.
 *
 *   java -cp 'jars/*' CheckBatches.java FILE...
 */
public class CheckBatches {
	static final int SHORT = 64; // longer bytes are printed as length and FNV-1a hash

	static String bytes(ByteBuffer b) {
		if (b == null)
			return "null";
		b = b.duplicate();
		StringBuilder s = new StringBuilder("x");
		if (b.remaining() <= SHORT) {
			while (b.hasRemaining())
				s.append(String.format("%02x", b.get()));
			return s.toString();
		}
		int len = b.remaining();
		long hash = 0xcbf29ce484222325L;
		while (b.hasRemaining())
			hash = (hash ^ (b.get() & 0xff)) * 0x100000001b3L;
		return String.format("%d#%016x", len, hash);
	}

	static String header(Header h) {
		return " " + bytes(ByteBuffer.wrap(h.key().getBytes(java.nio.charset.StandardCharsets.UTF_8))) + "="
			+ bytes(h.value() == null ? null : ByteBuffer.wrap(h.value()));
	}

	static String describe(ByteBuffer content) {
		StringBuilder s = new StringBuilder();
		int left = content.remaining();
		for (MutableRecordBatch batch : MemoryRecords.readableRecords(content).batches()) {
			batch.ensureValid();
			left -= batch.sizeInBytes();
			s.append(String.format("batch offset=%d..%d leader_epoch=%d codec=%s transactional=%b control=%b"
				+ " max_timestamp=%d producer=%d/%d/%d count=%d\n", batch.baseOffset(), batch.lastOffset(),
				batch.partitionLeaderEpoch(), batch.compressionType().name, batch.isTransactional(),
				batch.isControlBatch(), batch.maxTimestamp(), batch.producerId(), batch.producerEpoch(),
				batch.baseSequence(), batch.countOrNull()));
			int n = 0;
			for (Record r : batch) {
				r.ensureValid();
				s.append(String.format("record offset=%d timestamp=%d key=%s value=%s headers=%d", r.offset(),
					r.timestamp(), bytes(r.key()), bytes(r.value()), r.headers().length));
				for (Header h : r.headers())
					s.append(header(h));
				s.append("\n");
				n++;
			}
			if (n != batch.countOrNull())
				throw new IllegalStateException("count is " + batch.countOrNull() + ", records are " + n);
		}
		if (left != 0)
			throw new IllegalStateException(left + " bytes behind the last whole batch");
		return s.toString();
	}

	public static void main(String[] files) throws Exception {
		boolean bad = false;
		for (String f : files) {
			Path path = Paths.get(f);
			System.out.println("# " + path.getFileName());
			try {
				System.out.print(describe(ByteBuffer.wrap(Files.readAllBytes(path))));
			} catch (RuntimeException e) {
				System.out.println("INVALID " + e);
				bad = true;
			}
		}
		System.exit(bad ? 1 : 0);
	}
}
