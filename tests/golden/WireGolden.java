/*
 * Writes what the Java client serializes for every message we have a table for, in every version: tests/golden/wire/<Message>.hex.
 *
 *   java -cp 'path/to/kafka/jars/*' tests/golden/WireGolden.java tests/golden/wire
 *
 * A line is "<version> <profile> <bytes in hex>", "-" for no bytes. The values follow from the schema by a rule that tests/unit/wire/sample.h repeats in C:
 * a counter k goes up with every simple value, in the order of the schema.
 *   sample  every field of the version is set, arrays have two elements
 *   nulls   like sample, but whatever may be null is null
 *   empty   every field has its default
 *   long    (newest version only) like sample with strings of 130 bytes, so that lengths take two bytes
 */
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.*;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

public class WireGolden {
    static final String[] APIS = {"Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics",
        "DeleteTopics", "InitProducerId", "DescribeConfigs", "CreatePartitions", "DescribeCluster", "OffsetCommit", "OffsetFetch",
        "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "WriteTxnMarkers", "TxnOffsetCommit"};
    static final ObjectMapper MAPPER = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

    final short version;
    final String profile;
    final JsonNode common;
    long k = 0;

    WireGolden(JsonNode schema, short version, String profile) {
        this.common = schema.path("commonStructs");
        this.version = version;
        this.profile = profile;
    }

    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        for (String api : APIS) {
            dump(dir, api + "Request");
            dump(dir, api + "Response");
        }
        dump(dir, "RequestHeader");
        dump(dir, "ResponseHeader");
    }

    static void dump(Path dir, String name) throws Exception {
        JsonNode schema;
        try (InputStream in = WireGolden.class.getClassLoader().getResourceAsStream("common/message/" + name + ".json")) {
            schema = MAPPER.readTree(in);
        }
        short[] range = range(schema.get("validVersions").asText());
        try (PrintWriter out = new PrintWriter(dir.resolve(name + ".hex").toFile(), StandardCharsets.UTF_8)) {
            for (short v = range[0]; v <= range[1]; v++) {
                for (String profile : new String[] {"sample", "nulls", "empty", "long"}) {
                    if (profile.equals("long") && v != range[1])
                        continue;
                    String hex = HexFormat.of().formatHex(bytes(name, schema, v, profile));
                    out.println(v + " " + profile + " " + (hex.isEmpty() ? "-" : hex));
                }
            }
        }
    }

    static byte[] bytes(String name, JsonNode schema, short version, String profile) throws Exception {
        String dataClass = "org.apache.kafka.common.message." + name + "Data";
        Message message;
        if (profile.equals("empty")) {
            message = (Message) Class.forName(dataClass).getDeclaredConstructor().newInstance();
        } else {
            JsonNode json = new WireGolden(schema, version, profile).struct(schema.get("fields"));
            message = (Message) Class.forName(dataClass + "JsonConverter").getMethod("read", JsonNode.class, short.class)
                .invoke(null, json, version);
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return buffer.array();
    }

    static short[] range(String text) {
        if (text.equals("none"))
            return new short[] {1, 0};
        if (text.endsWith("+"))
            return new short[] {Short.parseShort(text.substring(0, text.length() - 1)), Short.MAX_VALUE};
        String[] ends = text.split("-");
        return new short[] {Short.parseShort(ends[0]), Short.parseShort(ends[ends.length - 1])};
    }

    boolean has(JsonNode field, String key) {
        if (!field.has(key))
            return false;
        short[] range = range(field.get(key).asText());
        return version >= range[0] && version <= range[1];
    }

    ObjectNode struct(JsonNode fields) {
        ObjectNode node = MAPPER.createObjectNode();
        for (JsonNode field : fields) {
            String name = field.get("name").asText();
            if (has(field, "versions"))
                node.set(Character.toLowerCase(name.charAt(0)) + name.substring(1), value(field));
        }
        return node;
    }

    JsonNode value(JsonNode field) {
        if (profile.equals("nulls") && has(field, "nullableVersions"))
            return NullNode.instance;
        String type = field.get("type").asText();
        if (!type.startsWith("[]"))
            return single(type, field);
        ArrayNode array = MAPPER.createArrayNode();
        for (int i = 0; i < 2; i++)
            array.add(single(type.substring(2), field));
        return array;
    }

    JsonNode single(String type, JsonNode field) {
        if (field.has("fields"))
            return struct(field.get("fields"));
        for (JsonNode shared : common) {
            if (shared.get("name").asText().equals(type))
                return struct(shared.get("fields"));
        }
        long n = k++;
        switch (type) {
            case "bool": return BooleanNode.valueOf(n % 2 == 1);
            case "int8": return IntNode.valueOf((int) (n % 100 + 1));
            case "int16": return IntNode.valueOf((int) (1000 + n));
            case "int32": return IntNode.valueOf((int) (100000 + n));
            case "int64": return LongNode.valueOf(1000000000000L + n);
            case "string": return TextNode.valueOf(profile.equals("long") ? String.format("s%-129d", n) : "s" + n);
            case "uuid": return TextNode.valueOf(uuid(n).toString());
            case "bytes":
            case "records": return BinaryNode.valueOf(new byte[] {(byte) n, (byte) (n + 1), (byte) (n + 2), (byte) (n + 3)});
            default: throw new IllegalArgumentException(type);
        }
    }

    static Uuid uuid(long n) {
        ByteBuffer b = ByteBuffer.allocate(16);
        for (int i = 0; i < 16; i++)
            b.put(i, (byte) (n + i));
        return new Uuid(b.getLong(0), b.getLong(8));
    }
}
