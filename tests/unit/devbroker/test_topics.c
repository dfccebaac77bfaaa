/*
 * test_topics.c - Metadata and topic administration. Codes and texts are what Apache Kafka 4.3.1 gave to the same requests.
 */
#include "db_test.h"

#include <stdio.h>

#include "wire/msg_create_partitions.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_delete_topics.h"
#include "wire/msg_describe_configs.h"

static db_test *t;

static int setup(void **state)
{
	(void)state;
	t = db_test_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	return 0;
}

#define assert_text(expected, slice) assert_true(kp_slice_equal(kp_slice_cstr(expected), slice))

static kp_metadata_response metadata(int16_t version, const char *name, const kp_uuid *id, bool create)
{
	kp_metadata_request_topic qt;
	kp_metadata_request q;
	kp_metadata_response r;
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	kp_wire_init(&kp_metadata_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(name);
	if (id)
		qt.topic_id = *id;
	q.topics.items = &qt;
	q.topics.n = 1;
	q.allow_auto_topic_creation = create;
	db_call(t, 1, KP_API_METADATA, version, &q, &r);
	assert_int_equal(1, r.topics.n);
	return r;
}

static int16_t metadata_code(const char *name, bool create)
{
	return metadata(12, name, NULL, create).topics.items[0].error_code;
}

static void metadata_describes_cluster_and_topic(void **state)
{
	(void)state;
	kp_metadata_response r = metadata(13, "t", NULL, false);
	assert_int_equal(3, r.brokers.n);
	assert_int_equal(9094, r.brokers.items[2].port);
	assert_text("127.0.0.1", r.brokers.items[2].host);
	assert_int_equal(22, r.cluster_id.len);
	assert_int_equal(1, r.controller_id);
	assert_int_equal(0, r.error_code);
	kp_metadata_response_topic *a = &r.topics.items[0];
	assert_int_equal(3, a->partitions.n);
	for (int32_t i = 0; i < 3; i++) {
		assert_int_equal(i, a->partitions.items[i].partition_index);
		assert_int_equal(i + 1, a->partitions.items[i].leader_id);
		assert_int_equal(0, a->partitions.items[i].leader_epoch);
		assert_int_equal(3, a->partitions.items[i].replica_nodes.n);
		assert_int_equal(i + 1, a->partitions.items[i].replica_nodes.items[0]);
		assert_int_equal(3, a->partitions.items[i].isr_nodes.n);
	}
	kp_uuid id = a->topic_id;
	assert_int_equal(0x40, id.bytes[6] & 0xf0);
	r = metadata(12, NULL, &id, false);
	assert_text("t", r.topics.items[0].name);
	assert_int_equal(0, r.topics.items[0].error_code);
}

static void metadata_of_all_or_none(void **state)
{
	(void)state;
	kp_metadata_request q;
	kp_metadata_response r;
	assert_int_equal(0, kp_db_create_topic(t->db, "u", 1, 1));
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	q.allow_auto_topic_creation = true;
	for (int16_t version = 0; version <= 13; version++) {
		q.topics.n = 0;
		db_call(t, 1, KP_API_METADATA, version, &q, &r);
		assert_int_equal(version ? 0 : 2, r.topics.n);
		q.topics.n = version ? -1 : 0;
		db_call(t, 1, KP_API_METADATA, version, &q, &r);
		assert_int_equal(2, r.topics.n);
	}
}

static void unknown_topics_are_created_only_when_both_sides_allow(void **state)
{
	(void)state;
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, metadata_code("new", false));
	assert_int_equal(0, kp_db_n_partitions(t->db, "new"));
	assert_int_equal(0, metadata_code("new", true));
	assert_int_equal(1, kp_db_n_partitions(t->db, "new"));
	assert_int_equal(KP_ERR_INVALID_TOPIC_EXCEPTION, metadata_code("a b", true));
	assert_int_equal(KP_ERR_INVALID_TOPIC_EXCEPTION, metadata_code("", true));
	assert_int_equal(KP_ERR_INVALID_TOPIC_EXCEPTION, metadata_code(".", false));
	assert_int_equal(0, metadata_code("a.b", true));
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, metadata_code("a_b", true)); /* it collides */
	kp_uuid id = {{9}};
	kp_metadata_response r = metadata(12, NULL, &id, true);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_ID, r.topics.items[0].error_code);
	assert_null(r.topics.items[0].name.ptr);
	kp_db_options o = t->options;
	o.auto_create = false;
	db_test *keep = t;
	t = db_test_new_with(&o);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, metadata_code("new", true));
	db_test_free(t);
	t = keep;
}

static kp_create_topics_response_topic create(const char *name, int32_t n, int16_t replicas, const char *key, const char *value,
                                              bool validate)
{
	kp_create_topics_request_config c = {kp_slice_cstr(key), kp_slice_cstr(value)};
	kp_create_topics_request_topic qt;
	kp_create_topics_request q;
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(name);
	qt.num_partitions = n;
	qt.replication_factor = replicas;
	qt.configs.items = &c;
	qt.configs.n = key ? 1 : 0;
	q.topics.items = &qt;
	q.topics.n = 1;
	q.validate_only = validate;
	db_call(t, 1, KP_API_CREATE_TOPICS, 7, &q, &r);
	assert_int_equal(1, r.topics.n);
	return r.topics.items[0];
}

static void create_topic_answers_what_it_made(void **state)
{
	(void)state;
	kp_create_topics_response_topic a = create("new", 5, 2, "max.message.bytes", "100", false);
	assert_int_equal(0, a.error_code);
	assert_null(a.error_message.ptr);
	assert_int_equal(5, a.num_partitions);
	assert_int_equal(2, a.replication_factor);
	assert_int_equal(33, a.configs.n);
	kp_uuid id = db_topic_id(t, "new");
	assert_memory_equal(&id, &a.topic_id, sizeof(id));
	assert_code(MESSAGE_TOO_LARGE, db_produce_at(t, 2, 12, -1, "new", 0, db_make_batch(t, &(db_batch){.value_size = 100})));
	a = create("default", -1, -1, NULL, NULL, false);
	assert_int_equal(1, a.num_partitions);
	assert_int_equal(3, a.replication_factor);
	assert_int_equal(0, create("only", 2, 1, NULL, NULL, true).error_code);
	assert_int_equal(0, kp_db_n_partitions(t->db, "only"));
}

static void create_topic_refusals(void **state)
{
	(void)state;
	char name[251] = {0};
	memset(name, 'x', 250);
	assert_int_equal(0, create("ra.w", 1, 1, NULL, NULL, false).error_code);
	struct {
		const char *name;
		int32_t n;
		int16_t replicas;
		const char *key, *value;
		int16_t code;
		const char *text;
	} cases[] = {
		{"t", 1, 1, NULL, NULL, KP_ERR_TOPIC_ALREADY_EXISTS, "Topic 't' already exists."},
		{"ra_w", 1, 1, NULL, NULL, KP_ERR_INVALID_TOPIC_EXCEPTION, "Topic 'ra_w' collides with existing topic: ra.w"},
		{"z", 0, 1, NULL, NULL, KP_ERR_INVALID_PARTITIONS,
	         "Number of partitions was set to an invalid non-positive value."},
		{"z", 1, 0, NULL, NULL, KP_ERR_INVALID_REPLICATION_FACTOR,
	         "Replication factor must be larger than 0, or -1 to use the default value."},
		{"z", 1, 4, NULL, NULL, KP_ERR_INVALID_REPLICATION_FACTOR,
	         "Unable to replicate the partition 4 time(s): The target replication factor of 4 cannot be reached because only 3 broker(s) "
	         "are registered or some brokers have all their log directories cordoned."},
		{"z", 10001, 1, NULL, NULL, KP_ERR_POLICY_VIOLATION, "Excessively large number of partitions per request."},
		{"a b", 1, 1, NULL, NULL, KP_ERR_INVALID_TOPIC_EXCEPTION,
	         "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
		{"", 1, 1, NULL, NULL, KP_ERR_INVALID_TOPIC_EXCEPTION, "Topic name is invalid: the empty string is not allowed"},
		{"..", 1, 1, NULL, NULL, KP_ERR_INVALID_TOPIC_EXCEPTION, "Topic name is invalid: '..' is not allowed"},
		{name, 1, 1, NULL, NULL, KP_ERR_INVALID_TOPIC_EXCEPTION, NULL},
		{"z", 1, 1, "foo", "1", KP_ERR_INVALID_CONFIG, "Unknown topic config name: foo"},
		{"z", 1, 1, "max.message.bytes", "x", KP_ERR_INVALID_CONFIG,
	         "Invalid value x for configuration max.message.bytes: Not a number of type INT"},
		{"z", 1, 1, "max.message.bytes", "-1", KP_ERR_INVALID_CONFIG,
	         "Invalid value -1 for configuration max.message.bytes: Value must be at least 0"},
		{"z", 1, 1, "max.message.bytes", NULL, KP_ERR_INVALID_CONFIG,
	         "Null value not supported for topic configs: max.message.bytes"},
		{"z", 1, 1, "message.timestamp.type", "x", KP_ERR_INVALID_CONFIG,
	         "Invalid value x for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kp_create_topics_response_topic a = create(cases[i].name, cases[i].n, cases[i].replicas, cases[i].key,
		                                           cases[i].value, false);
		assert_int_equal(cases[i].code, a.error_code);
		if (cases[i].text)
			assert_text(cases[i].text, a.error_message);
		assert_int_equal(-1, a.num_partitions);
	}
	assert_int_equal(0, kp_db_n_partitions(t->db, "z"));
}

static void repeated_names_are_refused_once(void **state)
{
	(void)state;
	kp_create_topics_request_topic qt[3];
	kp_create_topics_request q;
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, qt, 3);
	for (int i = 0; i < 3; i++) {
		qt[i].name = kp_slice_cstr(i == 1 ? "one" : "two");
		qt[i].num_partitions = qt[i].replication_factor = 1;
	}
	q.topics.items = qt;
	q.topics.n = 3;
	db_call(t, 1, KP_API_CREATE_TOPICS, 5, &q, &r);
	assert_int_equal(2, r.topics.n);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.topics.items[0].error_code);
	assert_text("Duplicate topic name.", r.topics.items[0].error_message);
	assert_int_equal(0, r.topics.items[1].error_code);
	assert_int_equal(0, kp_db_n_partitions(t->db, "two"));
}

static kp_create_topics_response_topic assign(int32_t n_partitions, int32_t first, int32_t second, int32_t node, int32_t n_nodes)
{
	int32_t nodes[2] = {node, node};
	kp_create_topics_request_assignment as[2] = {{first, {nodes, n_nodes}}, {second, {nodes, n_nodes}}};
	kp_create_topics_request_topic qt;
	kp_create_topics_request q;
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr("z");
	qt.num_partitions = n_partitions;
	qt.replication_factor = -1;
	qt.assignments.items = as;
	qt.assignments.n = 2;
	q.topics.items = &qt;
	q.topics.n = 1;
	q.validate_only = true;
	db_call(t, 1, KP_API_CREATE_TOPICS, 7, &q, &r);
	return r.topics.items[0];
}

static void manual_assignments_are_checked(void **state)
{
	(void)state;
	assert_int_equal(0, assign(-1, 0, 1, 2, 1).error_code);
	assert_int_equal(2, assign(-1, 1, 0, 2, 1).num_partitions);
	assert_text("A manual partition assignment was specified, but numPartitions was not set to -1.",
	            assign(2, 0, 1, 2, 1).error_message);
	assert_text("partitions should be a consecutive 0-based integer sequence", assign(-1, 0, 2, 2, 1).error_message);
	assert_text("Found multiple manual partition assignments for partition 0", assign(-1, 0, 0, 2, 1).error_message);
	assert_text("The manual partition assignment includes broker 7, but no such broker is registered.",
	            assign(-1, 0, 1, 7, 1).error_message);
	assert_text("The manual partition assignment includes the broker 2 more than once.", assign(-1, 0, 1, 2, 2).error_message);
	assert_text("The manual partition assignment includes an empty replica list.", assign(-1, 0, 1, 2, 0).error_message);
	assert_int_equal(KP_ERR_INVALID_REPLICA_ASSIGNMENT, assign(-1, 0, 1, 2, 0).error_code);
}

static kp_delete_topics_response_topic delete_one(int16_t version, const char *name, const kp_uuid *id)
{
	kp_delete_topics_request_topic qt;
	kp_delete_topics_request q;
	kp_delete_topics_response r;
	kp_slice names[1] = {kp_slice_cstr(name)};
	kp_wire_init(&kp_delete_topics_request_schema, &q, 1);
	kp_wire_init(&kp_delete_topics_request_topic_schema, &qt, 1);
	if (version < 6) {
		q.topic_names.items = names;
		q.topic_names.n = 1;
	} else {
		qt.name = kp_slice_cstr(name);
		if (id)
			qt.topic_id = *id;
		q.topics.items = &qt;
		q.topics.n = 1;
	}
	db_call(t, 1, KP_API_DELETE_TOPICS, version, &q, &r);
	assert_int_equal(1, r.responses.n);
	return r.responses.items[0];
}

static void delete_topic_by_name_and_id(void **state)
{
	(void)state;
	kp_uuid id = db_topic_id(t, "t"), unknown = {{1}};
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, delete_one(1, "nonesuch", NULL).error_code);
	assert_text("This server does not host this topic-partition.", delete_one(5, "nonesuch", NULL).error_message);
	assert_text("This server does not host this topic ID.", delete_one(6, NULL, &unknown).error_message);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_ID, delete_one(6, NULL, &unknown).error_code);
	assert_text("You may not specify both topic name and topic id.", delete_one(6, "t", &id).error_message);
	assert_text("Neither topic name nor id were specified.", delete_one(6, NULL, NULL).error_message);
	assert_int_equal(3, kp_db_n_partitions(t->db, "t"));
	kp_delete_topics_response_topic a = delete_one(6, NULL, &id);
	assert_int_equal(0, a.error_code);
	assert_text("t", a.name);
	assert_int_equal(0, kp_db_n_partitions(t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 1, 1));
	kp_uuid again = db_topic_id(t, "t");
	assert_memory_not_equal(&id, &again, sizeof(id));
	assert_int_equal(0, delete_one(1, "t", NULL).error_code);
}

static kp_create_partitions_response_topic grow(const char *name, int32_t count, bool validate)
{
	kp_create_partitions_request_topic qt;
	kp_create_partitions_request q;
	kp_create_partitions_response r;
	kp_wire_init(&kp_create_partitions_request_schema, &q, 1);
	kp_wire_init(&kp_create_partitions_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(name);
	qt.count = count;
	qt.assignments.n = -1;
	q.topics.items = &qt;
	q.topics.n = 1;
	q.validate_only = validate;
	db_call(t, 1, KP_API_CREATE_PARTITIONS, 3, &q, &r);
	assert_int_equal(1, r.results.n);
	return r.results.items[0];
}

static void partitions_are_added(void **state)
{
	(void)state;
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){0})));
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, grow("nonesuch", 3, false).error_code);
	assert_text("Topic already has 3 partition(s).", grow("t", 3, false).error_message);
	assert_text("The topic t currently has 3 partition(s); 2 would not be an increase.", grow("t", 2, false).error_message);
	assert_int_equal(KP_ERR_INVALID_PARTITIONS, grow("t", -1, false).error_code);
	assert_int_equal(0, grow("t", 5, true).error_code);
	assert_int_equal(3, kp_db_n_partitions(t->db, "t"));
	assert_int_equal(0, grow("t", 5, false).error_code);
	assert_int_equal(5, kp_db_n_partitions(t->db, "t"));
	assert_code(NONE, db_produce_at(t, 2, 12, -1, "t", 4, db_make_batch(t, &(db_batch){0})));
	assert_int_equal(1, db_produce(t, 0, db_make_batch(t, &(db_batch){0})).base_offset);
}

static void total_of_partitions_is_bounded(void **state)
{
	(void)state;
	char name[20];
	int i, err = 0;
	for (i = 0; i < 30 && !err; i++) {
		snprintf(name, sizeof(name), "big%d", i);
		err = kp_db_create_topic(t->db, name, 10000, 1);
	}
	assert_int_equal(KP_ERR_POLICY_VIOLATION, err);
	assert_int_equal(20, i);
	assert_int_equal(0, kp_db_n_partitions(t->db, name));
}

static kp_describe_configs_response_result describe(int8_t type, const char *name, const char *key, bool synonyms)
{
	kp_slice keys[1] = {kp_slice_cstr(key)};
	kp_describe_configs_request_resource qr;
	kp_describe_configs_request q;
	kp_describe_configs_response r;
	kp_wire_init(&kp_describe_configs_request_schema, &q, 1);
	kp_wire_init(&kp_describe_configs_request_resource_schema, &qr, 1);
	qr.resource_type = type;
	qr.resource_name = kp_slice_cstr(name);
	qr.configuration_keys.items = keys;
	qr.configuration_keys.n = key ? 1 : -1;
	q.resources.items = &qr;
	q.resources.n = 1;
	q.include_synonyms = synonyms;
	db_call(t, 1, KP_API_DESCRIBE_CONFIGS, 4, &q, &r);
	assert_int_equal(1, r.results.n);
	return r.results.items[0];
}

static void configs_are_described(void **state)
{
	(void)state;
	create("c", 1, 1, "cleanup.policy", "compact", false);
	kp_describe_configs_response_result a = describe(2, "c", NULL, false);
	assert_int_equal(33, a.configs.n);
	a = describe(2, "c", "cleanup.policy", true);
	assert_int_equal(1, a.configs.n);
	assert_text("compact", a.configs.items[0].value);
	assert_int_equal(1, a.configs.items[0].config_source);
	assert_int_equal(2, a.configs.items[0].synonyms.n);
	assert_text("log.cleanup.policy", a.configs.items[0].synonyms.items[1].name);
	assert_text("delete", a.configs.items[0].synonyms.items[1].value);
	a = describe(2, "t", "max.message.bytes", false);
	assert_text("1048588", a.configs.items[0].value);
	assert_int_equal(5, a.configs.items[0].config_source);
	assert_int_equal(0, describe(2, "t", "foo", false).configs.n);
	a = describe(4, "1", "message.max.bytes", false);
	assert_int_equal(1, a.configs.n);
	assert_int_equal(6, describe(4, "1", NULL, false).configs.n);
	a = describe(4, "", NULL, false);
	assert_int_equal(1, a.configs.n);
	assert_text("min.insync.replicas", a.configs.items[0].name);
	assert_int_equal(3, a.configs.items[0].config_source);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, describe(2, "nonesuch", NULL, false).error_code);
	assert_int_equal(KP_ERR_INVALID_TOPIC_EXCEPTION, describe(2, "a b", NULL, false).error_code);
	assert_text("Unexpected broker id, expected 1 or empty string, but received 9",
	            describe(4, "9", NULL, false).error_message);
	assert_text("Broker id must be an integer, but it is:  1", describe(4, " 1", NULL, false).error_message);
	assert_text("Broker id must be an integer, but it is: x", describe(4, "x", NULL, false).error_message);
	assert_int_equal(KP_ERR_INVALID_REQUEST, describe(9, "t", NULL, false).error_code);
}

static void topic_configs_take_effect(void **state)
{
	(void)state;
	create("lat", 1, 1, "message.timestamp.type", "LogAppendTime", false);
	create("compact", 1, 1, "cleanup.policy", "compact", false);
	create("two", 1, 3, "min.insync.replicas", "2", false);
	create("old", 1, 1, "message.timestamp.before.max.ms", "1000", false);
	kp_slice batch = db_make_batch(t, &(db_batch){.timestamp = 5});
	int64_t offset = 0;
	kp_batch_header h;
	size_t size;
	t->now_us = 7000000;
	db_produced p = db_produce_at(t, 2, 12, -1, "lat", 0, batch);
	assert_code(NONE, p);
	assert_int_equal(WALL_MS + 7000, p.log_append_time_ms);
	assert_true(kp_db_log_walk(t->db, "lat", 0, &offset, &batch));
	assert_int_equal(KP_BATCH_OK, kp_batch_check(batch, true, 1000, &h, &size));
	assert_int_equal(WALL_MS + 7000, h.max_timestamp);
	assert_int_equal(KP_BATCH_LOG_APPEND_TIME, h.attributes);
	p = db_produce_at(t, 2, 12, -1, "lat", 0, db_make_batch(t, &(db_batch){.attributes = KP_BATCH_LOG_APPEND_TIME}));
	assert_code(INVALID_TIMESTAMP, p);
	assert_int_equal(1, p.n_record_errors);
	p = db_produce_at(t, 3, 12, -1, "compact", 0, db_make_batch(t, &(db_batch){.n = 2}));
	assert_code(INVALID_RECORD, p);
	assert_int_equal(2, p.n_record_errors);
	assert_code(NONE, db_produce_at(t, 3, 12, -1, "compact", 0, db_make_batch(t, &(db_batch){.key = "k"})));
	assert_code(INVALID_TIMESTAMP, db_produce_at(t, 2, 12, -1, "old", 0, db_make_batch(t, &(db_batch){.timestamp = WALL_MS})));
	assert_int_equal(0, kp_db_node_set_up(t->db, 2, false));
	assert_int_equal(0, kp_db_node_set_up(t->db, 3, false));
	p = db_produce_at(t, 1, 12, -1, "two", 0, db_make_batch(t, &(db_batch){0}));
	assert_code(NOT_ENOUGH_REPLICAS, p);
	assert_code(NONE, db_produce_at(t, 1, 12, 1, "two", 0, db_make_batch(t, &(db_batch){0})));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata_describes_cluster_and_topic),
		TEST(metadata_of_all_or_none),
		TEST(unknown_topics_are_created_only_when_both_sides_allow),
		TEST(create_topic_answers_what_it_made),
		TEST(create_topic_refusals),
		TEST(repeated_names_are_refused_once),
		TEST(manual_assignments_are_checked),
		TEST(delete_topic_by_name_and_id),
		TEST(partitions_are_added),
		TEST(total_of_partitions_is_bounded),
		TEST(configs_are_described),
		TEST(topic_configs_take_effect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
