import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Writes the java-*.bin batches and, for these and rdkafka-*.bin, what Java's reader sees as a .txt beside. Argument: the folder. */
public class GoldenBatches {
	static final long T0 = 1700000000000L;
	static Path folder;

	static byte[] utf8(String s) {
		return s.getBytes(StandardCharsets.UTF_8);
	}

	static MemoryRecordsBuilder builder(Compression c, long offset, long producerId, int epoch, int sequence, boolean txn) {
		return MemoryRecords.builder(ByteBuffer.allocate(1024), RecordBatch.MAGIC_VALUE_V2, c, TimestampType.CREATE_TIME,
			offset, RecordBatch.NO_TIMESTAMP, producerId, (short) epoch, sequence, txn, -1);
	}

	/** Each way of being null, empty, early, late and long. */
	static void small(MemoryRecordsBuilder b, long offset) {
		Header[] none = {};
		b.appendWithOffset(offset, T0, utf8("key"), utf8("value"), none);
		b.appendWithOffset(offset + 1, T0 + 5, (byte[]) null, utf8("no key"), none);
		b.appendWithOffset(offset + 2, T0 - 86400000L, utf8("tombstone, a day early"), (byte[]) null, none);
		b.appendWithOffset(offset + 3, T0 + 3155760000000L, new byte[0], new byte[0], none);
		b.appendWithOffset(offset + 4, T0, (byte[]) null, (byte[]) null, none);
		b.appendWithOffset(offset + 5, T0 + 1, utf8("h"), utf8("with headers"), new Header[] {
			new RecordHeader("trace", new byte[] {0, (byte) 0xff}), new RecordHeader("null", (byte[]) null),
			new RecordHeader("", new byte[0]), new RecordHeader("trace", utf8("again, \u00e9\u4e2d"))});
		b.appendWithOffset(offset + 6, T0 + 64, utf8("k".repeat(63)), utf8("v".repeat(64)), none);
		b.appendWithOffset(offset + 7, T0 + 8192, utf8("K".repeat(8191)), utf8("V".repeat(8192)), none);
	}

	/** Over 64 KiB, so that snappy, lz4 and zstd need several blocks. */
	static void large(MemoryRecordsBuilder b) {
		for (int i = 0; i < 80; i++)
			b.appendWithOffset(i, T0 + i, utf8("key-" + i), utf8(("record-" + i + " ").repeat(100)), new Header[0]);
	}

	static void write(String name, ByteBuffer... batches) throws Exception {
		int size = 0;
		for (ByteBuffer b : batches)
			size += b.remaining();
		ByteBuffer all = ByteBuffer.allocate(size);
		for (ByteBuffer b : batches)
			all.put(b.duplicate());
		Path path = folder.resolve("java-" + name + ".bin");
		Files.write(path, all.array());
		describe(path);
	}

	static void describe(Path path) throws Exception {
		String text = CheckBatches.describe(ByteBuffer.wrap(Files.readAllBytes(path)));
		Files.writeString(Paths.get(path.toString().replace(".bin", ".txt")), text);
	}

	static ByteBuffer smallBatch(Compression c, long offset, boolean txn) {
		MemoryRecordsBuilder b = builder(c, offset, 4711, 3, 77, txn);
		small(b, offset);
		return b.build().buffer();
	}

	static void writeLarge(String name, Compression c) throws Exception {
		MemoryRecordsBuilder b = builder(c, 0, -1, -1, -1, false);
		large(b);
		write(name, b.build().buffer());
	}

	public static void main(String[] args) throws Exception {
		folder = Paths.get(args[0]);
		for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
			Compression c = Compression.of(codec).build();
			write(codec, smallBatch(c, 0, false));
			if (!codec.equals("none"))
				writeLarge(codec + "-large", c);
		}
		writeLarge("gzip-9-large", Compression.gzip().level(9).build());
		writeLarge("lz4-17-large", Compression.lz4().level(17).build());
		writeLarge("zstd-22-large", Compression.zstd().level(22).build());
		write("transactional", smallBatch(Compression.NONE, 1L << 40, true));
		write("three", smallBatch(Compression.NONE, 0, false), smallBatch(Compression.zstd().build(), 8, false),
			smallBatch(Compression.NONE, 16, true));
		write("control", MemoryRecords.withEndTransactionMarker(9, T0, 0, 4711L, (short) 3,
			new EndTransactionMarker(ControlRecordType.COMMIT, 12)).buffer());
		try (DirectoryStream<Path> others = Files.newDirectoryStream(folder, "rdkafka-*.bin")) {
			for (Path p : others)
				describe(p);
		}
	}
}
