/*
 * test_group_offsets.c - offsets of groups: committed, pending in transactions, fetched.
 */
#include "txn_test.h"

#include <stdio.h>

#include "devbroker/group_offsets.h"
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/msg_offset_commit.h"
#include "wire/msg_offset_fetch.h"
#include "wire/msg_txn_offset_commit.h"

static db_test *t;
static txn_producer p;

static int setup(void **state)
{
	(void)state;
	t = db_test_new();
	p = (txn_producer){.t = t, .name = "tx"};
	assert_int_equal(0, txn_init(&p));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	return 0;
}

static int32_t group_node(const char *group)
{
	return kp_db_coordinator(t->db, KP_DB_COORDINATOR_GROUP, group);
}

static int16_t pend_as(const txn_producer *who, int16_t version, const char *group, int64_t offset, int32_t generation,
                       const char *metadata)
{
	kp_txn_offset_commit_request_partition qp = {0, offset, 7, kp_slice_cstr(metadata)};
	kp_txn_offset_commit_request_topic qt = {.name = kp_slice_cstr("t")};
	kp_txn_offset_commit_request q;
	kp_txn_offset_commit_response r;
	kp_wire_init(&kp_txn_offset_commit_request_schema, &q, 1);
	q.transactional_id = kp_slice_cstr(who->name);
	q.group_id = kp_slice_cstr(group);
	q.producer_id = who->id;
	q.producer_epoch = who->epoch;
	q.generation_id = version >= 3 ? generation : -1;
	qt.partitions.items = &qp;
	qt.partitions.n = 1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, group_node(group), KP_API_TXN_OFFSET_COMMIT, version, &q, &r);
	assert_int_equal(1, r.topics.n);
	return r.topics.items[0].partitions.items[0].error_code;
}

static int16_t pend(int16_t version, const char *group, int64_t offset)
{
	return pend_as(&p, version, group, offset, -1, "m");
}

static int16_t add_group(const char *group)
{
	kp_add_offsets_to_txn_request q = {kp_slice_cstr("tx"), p.id, p.epoch, kp_slice_cstr(group)};
	kp_add_offsets_to_txn_response r;
	db_call(t, txn_coordinator(&p), KP_API_ADD_OFFSETS_TO_TXN, 3, &q, &r);
	return r.error_code;
}

static int16_t commit(int16_t version, const char *group, int32_t partition, int64_t offset, int32_t generation,
                      const char *metadata)
{
	kp_offset_commit_request_partition qp = {partition, offset, 3, kp_slice_cstr(metadata)};
	kp_offset_commit_request_topic qt = {.name = kp_slice_cstr("t"), .topic_id = db_topic_id(t, "t")};
	kp_offset_commit_request q;
	kp_offset_commit_response r;
	kp_wire_init(&kp_offset_commit_request_schema, &q, 1);
	q.group_id = kp_slice_cstr(group);
	q.generation_id_or_member_epoch = generation;
	qt.partitions.items = &qp;
	qt.partitions.n = 1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, group_node(group), KP_API_OFFSET_COMMIT, version, &q, &r);
	return r.topics.items[0].partitions.items[0].error_code;
}

/* One partition, or (-1) everything, of a group, by version 8 or later. */
static kp_offset_fetch_response_group fetch(int16_t version, const char *group, int32_t partition, bool require_stable)
{
	kp_offset_fetch_request_group_topic qt = {.name = kp_slice_cstr("t"), .topic_id = db_topic_id(t, "t")};
	kp_offset_fetch_request_group qg;
	kp_offset_fetch_request q;
	kp_offset_fetch_response r;
	kp_wire_init(&kp_offset_fetch_request_schema, &q, 1);
	kp_wire_init(&kp_offset_fetch_request_group_schema, &qg, 1);
	qt.partition_indexes.items = &partition;
	qt.partition_indexes.n = 1;
	qg.group_id = kp_slice_cstr(group);
	qg.topics.items = &qt;
	qg.topics.n = partition < 0 ? -1 : 1;
	q.groups.items = &qg;
	q.groups.n = 1;
	q.require_stable = require_stable;
	db_call(t, group_node(group), KP_API_OFFSET_FETCH, version, &q, &r);
	return r.groups.items[0];
}

static void assert_fetched(const char *group, int64_t offset, int16_t stable_code)
{
	bool is_pending;
	kp_offset_fetch_response_group plain = fetch(9, group, 0, false), stable = fetch(9, group, 0, true);
	assert_int_equal(offset, plain.topics.items[0].partitions.items[0].committed_offset);
	assert_int_equal(0, plain.topics.items[0].partitions.items[0].error_code);
	assert_int_equal(stable_code ? -1 : offset, stable.topics.items[0].partitions.items[0].committed_offset);
	assert_int_equal(stable_code, stable.topics.items[0].partitions.items[0].error_code);
	assert_int_equal(offset, kp_db_committed_offset(t->db, group, "t", 0, &is_pending));
	assert_int_equal(stable_code != 0, is_pending);
}

static void offsets_count_when_the_transaction_commits(void **state)
{
	(void)state;
	for (int16_t version = 3; version <= 5; version++) {
		int64_t before = version == 3 ? -1 : version - 1;
		if (version < 5) {
			assert_int_equal(version == 3 ? KP_ERR_INVALID_TXN_STATE : KP_ERR_TRANSACTION_ABORTABLE,
			                 pend(version, "g", 9));
			assert_int_equal(0, add_group("g"));
		}
		assert_int_equal(0, pend(version, "g", 8));
		assert_int_equal(0, pend(version, "g", version)); /* the later one counts */
		assert_int_equal(1, txn_info(&p).n_groups);
		assert_fetched("g", before, KP_ERR_UNSTABLE_OFFSET_COMMIT);
		assert_int_equal(0, txn_end(&p, 5, true));
		assert_fetched("g", version, 0);
		assert_int_equal(0, pend(5, "g", 99));
		assert_int_equal(0, txn_end(&p, 5, false));
		assert_fetched("g", version, 0);
	}
	kp_offset_fetch_response_group all = fetch(10, "g", -1, false);
	assert_int_equal(1, all.topics.n);
	assert_int_equal(7, all.topics.items[0].partitions.items[0].committed_leader_epoch);
	assert_true(kp_slice_equal(kp_slice_cstr("m"), all.topics.items[0].partitions.items[0].metadata));
	assert_int_equal(0, fetch(9, "other", -1, false).topics.n);
}

static void the_offset_that_was_sent_later_counts(void **state)
{
	(void)state;
	txn_producer second = {.t = t, .name = "second"};
	assert_int_equal(0, txn_init(&second));
	assert_int_equal(0, pend(5, "g", 1));
	assert_int_equal(0, commit(9, "g", 0, 2, -1, NULL));
	assert_fetched("g", 2, KP_ERR_UNSTABLE_OFFSET_COMMIT);
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_fetched("g", 2, 0);
	assert_int_equal(0, pend(5, "g", 3));
	assert_int_equal(0, pend_as(&second, 5, "g", 4, -1, NULL));
	assert_int_equal(0, txn_end(&second, 5, true));
	assert_fetched("g", 4, KP_ERR_UNSTABLE_OFFSET_COMMIT);
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_fetched("g", 4, 0);
}

static void who_is_no_member_has_no_generation(void **state)
{
	(void)state;
	assert_int_equal(KP_ERR_ILLEGAL_GENERATION, pend_as(&p, 5, "g", 1, 0, NULL));
	assert_int_equal(KP_ERR_ILLEGAL_GENERATION, commit(8, "g", 0, 1, 0, NULL));
	assert_int_equal(KP_ERR_GROUP_ID_NOT_FOUND, commit(9, "g", 0, 1, 0, NULL));
	for (int16_t version = 2; version <= 10; version++)
		assert_int_equal(0, commit(version, "g", 0, version, -1, "x"));
	assert_int_equal(KP_ERR_UNKNOWN_MEMBER_ID, commit(9, "g", 0, 1, 5, NULL));
	assert_int_equal(KP_ERR_UNKNOWN_MEMBER_ID, pend_as(&p, 5, "g", 1, 5, NULL));
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, commit(9, "g", 3, 1, -1, NULL));
	assert_int_equal(KP_ERR_INVALID_GROUP_ID, pend_as(&p, 5, "", 1, -1, NULL));
	assert_int_equal(0, commit(9, "", 0, 1, -1, NULL));
	txn_producer other = p;
	other.epoch++;
	assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, pend_as(&other, 5, "g", 1, -1, NULL));
	other.name = "nobody";
	assert_int_equal(KP_ERR_INVALID_PRODUCER_ID_MAPPING, pend_as(&other, 5, "g", 1, -1, NULL));
	char long_text[KP_DB_OFFSET_METADATA_MAX + 2];
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	assert_int_equal(KP_ERR_OFFSET_METADATA_TOO_LARGE, commit(9, "g", 0, 1, -1, long_text));
	assert_fetched("g", 10, 0);
}

static void another_node_is_not_the_coordinator(void **state)
{
	(void)state;
	kp_offset_fetch_request q;
	kp_offset_fetch_response r;
	kp_offset_fetch_request_topic qt = {.name = kp_slice_cstr("t")};
	int32_t partition = 0, node = group_node("g");
	kp_wire_init(&kp_offset_fetch_request_schema, &q, 1);
	qt.partition_indexes.items = &partition;
	qt.partition_indexes.n = 1;
	q.group_id = kp_slice_cstr("g");
	q.topics.items = &qt;
	q.topics.n = 1;
	assert_int_equal(0, commit(9, "g", 0, 5, -1, NULL));
	for (int16_t version = 1; version <= 7; version++) {
		db_call(t, node, KP_API_OFFSET_FETCH, version, &q, &r);
		assert_int_equal(5, r.topics.items[0].partitions.items[0].committed_offset);
		db_call(t, node % 3 + 1, KP_API_OFFSET_FETCH, version, &q, &r);
		assert_int_equal(KP_ERR_NOT_COORDINATOR,
		                 version < 2 ? r.topics.items[0].partitions.items[0].error_code : r.error_code);
	}
}

static void a_deleted_topic_takes_its_offsets_along(void **state)
{
	(void)state;
	bool is_pending;
	assert_int_equal(0, commit(9, "g", 0, 5, -1, "text"));
	assert_int_equal(0, pend(5, "g", 6));
	assert_int_equal(0, kp_db_delete_topic(t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 1, 1));
	assert_int_equal(-1, kp_db_committed_offset(t->db, "g", "t", 0, &is_pending));
	assert_false(is_pending);
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(-1, kp_db_committed_offset(t->db, "g", "t", 0, &is_pending));
}

static void offsets_are_bounded(void **state)
{
	(void)state;
	char name[32];
	int16_t code = 0;
	for (int i = 0; code == 0; i++) { /* a group and an offset each */
		snprintf(name, sizeof(name), "group-%d", i);
		code = commit(9, name, 0, i, -1, NULL);
		assert_true(i <= KP_DB_OFFSETS_MAX / 2);
		kp_arena_reset(&t->arena);
	}
	assert_int_equal(KP_ERR_INVALID_COMMIT_OFFSET_SIZE, code);
	assert_int_equal(KP_ERR_INVALID_COMMIT_OFFSET_SIZE, pend(5, "group-0", 1));
	assert_int_equal(0, commit(9, "group-0", 0, 77, -1, NULL)); /* in place of another one */
	assert_int_equal(0, kp_db_delete_topic(t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 1, 1));
	assert_int_equal(0, pend(5, "group-0", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(offsets_count_when_the_transaction_commits, setup, teardown),
		cmocka_unit_test_setup_teardown(the_offset_that_was_sent_later_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_no_member_has_no_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(another_node_is_not_the_coordinator, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_topic_takes_its_offsets_along, setup, teardown),
		cmocka_unit_test_setup_teardown(offsets_are_bounded, setup, teardown),
	};
	return cmocka_run_group_tests_name("group_offsets", tests, NULL, NULL);
}
