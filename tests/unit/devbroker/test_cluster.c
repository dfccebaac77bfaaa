/*
 * test_cluster.c - ApiVersions, FindCoordinator, InitProducerId, DescribeCluster; and every API in every version that is offered.
 */
#include "db_test.h"

#include "base/bytes.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_describe_cluster.h"
#include "wire/msg_find_coordinator.h"
#include "wire/msg_init_producer_id.h"

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

static kp_api_versions_response api_versions(int16_t version, const char *name)
{
	kp_api_versions_request q;
	kp_api_versions_response r;
	kp_wire_init(&kp_api_versions_request_schema, &q, 1);
	q.client_software_name = q.client_software_version = kp_slice_cstr(version < 3 ? "" : name);
	db_call(t, 1, KP_API_API_VERSIONS, version, &q, &r);
	return r;
}

static void api_versions_lists_what_kafka_has(void **state)
{
	(void)state;
	static const kp_api_versions_response_api expected[] = {
		{0, 0, 13}, {1, 4, 18}, {2, 1, 11}, {3, 0, 13}, {8, 2, 10}, {9, 1, 10}, {10, 0, 6}, {18, 0, 4}, {19, 2, 7},
		{20, 1, 6}, {22, 0, 5}, {24, 0, 5}, {25, 0, 4}, {26, 0, 5}, {28, 0, 5}, {32, 1, 4}, {37, 0, 3}, {60, 0, 2}};
	for (int16_t version = 0; version <= 4; version++) {
		kp_api_versions_response r = api_versions(version, "a-b.1");
		assert_int_equal(0, r.error_code);
		assert_int_equal(sizeof(expected) / sizeof(expected[0]), r.api_keys.n);
		assert_memory_equal(expected, r.api_keys.items, sizeof(expected));
		/* features with a minimum of 0 are for version 4 (KAFKA-17011) */
		assert_int_equal(version < 3 ? 0 : version == 3 ? 1 : 7, r.supported_features.n);
		bool has_txn_2 = false;
		for (int32_t i = 0; i < r.finalized_features.n; i++)
			has_txn_2 |= kp_slice_equal(r.finalized_features.items[i].name, kp_slice_cstr("transaction.version")) &&
			             r.finalized_features.items[i].max_version_level == 2;
		assert_int_equal(version >= 3, has_txn_2);
	}
	assert_int_equal(KP_ERR_INVALID_REQUEST, api_versions(3, "a b").error_code);
	assert_int_equal(KP_ERR_INVALID_REQUEST, api_versions(3, "").error_code);
	assert_int_equal(KP_ERR_INVALID_REQUEST, api_versions(4, "-a").error_code);
}

/* A header of our own making: the version is not one the writer has. */
static kp_slice raw_frame(int16_t key, int16_t version)
{
	static uint8_t frame[] = {0, 0, 0, 0, 0, 0, 0, 42, 0, 1, 'x', 0, 9, 9, 9, 9};
	kp_store_be16(frame, (uint16_t)key);
	kp_store_be16(frame + 2, (uint16_t)version);
	return kp_slice_of(frame, sizeof(frame));
}

static void unknown_api_versions_version_falls_back_to_0(void **state)
{
	(void)state;
	for (int16_t version = 5; version < 200; version += 97) {
		kp_api_versions_response r;
		assert_int_equal(0, kp_db_request(t->db, 1, CONN, raw_frame(KP_API_API_VERSIONS, version), 0));
		db_take(t, CONN, 42, KP_API_API_VERSIONS, 0, &r);
		assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, r.error_code);
		assert_int_equal(1, r.api_keys.n);
		assert_int_equal(18, r.api_keys.items[0].api_key);
		assert_int_equal(4, r.api_keys.items[0].max_version);
	}
}

static void versions_that_are_not_served_close(void **state)
{
	(void)state;
	static const struct {
		int16_t key, version;
	} bad[] = {{0, 2}, {0, 0}, {0, 14}, {1, 3}, {1, 19}, {3, 14}, {22, 6}, {11, 0}, {999, 0}, {-1, 0}, {3, -1}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(0, kp_db_request(t->db, 1, CONN + i, raw_frame(bad[i].key, bad[i].version), 0));
		db_expect_no_answer(t);
	}
}

/* One request with default contents per version; the answer must decode to its end. */
static void every_offered_version_is_answered(void **state)
{
	(void)state;
	kp_api_versions_response offered = api_versions(0, "");
	for (int32_t i = 0; i < offered.api_keys.n; i++) {
		kp_api_versions_response_api api = offered.api_keys.items[i];
		const kp_wire_message *q = kp_wire_find(api.api_key, false), *r = kp_wire_find(api.api_key, true);
		int16_t first = api.min_version > q->min_version ? api.min_version : q->min_version;
		for (int16_t version = first; version <= api.max_version; version++) {
			void *request = test_calloc(1, q->root->size), *response = test_calloc(1, r->root->size);
			kp_wire_init(q->root, request, 1);
			if (api.api_key == KP_API_PRODUCE)
				((kp_produce_request *)request)->acks = 1; /* 0 has no answer */
			db_call(t, 1, api.api_key, version, request, response);
			test_free(request);
			test_free(response);
		}
	}
}

static void produce_and_fetch_work_in_every_version(void **state)
{
	(void)state;
	kp_slice b = db_make_batch(t, &(db_batch){0});
	int64_t n = 0;
	for (int16_t version = 3; version <= 13; version++) {
		db_produced p = db_produce_at(t, 1, version, -1, "t", 0, b);
		assert_code(NONE, p);
		assert_int_equal(n++, p.base_offset);
		assert_code(NOT_LEADER_OR_FOLLOWER, db_produce_at(t, 2, version, -1, "t", 0, b));
		assert_code(MESSAGE_TOO_LARGE,
		            db_produce_at(t, 1, version, -1, "t", 0, db_make_batch(t, &(db_batch){.value_size = 1 << 20})));
	}
	for (int16_t version = 4; version <= 18; version++) {
		kp_fetch_response r;
		db_call(t, 1, KP_API_FETCH, version, db_fetch_request(t, "t", 0, 0, 1 << 20, 0), &r);
		assert_int_equal(n, r.responses.items[0].partitions.items[0].high_watermark);
		db_call(t, 2, KP_API_FETCH, version, db_fetch_request(t, "t", 0, 0, 1 << 20, 0), &r);
		assert_int_equal(KP_ERR_NOT_LEADER_OR_FOLLOWER, r.responses.items[0].partitions.items[0].error_code);
	}
}

static void coordinator_goes_by_the_hash_of_the_key(void **state)
{
	(void)state;
	kp_find_coordinator_request q;
	kp_find_coordinator_response r;
	kp_slice keys[2] = {kp_slice_cstr("a"), kp_slice_cstr("b")};
	kp_wire_init(&kp_find_coordinator_request_schema, &q, 1);
	q.key = keys[0]; /* 'a' is 97: partition 47 of 50, and that is node 3's */
	db_call(t, 2, KP_API_FIND_COORDINATOR, 0, &q, &r);
	assert_int_equal(3, r.node_id);
	assert_int_equal(9094, r.port);
	q.key_type = 1;
	db_call(t, 2, KP_API_FIND_COORDINATOR, 3, &q, &r);
	assert_int_equal(0, r.error_code);
	q.key_type = 2;
	db_call(t, 2, KP_API_FIND_COORDINATOR, 3, &q, &r);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.error_code);
	assert_int_equal(0, kp_db_node_set_up(t->db, 1, false)); /* that of 'b': the next one stands in */
	q.key = kp_slice_of("", 0);
	q.key_type = 1;
	q.coordinator_keys.items = keys;
	q.coordinator_keys.n = 2;
	db_call(t, 2, KP_API_FIND_COORDINATOR, 6, &q, &r);
	assert_int_equal(2, r.coordinators.n);
	assert_int_equal(2, r.coordinators.items[1].node_id);
	assert_true(kp_slice_equal(keys[1], r.coordinators.items[1].key));
	assert_int_equal(0, kp_db_inject_error(t->db, 0, KP_API_FIND_COORDINATOR, KP_ERR_COORDINATOR_NOT_AVAILABLE, 1));
	db_call(t, 2, KP_API_FIND_COORDINATOR, 6, &q, &r);
	assert_int_equal(KP_ERR_COORDINATOR_NOT_AVAILABLE, r.coordinators.items[0].error_code);
	assert_int_equal(-1, r.coordinators.items[0].node_id);
}

static kp_init_producer_id_response init(int16_t version, const char *id, int64_t producer_id, int16_t epoch, int32_t timeout_ms)
{
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_cstr(id);
	q.producer_id = producer_id;
	q.producer_epoch = epoch;
	q.transaction_timeout_ms = timeout_ms;
	int32_t node = id ? kp_db_coordinator(t->db, KP_DB_COORDINATOR_TRANSACTION, id) : 1;
	db_call(t, node, KP_API_INIT_PRODUCER_ID, version, &q, &r);
	return r;
}

static void producer_ids_are_new_each_time(void **state)
{
	(void)state;
	int64_t first = init(0, NULL, -1, -1, 0).producer_id;
	for (int16_t version = 0; version <= 5; version++) {
		kp_init_producer_id_response r = init(version, NULL, -1, -1, 0);
		assert_int_equal(0, r.error_code);
		assert_int_equal(first + 1 + version, r.producer_id);
		assert_int_equal(0, r.producer_epoch);
	}
	assert_int_equal(0, init(4, NULL, 5, 0, 0).error_code); /* what an idempotent producer names is not looked at */
	assert_int_equal(KP_ERR_INVALID_REQUEST, init(4, NULL, 5, -1, 0).error_code);
	assert_int_equal(KP_ERR_INVALID_REQUEST, init(4, NULL, -1, 3, 0).error_code);
}

static void transactional_ids_keep_their_producer(void **state)
{
	(void)state;
	assert_int_equal(KP_ERR_INVALID_REQUEST, init(4, "", -1, -1, 1000).error_code);
	assert_int_equal(KP_ERR_INVALID_TRANSACTION_TIMEOUT, init(4, "tx", -1, -1, 0).error_code);
	assert_int_equal(KP_ERR_INVALID_TRANSACTION_TIMEOUT, init(4, "tx", -1, -1, 900001).error_code);
	kp_init_producer_id_response a = init(4, "tx", -1, -1, 1000), b = init(4, "tx", -1, -1, 1000);
	assert_int_equal(0, a.producer_epoch);
	assert_int_equal(a.producer_id, b.producer_id);
	assert_int_equal(1, b.producer_epoch);
	assert_int_equal(KP_ERR_PRODUCER_FENCED, init(4, "tx", a.producer_id, 0, 1000).error_code);
	assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, init(3, "tx", a.producer_id, 0, 1000).error_code);
	assert_int_equal(KP_ERR_PRODUCER_FENCED, init(4, "tx", 1, 1, 1000).error_code);
	assert_int_equal(2, init(4, "tx", a.producer_id, 1, 1000).producer_epoch);
	assert_int_not_equal(a.producer_id, init(4, "other", -1, -1, 1000).producer_id);
	for (int i = 3; i < INT16_MAX - 1; i++)
		b = init(5, "tx", -1, -1, 1000);
	assert_int_equal(INT16_MAX - 2, b.producer_epoch);
	b = init(5, "tx", -1, -1, 1000);
	assert_int_equal(INT16_MAX - 1, b.producer_epoch);
	b = init(5, "tx", -1, -1, 1000); /* used up: a new id */
	assert_int_equal(0, b.producer_epoch);
	assert_int_not_equal(a.producer_id, b.producer_id);
}

static void cluster_is_described(void **state)
{
	(void)state;
	kp_describe_cluster_request q;
	kp_describe_cluster_response r;
	kp_wire_init(&kp_describe_cluster_request_schema, &q, 1);
	db_call(t, 1, KP_API_DESCRIBE_CLUSTER, 2, &q, &r);
	assert_int_equal(3, r.brokers.n);
	assert_int_equal(1, r.controller_id);
	assert_int_equal(22, r.cluster_id.len);
	q.endpoint_type = 2;
	db_call(t, 1, KP_API_DESCRIBE_CLUSTER, 2, &q, &r);
	assert_int_equal(KP_ERR_MISMATCHED_ENDPOINT_TYPE, r.error_code);
}

static void same_seed_gives_the_same_cluster(void **state)
{
	(void)state;
	db_test *other = db_test_new();
	kp_uuid a = db_topic_id(t, "t"), b = db_topic_id(other, "t");
	assert_memory_equal(&a, &b, sizeof(a));
	db_test_free(other);
	kp_db_options o = t->options;
	o.seed = 99;
	other = db_test_new_with(&o);
	assert_int_equal(0, kp_db_create_topic(other->db, "t", 3, 3));
	b = db_topic_id(other, "t");
	assert_memory_not_equal(&a, &b, sizeof(a));
	db_test_free(other);
}

static void options_out_of_range_are_refused(void **state)
{
	(void)state;
	kp_db_options o;
	for (int i = 0; i < 5; i++) {
		kp_db_options_init(&o);
		o.n_nodes = i == 0 ? 0 : i == 1 ? KP_DB_MAX_NODES + 1 : 1;
		o.default_partitions = i == 2 ? 0 : i == 3 ? KP_DB_DEFAULT_PARTITIONS_MAX + 1 : 1;
		o.log_bytes_max = i == 4 ? 0 : 1000;
		assert_null(kp_db_new(&o));
	}
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_set_leader(t->db, "t", 0, 4));
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, kp_db_set_leader(t->db, "t", 3, 1));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_node_set_up(t->db, 4, false));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_inject_error(t->db, 0, 0, 0, 1));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_set_endpoint(t->db, 0, "h", 1));
	assert_int_equal(KP_ERR_TOPIC_ALREADY_EXISTS, kp_db_create_topic(t->db, "t", 1, 1));
	assert_int_equal(KP_ERR_INVALID_REPLICATION_FACTOR, kp_db_create_topic(t->db, "u", 1, 4));
	assert_int_equal(KP_ERR_INVALID_PARTITIONS, kp_db_add_partitions(t->db, "t", 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(api_versions_lists_what_kafka_has),
		TEST(unknown_api_versions_version_falls_back_to_0),
		TEST(versions_that_are_not_served_close),
		TEST(every_offered_version_is_answered),
		TEST(produce_and_fetch_work_in_every_version),
		TEST(coordinator_goes_by_the_hash_of_the_key),
		TEST(producer_ids_are_new_each_time),
		TEST(transactional_ids_keep_their_producer),
		TEST(cluster_is_described),
		TEST(same_seed_gives_the_same_cluster),
		TEST(options_out_of_range_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
