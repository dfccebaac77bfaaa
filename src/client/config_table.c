/*
 * config_table.c - the rows. Defaults and ranges are those of Apache Kafka 4.3.1's ProducerConfig where the name is Java's; a row
 * whose default differs says so in `deviation`.
 */
#include "client/config_table.h"

#include "client/settings.h"

#define FIELD(f) .offset = offsetof(kp_settings, f), .size = sizeof(((kp_settings *)NULL)->f)
#define RANGE(lo, hi) .min = (lo), .max = (hi), .extra = (lo), .range = #lo " .. " #hi
/* A name and an importance of Java's, or of whoever is named in the doc. */
#define INT_ROW(n, dflt, imp) .name = n, .type = "int", .default_value = dflt, .importance = imp, .kind = KP_VALUE_INT
#define BOOL_ROW(n, dflt, imp) \
	.name = n, .type = "boolean", .default_value = dflt, .importance = imp, .kind = KP_VALUE_BOOL, .range = "true, false"
#define ENUM_ROW(n, dflt, imp) .name = n, .type = "enum", .default_value = dflt, .importance = imp, .kind = KP_VALUE_ENUM
#define MS_ROW(n, dflt, imp) .name = n, .type = "duration", .default_value = dflt, .importance = imp, .kind = KP_VALUE_DURATION_MS
#define US_ROW(n, dflt, imp) .name = n, .type = "duration", .default_value = dflt, .importance = imp, .kind = KP_VALUE_DURATION_US
#define NO_ALIASES .aliases_text = ""
#define ALIAS_1(n1, f1) .aliases_text = n1, .aliases = {{n1, f1}}
#define ALIAS_2(n1, f1, n2, f2) .aliases_text = n1 ", " n2, .aliases = {{n1, f1}, {n2, f2}}
#define ALIAS_3(n1, f1, n2, f2, n3, f3) .aliases_text = n1 ", " n2 ", " n3, .aliases = {{n1, f1}, {n2, f2}, {n3, f3}}

/* a property is a block of a few lines */
/* clang-format off */
const kp_property_row kp_property_rows[KP_PROP_COUNT] = {
	[KP_PROP_BOOTSTRAP_SERVERS] = {
		.name = "bootstrap.servers", .type = "list", .default_value = "", .importance = "high", .kind = KP_VALUE_SERVERS,
		.range = "host[:port], ...",
		ALIAS_1("metadata.broker.list", KP_ALIAS_SAME),
		.doc = "Where to find the cluster first: host:port pairs separated by commas. Any broker will do, since each names all the "
		       "others; give two or three so that one may be down. Required. The port is 9092 when left out, an IPv6 address "
		       "stands in brackets ([::1]:9092), and a PLAINTEXT:// in front is accepted.",
	},
	[KP_PROP_ACKS] = {
		ENUM_ROW("acks", "all", "high"), FIELD(engine.acks), .range = "all, 1, 0",
		.values = {{"all", "-1 WaitForAll", -1}, {"1", "WaitForLocal", 1}, {"0", "NoResponse", 0}},
		ALIAS_2("request.required.acks", KP_ALIAS_SAME, "Producer.RequiredAcks", KP_ALIAS_SAME),
		.doc = "What a broker must have done before it acknowledges a batch. all: every in-sync replica has it, so that it survives "
		       "the loss of the leader. 1: the leader has it; a leader that dies before it was copied takes it along. 0: nothing is "
		       "acknowledged, every record ends with an unknown outcome. Anything but all turns idempotence off.",
	},
	[KP_PROP_ENABLE_IDEMPOTENCE] = {
		BOOL_ROW("enable.idempotence", "true", "high"), FIELD(engine.idempotent),
		ALIAS_1("Producer.Idempotent", KP_ALIAS_SAME),
		.doc = "Let brokers recognise a batch that is sent again, so that retries neither double records nor change their order "
		       "within a partition. Needs acks=all, retries above 0 and at most 5 requests in flight. When it is on only by default, "
		       "acks or retries that contradict it turn it off (and a log line says so); when it was asked for, they are an error. "
		       "More than 5 requests in flight are an error in both cases.",
	},
	[KP_PROP_BUFFER_MEMORY] = {
		INT_ROW("buffer.memory", "33554432", "high"), FIELD(engine.buffer_memory), RANGE(0, 9223372036854775807),
		ALIAS_1("queue.buffering.max.kbytes", KP_ALIAS_KIB),
		.doc = "Bytes that batches of records not yet ended may take together. When they are used up queue.full.policy decides. It "
		       "bounds what an outage costs in memory, and how long one can be ridden out. Less than 4096 is refused when the "
		       "producer is created: not even two of the smallest batches would fit.",
	},
	[KP_PROP_COMPRESSION_TYPE] = {
		ENUM_ROW("compression.type", "none", "high"), FIELD(engine.codec), .range = "none, gzip, snappy, lz4, zstd",
		.values = {{"none", "CompressionNone", KP_CODEC_NONE}, {"gzip", "CompressionGZIP", KP_CODEC_GZIP},
		           {"snappy", "CompressionSnappy", KP_CODEC_SNAPPY}, {"lz4", "CompressionLZ4", KP_CODEC_LZ4},
		           {"zstd", "CompressionZSTD", KP_CODEC_ZSTD}},
		.refused_values = "inherit", .refused_reason = "there is no configuration per topic to inherit from or by",
		ALIAS_2("compression.codec", KP_ALIAS_SAME, "Producer.Compression", KP_ALIAS_SAME),
		.doc = "How batches are compressed before they are sent. The fuller a batch, the better it compresses. lz4 and zstd cost the "
		       "least for what they save; gzip is for consumers that know nothing else.",
	},
	[KP_PROP_RETRIES] = {
		INT_ROW("retries", "2147483647", "high"), FIELD(engine.retries), RANGE(0, 2147483647),
		ALIAS_2("message.send.max.retries", KP_ALIAS_SAME, "Producer.Retry.Max", KP_ALIAS_SAME),
		.doc = "How often a batch is sent again after a retriable error. Better left alone: delivery.timeout.ms bounds the time, "
		       "which is what an application knows. 0 turns idempotence off.",
	},
	[KP_PROP_BATCH_SIZE] = {
		INT_ROW("batch.size", "1000000", "high"), FIELD(engine.batch_size), RANGE(0, 2147483647), NO_ALIASES,
		.doc = "Bytes of records in a batch, per partition, before compression; a batch that is full leaves without waiting for "
		       "linger.ms. A larger record travels in a batch of its own. 0 becomes 1, which sends every record alone. "
		       "When it is left at its default and buffer.memory is less, it is lowered to that.",
		.other_default = "16384 (Java)",
		.deviation = "A batch here starts at 2 KiB and grows as it fills, so that a large limit costs nothing while traffic is low; "
		             "under load 16 KiB means sixty times the requests. librdkafka has 1000000 for the same reason.",
	},
	[KP_PROP_LINGER_MS] = {
		US_ROW("linger.ms", "5", "high"), FIELD(engine.linger_us), RANGE(0, 9223372036854775807), .takes_fraction = true,
		ALIAS_2("queue.buffering.max.ms", KP_ALIAS_SAME, "Producer.Flush.Frequency", KP_ALIAS_GO_DURATION),
		.doc = "Milliseconds that a batch waits for more records after its first one; it leaves earlier when it is full. Up to three "
		       "decimals are taken: 0.5 is half a millisecond. 0 sends at once what is there, and still gathers what arrives while "
		       "requests are in flight.",
	},
	[KP_PROP_DELIVERY_TIMEOUT_MS] = {
		US_ROW("delivery.timeout.ms", "120000", "high"), FIELD(engine.delivery_timeout_us), RANGE(0, 2147483647),
		ALIAS_1("message.timeout.ms", KP_ALIAS_ZERO_ENDLESS),
		.doc = "Milliseconds after which a record ends, whatever was tried: the bound on how late a report can be. It must be at "
		       "least linger.ms + request.timeout.ms: less is an error when it was set, and raised to that sum when it was not. "
		       "librdkafka's message.timeout.ms=0 (no limit) is taken as 2147483647.",
	},
	[KP_PROP_REQUEST_TIMEOUT_MS] = {
		US_ROW("request.timeout.ms", "30000", "medium"), FIELD(engine.request_timeout_us), RANGE(0, 2147483647),
		ALIAS_2("socket.timeout.ms", KP_ALIAS_SAME, "Net.ReadTimeout", KP_ALIAS_GO_DURATION),
		.doc = "Milliseconds to wait for the answer to a request; then the connection is closed and the request's batches are tried "
		       "again. Brokers get the same number as their own limit for acks=all. False friend: librdkafka's request.timeout.ms is "
		       "only the number given to brokers, and what this property does is called socket.timeout.ms there.",
	},
	[KP_PROP_MAX_BLOCK_MS] = {
		MS_ROW("max.block.ms", "60000", "medium"), FIELD(max_block_ms), RANGE(0, 9223372036854775807), NO_ALIASES,
		.doc = "Milliseconds that kp_send waits for room in buffer.memory when queue.full.policy is block, before it returns "
		       "KP_ERR_QUEUE_FULL. 0 never waits.",
	},
	[KP_PROP_MAX_REQUEST_SIZE] = {
		INT_ROW("max.request.size", "1048576", "medium"), FIELD(engine.max_request_size), RANGE(0, 2147483647),
		ALIAS_1("message.max.bytes", KP_ALIAS_SAME),
		.doc = "Bytes of a Produce request, and of one record as encoded, before compression: a larger record is refused by kp_send "
		       "with KP_ERR_RECORD_TOO_LARGE. Raise it together with the brokers' message.max.bytes (or the topic's "
		       "max.message.bytes), which count the batch after compression. 0 is refused when the producer is created.",
	},
	[KP_PROP_MAX_IN_FLIGHT] = {
		INT_ROW("max.in.flight.requests.per.connection", "5", "medium"), FIELD(engine.max_in_flight), RANGE(1, 2147483647),
		ALIAS_2("max.in.flight", KP_ALIAS_SAME, "Net.MaxOpenRequests", KP_ALIAS_SAME),
		.doc = "Requests on a connection that wait for their answer at the same time. At most 5 with idempotence, which keeps the "
		       "order of records. Without idempotence a retry may overtake, unless this is 1.",
	},
	[KP_PROP_DELIVERY_REPORTS] = {
		ENUM_ROW("delivery.reports", "all", "medium"), FIELD(engine.reports), .range = "all, errors, none",
		.values = {{"all", "", KP_REPORTS_ALL}, {"errors", "", KP_REPORTS_ERRORS}, {"none", "", KP_REPORTS_NONE}},
		ALIAS_3("delivery.report.only.error", KP_ALIAS_ONLY_ERRORS, "Producer.Return.Successes", KP_ALIAS_RETURN_SUCCESSES,
		        "Producer.Return.Errors", KP_ALIAS_RETURN_ERRORS),
		.doc = "Which records are reported, to the callback or the report queue: all, only those that were not persisted (or whose "
		       "outcome is unknown), or none. With errors or none less is kept per record. The counters count in any case. "
		       "delivery.report.only.error=true is errors; sarama's Producer.Return.Successes and .Errors map to the three.",
	},
	[KP_PROP_IDEMPOTENCE_ON_GAP] = {
		ENUM_ROW("idempotence.on.gap", "continue", "medium"), FIELD(engine.on_gap), .range = "continue, halt_partition",
		.values = {{"continue", "", KP_GAP_CONTINUE}, {"halt_partition", "", KP_GAP_HALT}}, NO_ALIASES,
		.doc = "What a partition does after one of its records was lost for good: it failed, or its outcome is unknown, other than by "
		       "kp_purge, kp_close or drop_oldest; or the broker found a gap in the sequence. continue: the records behind it go on. "
		       "halt_partition: they end with KP_ERR_PARTITION_HALTED and so does every further one for this partition (one "
		       "without key goes elsewhere), until the application calls kp_topic_resume; those in flight end as the broker "
		       "answers. For data in which a record means nothing without the ones before it. Needs enable.idempotence.",
	},
	[KP_PROP_QUEUE_FULL_POLICY] = {
		ENUM_ROW("queue.full.policy", "block", "medium"), FIELD(engine.full_policy), .range = "block, refuse, drop_oldest",
		.values = {{"block", "", KP_FULL_BLOCK}, {"refuse", "", KP_FULL_REFUSE}, {"drop_oldest", "", KP_FULL_DROP_OLDEST}},
		NO_ALIASES,
		.doc = "What kp_send does when buffer.memory or queue.buffering.max.messages is used up. block: wait, for max.block.ms at "
		       "most. refuse: return KP_ERR_QUEUE_FULL at once. drop_oldest: end the oldest batch that was never sent with "
		       "KP_ERR_QUEUE_EVICTED and take the new record, for data whose newest value counts most.",
	},
	[KP_PROP_BUFFER_HIGH_WATERMARK_PERCENT] = {
		INT_ROW("buffer.high.watermark.percent", "80", "low"), FIELD(high_watermark_percent), RANGE(0, 100), NO_ALIASES,
		.doc = "Percent of buffer.memory in use from which the buffer counts as high: the callback of kp_config_set_watermark_cb "
		       "is told, and a log line at info says so. A record that finds no room makes it high as well, unless less than the low "
		       "mark is in use. It takes no part in what kp_send does. 0: nothing is told.",
	},
	[KP_PROP_BUFFER_LOW_WATERMARK_PERCENT] = {
		INT_ROW("buffer.low.watermark.percent", "50", "low"), FIELD(low_watermark_percent), RANGE(0, 99), NO_ALIASES,
		.doc = "Percent of buffer.memory in use down to which a buffer that was high stays so; then the callback is told that it is "
		       "low. Must be below buffer.high.watermark.percent; when it is left at its default and is not, it becomes half of that.",
	},
	[KP_PROP_CLIENT_ID] = {
		.name = "client.id", .type = "string", .default_value = "", .importance = "medium", .kind = KP_VALUE_STRING,
		FIELD(engine.client_id), .range = "up to 255 bytes, no control characters",
		ALIAS_1("ClientID", KP_ALIAS_SAME),
		.doc = "The name given to brokers with every request: it stands in their logs and metrics, quotas go by it, and it leads every "
		       "log line here. When it is empty the producer is called producer-N, counted through the process.",
	},
	[KP_PROP_COMPRESSION_LEVEL] = {
		INT_ROW("compression.level", "-1", "medium"), FIELD(level.any), RANGE(-1, 22),
		ALIAS_1("Producer.CompressionLevel", KP_ALIAS_SAME),
		.doc = "One level for whichever codec compression.type names, as librdkafka and sarama have it; -1 leaves it to "
		       "compression.gzip.level, compression.lz4.level or compression.zstd.level, and one of these that was set wins. It must "
		       "be in that codec's own range; none and snappy have no levels and ignore it.",
	},
	[KP_PROP_COMPRESSION_GZIP_LEVEL] = {
		INT_ROW("compression.gzip.level", "-1", "medium"), FIELD(level.gzip), .min = 1, .max = 9, .extra = -1,
		.range = "-1, 1 .. 9", NO_ALIASES,
		.doc = "Level when compression.type is gzip: 1 is the fastest, 9 the densest, -1 is 6.",
	},
	[KP_PROP_COMPRESSION_LZ4_LEVEL] = {
		INT_ROW("compression.lz4.level", "9", "medium"), FIELD(level.lz4), RANGE(1, 17), NO_ALIASES,
		.doc = "Level when compression.type is lz4, on Java's scale: 9, the default, is the fast compressor and not the ninth of the "
		       "dense ones; 3 to 8 and 10 to 12 are LZ4HC's levels, 13 to 17 are the same as 12.",
	},
	[KP_PROP_COMPRESSION_ZSTD_LEVEL] = {
		INT_ROW("compression.zstd.level", "3", "medium"), FIELD(level.zstd), RANGE(-131072, 22), NO_ALIASES,
		.doc = "Level when compression.type is zstd: negative ones are faster and less dense, above 19 memory grows steeply.",
	},
	[KP_PROP_PARTITIONER] = {
		ENUM_ROW("partitioner", "murmur2", "medium"), .range = "murmur2",
		.values = {{"murmur2", "", 0}},
		.refused_values = "default murmur2_random consistent consistent_random random fnv1a fnv1a_random crc32 murmur3 "
		                  "roundrobin round_robin partitioners.roundrobin sticky uniform_sticky least_active source_hash manual",
		.refused_reason = "murmur2 is the one partitioner of this version (a keyless record goes to a sticky, load-aware choice)",
		NO_ALIASES,
		.doc = "How a record without an explicit partition gets one. murmur2 is Java's built-in way: a key goes to "
		       "murmur2(key) over all partitions, keyless records stay on one partition for batch.size bytes and then move on. "
		       "False friend: librdkafka's murmur2 sends all keyless records to one partition; what is meant here is its "
		       "murmur2_random.",
	},
	[KP_PROP_PARTITIONER_IGNORE_KEYS] = {
		BOOL_ROW("partitioner.ignore.keys", "false", "medium"), FIELD(engine.ignore_keys), NO_ALIASES,
		.doc = "Choose partitions as if no record had a key: an even spread where the order per key does not matter.",
	},
	[KP_PROP_SECURITY_PROTOCOL] = {
		ENUM_ROW("security.protocol", "PLAINTEXT", "medium"), .range = "PLAINTEXT",
		.values = {{"PLAINTEXT", "", 0}},
		.refused_values = "SSL SASL_PLAINTEXT SASL_SSL", .refused_reason = "connections are PLAINTEXT only in this version",
		NO_ALIASES,
		.doc = "How connections are secured. Only PLAINTEXT in this version: no encryption, no authentication.",
	},
	[KP_PROP_CLIENT_DNS_LOOKUP] = {
		ENUM_ROW("client.dns.lookup", "use_all_dns_ips", "medium"), .range = "use_all_dns_ips",
		.values = {{"use_all_dns_ips", "", 0}},
		.refused_values = "resolve_canonical_bootstrap_servers_only",
		.refused_reason = "canonical names matter to Kerberos alone, which this version does not have",
		NO_ALIASES,
		.doc = "What is done with a host name that has several addresses: all are tried, one after the other.",
	},
	[KP_PROP_CONNECTIONS_MAX_IDLE_MS] = {
		US_ROW("connections.max.idle.ms", "540000", "medium"), FIELD(engine.connections_max_idle_us),
		RANGE(-1, 9223372036854775807), NO_ALIASES,
		.doc = "Milliseconds without traffic after which a connection is closed; -1 keeps it. The default is just under the brokers' "
		       "own 10 minutes, so that the client closes first. False friend: with librdkafka 0 means never; here, as in Java, it "
		       "closes at the first chance.",
	},
	[KP_PROP_CONNECTION_SETUP_TIMEOUT_MS] = {
		MS_ROW("socket.connection.setup.timeout.ms", "10000", "medium"), FIELD(net.socket_connection_setup_timeout_ms),
		RANGE(1, 9223372036854775807),
		ALIAS_1("Net.DialTimeout", KP_ALIAS_GO_DURATION),
		.doc = "Milliseconds that resolving a broker's name and connecting to its addresses may take together. It does not grow "
		       "from attempt to attempt as Java's does.",
	},
	[KP_PROP_SEND_BUFFER_BYTES] = {
		INT_ROW("send.buffer.bytes", "524288", "medium"), FIELD(net.send_buffer_bytes), RANGE(-1, 2147483647),
		ALIAS_1("socket.send.buffer.bytes", KP_ALIAS_SAME),
		.doc = "The socket's send buffer (SO_SNDBUF) in bytes; -1 or 0 leaves it to the system, which may also allow less "
		       "(net.core.wmem_max). Over a long, fast line it wants to be bandwidth times round trip, or the system's choice, "
		       "which grows by itself. On a short one a smaller buffer, as Java's 131072, has client and server wait for each "
		       "other, and a larger one leaves the processor's cache.",
	},
	[KP_PROP_RECEIVE_BUFFER_BYTES] = {
		INT_ROW("receive.buffer.bytes", "-1", "medium"), FIELD(net.receive_buffer_bytes), RANGE(-1, 2147483647),
		ALIAS_1("socket.receive.buffer.bytes", KP_ALIAS_SAME),
		.doc = "The socket's receive buffer (SO_RCVBUF) in bytes; -1 or 0 leaves it to the system. With Java's default, 32768, "
		       "the answers to requests with thousands of partitions close the TCP window again and again.",
	},
	[KP_PROP_ALLOW_AUTO_CREATE_TOPICS] = {
		BOOL_ROW("allow.auto.create.topics", "true", "low"), FIELD(engine.allow_auto_create),
		ALIAS_1("Metadata.AllowAutoTopicCreation", KP_ALIAS_SAME),
		.doc = "Let brokers create a topic that is sent to and does not exist, provided that they have auto.create.topics.enable. "
		       "librdkafka's name; its producer has the same default, and Java's always asks for it.",
	},
	[KP_PROP_LOG_LEVEL] = {
		INT_ROW("log_level", "4", "low"), FIELD(log_level), RANGE(0, 7), NO_ALIASES,
		.doc = "What is logged, by syslog's numbers: 3 errors, 4 warnings too, 6 what happens, 7 everything.",
		.other_default = "6 (librdkafka)",
		.deviation = "A library should be quiet on its host's stderr while all is well.",
	},
	[KP_PROP_METADATA_MAX_AGE_MS] = {
		US_ROW("metadata.max.age.ms", "300000", "low"), FIELD(engine.metadata_max_age_us), RANGE(0, 9223372036854775807),
		ALIAS_2("topic.metadata.refresh.interval.ms", KP_ALIAS_MINUS_ONE_ENDLESS, "Metadata.RefreshFrequency",
		        KP_ALIAS_GO_DURATION_ZERO_ENDLESS),
		.doc = "Milliseconds after which the list of brokers and partitions is fetched again although nothing went wrong: how long "
		       "new partitions go unnoticed. False friend: librdkafka's metadata.max.age.ms is when its cache goes stale, and its "
		       "refresh interval is topic.metadata.refresh.interval.ms.",
	},
	[KP_PROP_METADATA_MAX_IDLE_MS] = {
		US_ROW("metadata.max.idle.ms", "300000", "low"), FIELD(engine.metadata_max_idle_us), RANGE(5000, 9223372036854775807),
		NO_ALIASES,
		.doc = "Milliseconds after the last record to a topic until its metadata is forgotten; the next record fetches it again.",
	},
	[KP_PROP_METADATA_RECOVERY_STRATEGY] = {
		ENUM_ROW("metadata.recovery.strategy", "rebootstrap", "low"), FIELD(engine.rebootstrap), .range = "rebootstrap, none",
		.values = {{"rebootstrap", "", true}, {"none", "", false}}, NO_ALIASES,
		.doc = "What to do when none of the known brokers can be reached: start over from bootstrap.servers, or keep trying the "
		       "known ones (KIP-899).",
	},
	[KP_PROP_METADATA_REBOOTSTRAP_TRIGGER_MS] = {
		US_ROW("metadata.recovery.rebootstrap.trigger.ms", "300000", "low"), FIELD(engine.rebootstrap_trigger_us),
		RANGE(0, 9223372036854775807), NO_ALIASES,
		.doc = "Milliseconds without a metadata answer after which the client starts over from bootstrap.servers (KIP-1102).",
	},
	[KP_PROP_PARTITIONER_ADAPTIVE] = {
		BOOL_ROW("partitioner.adaptive.partitioning.enable", "true", "low"), FIELD(engine.adaptive), NO_ALIASES,
		.doc = "Give keyless records more often to partitions whose queue is short, that is to brokers that answer fast (KIP-794).",
	},
	[KP_PROP_PARTITIONER_AVAILABILITY_TIMEOUT_MS] = {
		US_ROW("partitioner.availability.timeout.ms", "0", "low"), FIELD(engine.availability_timeout_us),
		RANGE(0, 9223372036854775807), NO_ALIASES,
		.doc = "Keyless records avoid partitions whose broker could not be sent to for this many milliseconds; 0 turns it off.",
	},
	[KP_PROP_QUEUE_MAX_MESSAGES] = {
		INT_ROW("queue.buffering.max.messages", "0", "low"), FIELD(engine.max_queued_records), RANGE(0, 2147483647), NO_ALIASES,
		.doc = "Records accepted and not yet ended, at most; 0 is no bound beside buffer.memory. Reaching it is treated as a full "
		       "buffer.memory.",
		.other_default = "100000 (librdkafka)",
		.deviation = "buffer.memory bounds what matters, memory; a bound in records either never acts or acts by surprise when "
		             "records are small. Java has none.",
	},
	[KP_PROP_RECONNECT_BACKOFF_MS] = {
		US_ROW("reconnect.backoff.ms", "50", "low"), FIELD(engine.reconnect_backoff_us), RANGE(0, 9223372036854775807), NO_ALIASES,
		.doc = "Milliseconds before a broker is connected to again after a failure; doubles with each failure up to "
		       "reconnect.backoff.max.ms, give or take 20 %. When this is set and the maximum is not, the pause stays the same, "
		       "as in Java.",
	},
	[KP_PROP_RECONNECT_BACKOFF_MAX_MS] = {
		US_ROW("reconnect.backoff.max.ms", "1000", "low"), FIELD(engine.reconnect_backoff_max_us), RANGE(0, 9223372036854775807),
		NO_ALIASES,
		.doc = "The longest pause between attempts to connect to a broker, in milliseconds.",
	},
	[KP_PROP_RETRY_BACKOFF_MS] = {
		US_ROW("retry.backoff.ms", "100", "low"), FIELD(engine.retry_backoff_us), RANGE(0, 9223372036854775807),
		ALIAS_1("Producer.Retry.Backoff", KP_ALIAS_GO_DURATION),
		.doc = "Milliseconds before a failed batch is sent again; doubles with each attempt up to retry.backoff.max.ms, give or take "
		       "20 %.",
	},
	[KP_PROP_RETRY_BACKOFF_MAX_MS] = {
		US_ROW("retry.backoff.max.ms", "1000", "low"), FIELD(engine.retry_backoff_max_us), RANGE(0, 9223372036854775807), NO_ALIASES,
		.doc = "The longest pause before a batch is sent again, in milliseconds. When retry.backoff.ms is more, this is the pause "
		       "every time.",
	},
	[KP_PROP_TRANSACTIONAL_ID] = {
		.name = "transactional.id", .type = "string", .default_value = "", .importance = "low", .kind = KP_VALUE_STRING,
		FIELD(engine.transactional_id), .range = "up to 255 bytes, no control characters",
		ALIAS_1("Producer.Transaction.ID", KP_ALIAS_SAME),
		.doc = "Makes the producer transactional, under this name: records are sent between a begin and a commit, and become visible "
		       "together or not at all. Give the same name again after a restart: what the one before left open is then aborted, and it "
		       "is fenced if it still runs. Two instances at work need two names. Needs enable.idempotence, acks=all, and neither "
		       "idempotence.on.gap=halt_partition nor queue.full.policy=drop_oldest. Empty: no transactions.",
	},
	[KP_PROP_TRANSACTION_TIMEOUT_MS] = {
		INT_ROW("transaction.timeout.ms", "60000", "low"), FIELD(engine.transaction_timeout_ms), RANGE(1, 2147483647),
		ALIAS_1("Producer.Transaction.Timeout", KP_ALIAS_GO_DURATION),
		.doc = "Milliseconds that a transaction may be open, from its first record on: then its coordinator aborts it, so that consumers "
		       "that read committed records do not wait behind it for ever. At most the brokers' transaction.max.timeout.ms, else "
		       "kp_init_transactions fails.",
	},
};
/* clang-format on */
