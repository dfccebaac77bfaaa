/*
 * topic_config.c - see topic_config.h. Names, defaults, types and bounds are LogConfig's and TopicConfig's of Apache Kafka 4.3.1.
 */
#include "devbroker/topic_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "kproducer/error.h"

#define LONG_MAX_TEXT "9223372036854775807"
#define BOOLEAN(name, def, broker)                                  \
	{                                                           \
		name, def, broker, KP_DB_CONFIG_BOOLEAN, 0, 0, NULL \
	}
#define INT(name, def, broker, min)                                       \
	{                                                                 \
		name, def, broker, KP_DB_CONFIG_INT, min, INT32_MAX, NULL \
	}
#define LONG(name, def, broker, min)                                       \
	{                                                                  \
		name, def, broker, KP_DB_CONFIG_LONG, min, INT64_MAX, NULL \
	}
#define TEXT(name, def, broker, choices)                              \
	{                                                             \
		name, def, broker, KP_DB_CONFIG_STRING, 0, 0, choices \
	}
#define LIST(name, def, broker, choices)                            \
	{                                                           \
		name, def, broker, KP_DB_CONFIG_LIST, 0, 0, choices \
	}

enum { MAX_MESSAGE_BYTES, TIMESTAMP_TYPE, TIMESTAMP_BEFORE, TIMESTAMP_AFTER, CLEANUP_POLICY, MIN_INSYNC, REMOTE_STORAGE };

/* clang-format off */
const kp_db_config_info kp_db_config_infos[] = {
	[MAX_MESSAGE_BYTES] = INT("max.message.bytes", "", "message.max.bytes", 0),
	[TIMESTAMP_TYPE] = TEXT("message.timestamp.type", "CreateTime", "log.message.timestamp.type", "CreateTime, LogAppendTime"),
	[TIMESTAMP_BEFORE] = LONG("message.timestamp.before.max.ms", LONG_MAX_TEXT, "log.message.timestamp.before.max.ms", 0),
	[TIMESTAMP_AFTER] = LONG("message.timestamp.after.max.ms", "3600000", "log.message.timestamp.after.max.ms", 0),
	[CLEANUP_POLICY] = LIST("cleanup.policy", "delete", "log.cleanup.policy", "compact, delete"),
	[MIN_INSYNC] = INT("min.insync.replicas", "1", "min.insync.replicas", 1),
	[REMOTE_STORAGE] = BOOLEAN("remote.storage.enable", "false", NULL),
	TEXT("compression.type", "producer", "compression.type", "uncompressed, zstd, lz4, snappy, gzip, producer"),
	INT("compression.gzip.level", "-1", "compression.gzip.level", -1),
	INT("compression.lz4.level", "9", "compression.lz4.level", 1),
	INT("compression.zstd.level", "3", "compression.zstd.level", -131072),
	LONG("delete.retention.ms", "86400000", "log.cleaner.delete.retention.ms", 0),
	LONG("file.delete.delay.ms", "60000", "log.segment.delete.delay.ms", 0),
	LONG("flush.messages", LONG_MAX_TEXT, "log.flush.interval.messages", 1),
	LONG("flush.ms", LONG_MAX_TEXT, NULL, 0),
	LIST("follower.replication.throttled.replicas", "", NULL, NULL),
	INT("index.interval.bytes", "4096", "log.index.interval.bytes", 0),
	LIST("leader.replication.throttled.replicas", "", NULL, NULL),
	LONG("local.retention.bytes", "-2", "log.local.retention.bytes", -2),
	LONG("local.retention.ms", "-2", "log.local.retention.ms", -2),
	LONG("max.compaction.lag.ms", LONG_MAX_TEXT, "log.cleaner.max.compaction.lag.ms", 1),
	{"min.cleanable.dirty.ratio", "0.5", "log.cleaner.min.cleanable.ratio", KP_DB_CONFIG_DOUBLE, 0, 1, NULL},
	LONG("min.compaction.lag.ms", "0", "log.cleaner.min.compaction.lag.ms", 0),
	BOOLEAN("preallocate", "false", "log.preallocate"),
	BOOLEAN("remote.log.copy.disable", "false", NULL),
	BOOLEAN("remote.log.delete.on.disable", "false", NULL),
	LONG("retention.bytes", "-1", "log.retention.bytes", INT64_MIN),
	LONG("retention.ms", "604800000", NULL, -1),
	INT("segment.bytes", "1073741824", "log.segment.bytes", 1048576),
	INT("segment.index.bytes", "10485760", "log.index.size.max.bytes", 4),
	LONG("segment.jitter.ms", "0", NULL, 0),
	LONG("segment.ms", "604800000", NULL, 1),
	BOOLEAN("unclean.leader.election.enable", "false", "unclean.leader.election.enable"),
};
/* clang-format on */
_Static_assert(KP_ARRAY_LEN(kp_db_config_infos) == KP_DB_N_CONFIGS, "the values of a topic follow the table");

void kp_db_topic_config_init(kp_db_topic_config *c, int32_t max_message_bytes)
{
	*c = (kp_db_topic_config){
		.max_message_bytes = max_message_bytes,
		.timestamp_before_max_ms = INT64_MAX,
		.timestamp_after_max_ms = 3600000,
		.min_insync_replicas = 1,
	};
}

void kp_db_topic_config_deinit(kp_db_topic_config *c)
{
	for (int i = 0; i < KP_DB_N_CONFIGS; i++)
		kp_mem_free(c->values[i]);
	*c = (kp_db_topic_config){0};
}

size_t kp_db_topic_config_text(const kp_db_topic_config *c)
{
	size_t n = 0;
	for (int i = 0; i < KP_DB_N_CONFIGS; i++)
		n += c->values[i] ? strlen(c->values[i]) + 1 : 0;
	return n;
}

int kp_db_topic_config_index(kp_slice name)
{
	for (int i = 0; i < KP_DB_N_CONFIGS; i++)
		if (kp_slice_equal(kp_slice_cstr(kp_db_config_infos[i].name), name))
			return i;
	return -1;
}

const char *kp_db_topic_config_value(const kp_db_topic_config *c, int i, int32_t broker_max_message_bytes, char scratch[24])
{
	if (c->values[i])
		return c->values[i];
	if (i != MAX_MESSAGE_BYTES)
		return kp_db_config_infos[i].default_value;
	snprintf(scratch, 24, "%d", (int)broker_max_message_bytes);
	return scratch;
}

kp_db_config_source kp_db_topic_config_source(const kp_db_topic_config *c, int i)
{
	if (c->values[i])
		return KP_DB_SOURCE_TOPIC;
	return i == MIN_INSYNC ? KP_DB_SOURCE_CLUSTER : KP_DB_SOURCE_DEFAULT; /* a new cluster sets that one (KIP-966) */
}

/* Is `word` one of the comma-separated choices? */
static bool is_choice(const char *choices, const char *word, size_t len)
{
	for (const char *p = choices; *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n;
		p += strspn(p, ", ");
	}
	return false;
}

static bool all_choices(const char *choices, const char *list)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (!is_choice(choices, p, n))
			return false;
		p += n;
		p += strspn(p, ", ");
	}
	return true;
}

/* What was read ends at `end`: is there nothing behind it but blanks (ConfigDef trims)? */
static bool is_read(const char *value, const char *end)
{
	return end != value && end[strspn(end, " ")] == 0;
}

static bool is_number(const kp_db_config_info *info, const char *value, kp_buf *why)
{
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	bool is_int = info->type == KP_DB_CONFIG_INT;
	if (!is_read(value, end) || errno || (is_int && (n > INT32_MAX || n < INT32_MIN))) {
		kp_buf_printf(why, "Invalid value %s for configuration %s: Not a number of type %s", value, info->name,
		              is_int ? "INT" : "LONG");
		return false;
	}
	if (n < info->min) {
		kp_buf_printf(why, "Invalid value %s for configuration %s: Value must be at least %lld", value, info->name,
		              (long long)info->min);
		return false;
	}
	return true;
}

static bool is_ratio(const kp_db_config_info *info, const char *value, kp_buf *why)
{
	char *end;
	double ratio = strtod(value, &end);
	const char *fault = ratio < (double)info->min   ? "Value must be at least 0"
	                    : ratio > (double)info->max ? "Value must be no more than 1"
	                                                : NULL;
	if (!is_read(value, end))
		fault = "Not a number of type DOUBLE";
	if (fault)
		kp_buf_printf(why, "Invalid value %s for configuration %s: %s", value, info->name, fault);
	return !fault;
}

static const char *behind_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* ThrottledReplicaListValidator: empty, "*", or "partition:node" in a list. */
static bool is_replica_list(const kp_db_config_info *info, const char *value, kp_buf *why)
{
	const char *p = value;
	bool is_fine = !*value || !strcmp(value, "*");
	while (!is_fine) {
		const char *colon = behind_digits(p), *end = *colon == ':' ? behind_digits(colon + 1) : colon;
		if (colon == p || end <= colon + 1 || (*end && *end != ','))
			break;
		is_fine = !*end;
		p = end + 1;
	}
	if (!is_fine)
		kp_buf_printf(
			why,
			"Invalid value [%s] for configuration %s: %s must be the literal '*' or a list of replicas in the following "
			"format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
			value, info->name, info->name);
	return is_fine;
}

/* Is the value of the right kind? Says why not, in Kafka's words. */
static bool is_valid(const kp_db_config_info *info, const char *value, kp_buf *why)
{
	switch (info->type) {
	case KP_DB_CONFIG_INT:
	case KP_DB_CONFIG_LONG: return is_number(info, value, why);
	case KP_DB_CONFIG_DOUBLE: return is_ratio(info, value, why);
	case KP_DB_CONFIG_BOOLEAN:
		if (!strcasecmp(value, "true") || !strcasecmp(value, "false"))
			return true;
		kp_buf_printf(why, "Invalid value %s for configuration %s: Expected value to be either true or false", value,
		              info->name);
		return false;
	case KP_DB_CONFIG_STRING:
	case KP_DB_CONFIG_LIST:
		if (!info->choices)
			return is_replica_list(info, value, why);
		if (all_choices(info->choices, value) && (*value || info->type == KP_DB_CONFIG_LIST))
			return true;
		kp_buf_printf(why, "Invalid value %s for configuration %s: String must be one of: %s", value, info->name,
		              info->choices);
		return false;
	}
	return false;
}

static void apply(kp_db_topic_config *c, int i)
{
	const char *value = c->values[i];
	if (i == MAX_MESSAGE_BYTES)
		c->max_message_bytes = (int32_t)strtol(value, NULL, 10);
	else if (i == TIMESTAMP_TYPE)
		c->is_log_append_time = !strcmp(value, "LogAppendTime");
	else if (i == TIMESTAMP_BEFORE)
		c->timestamp_before_max_ms = strtoll(value, NULL, 10);
	else if (i == TIMESTAMP_AFTER)
		c->timestamp_after_max_ms = strtoll(value, NULL, 10);
	else if (i == CLEANUP_POLICY)
		c->is_compacted = strstr(value, "compact") != NULL;
	else if (i == MIN_INSYNC)
		c->min_insync_replicas = (int32_t)strtol(value, NULL, 10);
}

int kp_db_topic_config_set(kp_db_topic_config *c, kp_slice name, kp_slice value, kp_buf *why)
{
	int i = kp_db_topic_config_index(name);
	if (!value.ptr) {
		kp_buf_printf(why, "Null value not supported for topic configs: %.*s", (int)name.len, (const char *)name.ptr);
		return KP_ERR_INVALID_CONFIG;
	}
	if (i < 0) {
		kp_buf_printf(why, "Unknown topic config name: %.*s", (int)name.len, (const char *)name.ptr);
		return KP_ERR_INVALID_CONFIG;
	}
	if (memchr(value.ptr, 0, value.len)) {
		kp_buf_printf(why, "Invalid value for configuration %s: it contains a NUL", kp_db_config_infos[i].name);
		return KP_ERR_INVALID_CONFIG;
	}
	char *text = kp_mem_strndup((const char *)value.ptr, value.len);
	if (!text)
		return KP_ERR_NO_MEMORY;
	if (!is_valid(&kp_db_config_infos[i], text, why)) {
		kp_mem_free(text);
		return KP_ERR_INVALID_CONFIG;
	}
	if (i == REMOTE_STORAGE && !strcasecmp(text, "true")) {
		kp_buf_printf(
			why,
			"Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.");
		kp_mem_free(text);
		return KP_ERR_INVALID_CONFIG;
	}
	kp_mem_free(c->values[i]);
	c->values[i] = text;
	apply(c, i);
	return 0;
}
