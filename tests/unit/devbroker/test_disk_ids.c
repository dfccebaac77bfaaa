/*
 * test_disk_ids.c - producer ids, leader epochs, transactional ids and producers' states over restarts: none twice, none forgotten.
 */
#include "disk_test.h"

#include <string.h>
#include <sys/stat.h>

#include "wire/msg_init_producer_id.h"

static int16_t produce_as(disk_test *d, int64_t id, int16_t epoch, int32_t sequence, int64_t *offset)
{
	db_batch b = {.n = 2, .has_producer = true, .producer_id = id, .epoch = epoch, .sequence = sequence};
	db_produced p = db_produce(d->t, 0, db_make_batch(d->t, &b));
	*offset = p.base_offset;
	return p.code;
}

static void a_duplicate_is_known_after_a_restart(void **state)
{
	(void)state;
	int64_t offset;
	for (int sudden = 0; sudden < 2; sudden++) {
		disk_test *d = disk_test_with_topic(1);
		for (int32_t i = 0; i < 8; i++)
			assert_int_equal(0, produce_as(d, 5, 1, 2 * i, &offset));
		(sudden ? disk_kill : disk_end)(d);
		disk_start(d);
		assert_int_equal(0, produce_as(d, 5, 1, 14, &offset));
		assert_int_equal(14, offset);
		assert_int_equal(0, produce_as(d, 5, 1, 6, &offset)); /* the fifth from the end */
		assert_int_equal(6, offset);
		assert_int_equal(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, produce_as(d, 5, 1, 4, &offset));
		assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, produce_as(d, 5, 0, 16, &offset));
		assert_int_equal(0, produce_as(d, 5, 1, 16, &offset));
		assert_int_equal(16, offset);
		disk_test_free(d);
	}
}

static int64_t new_producer_id(disk_test *d)
{
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_null();
	db_call(d->t, 1, KP_API_INIT_PRODUCER_ID, 4, &q, &r);
	assert_int_equal(0, r.error_code);
	return r.producer_id;
}

static void no_producer_id_and_no_leader_epoch_is_given_twice(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	int64_t last = -1;
	int32_t last_epoch = -1;
	for (int life = 0; life < 6; life++) {
		for (int i = 0; i < (life == 2 ? 2500 : 3); i++) {
			int64_t id = new_producer_id(d);
			assert_true(id > last);
			last = id;
		}
		assert_true(disk_info(d, "t", 0).leader_epoch > last_epoch);
		for (int i = 0; i < (life == 3 ? 2500 : 3); i++)
			assert_int_equal(0, kp_db_set_leader(d->t->db, "t", 0, i % 2));
		last_epoch = disk_info(d, "t", 0).leader_epoch;
		(life % 2 ? disk_kill : disk_end)(d);
		disk_start(d);
	}
	disk_test_free(d);
}

typedef struct identity {
	int16_t error, epoch;
	int64_t id;
} identity;

static identity init_transactional(disk_test *d, const char *name, int64_t id, int16_t epoch)
{
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_cstr(name);
	q.transaction_timeout_ms = 1000;
	q.producer_id = id;
	q.producer_epoch = epoch;
	db_call(d->t, 1, KP_API_INIT_PRODUCER_ID, 4, &q, &r);
	return (identity){r.error_code, r.producer_epoch, r.producer_id};
}

static void a_transactional_id_keeps_its_producer_id(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	identity a = init_transactional(d, "a", -1, -1), b = init_transactional(d, "b", -1, -1);
	assert_int_equal(0, a.epoch);
	for (int16_t life = 1; life <= 6; life++) {
		(life % 2 ? disk_kill : disk_end)(d);
		disk_start(d);
		identity now = init_transactional(d, "a", -1, -1);
		assert_int_equal(a.id, now.id);
		assert_int_equal(life, now.epoch);
		assert_int_equal(KP_ERR_PRODUCER_FENCED, init_transactional(d, "a", a.id, (int16_t)(life - 1)).error);
	}
	assert_int_equal(b.id, init_transactional(d, "b", b.id, 0).id);
	/* Epochs run out; the file of notes is written anew now and then. */
	for (int i = 0; i < 33000; i++)
		assert_int_equal(0, init_transactional(d, "a", -1, -1).error);
	struct stat st;
	assert_int_equal(0, stat(disk_path(d, "notes"), &st));
	assert_true(st.st_size < 1100000);
	identity last = init_transactional(d, "a", -1, -1);
	assert_true(last.id > b.id);
	disk_kill(d);
	disk_start(d);
	identity next = init_transactional(d, "a", last.id, last.epoch);
	assert_int_equal(last.id, next.id);
	assert_int_equal(last.epoch + 1, next.epoch);
	disk_test_free(d);
}

static void torn_notes_are_cut_and_damaged_ones_refused(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	identity a = init_transactional(d, "a", -1, -1);
	disk_end(d);
	kp_slice one = disk_read(disk_path(d, "notes"));
	disk_start(d);
	(void)init_transactional(d, "b", -1, -1);
	disk_end(d);
	kp_slice both = disk_read(disk_path(d, "notes"));
	uint8_t *bytes = (uint8_t *)(uintptr_t)both.ptr;
	assert_true(both.len > one.len);
	for (size_t len = one.len; len < both.len; len++) {
		disk_write(disk_path(d, "notes"), bytes, len);
		disk_start(d);
		assert_int_equal(a.epoch + 1, init_transactional(d, "a", -1, -1).epoch);
		disk_end(d);
	}
	for (size_t i = 0; i < one.len; i++) {
		bytes[i] ^= 0x10;
		disk_write(disk_path(d, "notes"), bytes, both.len);
		disk_refuses(d, "notes is damaged at byte 0: bring it back from a copy, or start once with --repair");
		bytes[i] ^= 0x10;
	}
	d->is_repairing = true;
	bytes[10] ^= 1;
	disk_write(disk_path(d, "notes"), bytes, both.len);
	disk_start(d);
	assert_non_null(strstr(d->said, "notes: repaired"));
	assert_true(init_transactional(d, "a", -1, -1).id > a.id);
	test_free((void *)(uintptr_t)one.ptr);
	test_free(bytes);
	disk_test_free(d);
}

static void a_full_disk_refuses_topics_and_ids(void **state)
{
	(void)state;
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	disk_test *d = disk_test_with_topic(1);
	disk_limit_files(0);
	assert_int_equal(KP_ERR_KAFKA_STORAGE_ERROR, kp_db_create_topic(d->t->db, "u", 1, 1));
	assert_int_equal(KP_ERR_KAFKA_STORAGE_ERROR, kp_db_add_partitions(d->t->db, "t", 4));
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_null();
	db_call(d->t, 1, KP_API_INIT_PRODUCER_ID, 4, &q, &r);
	assert_int_equal(KP_ERR_COORDINATOR_LOAD_IN_PROGRESS, r.error_code);
	assert_int_equal(KP_ERR_COORDINATOR_NOT_AVAILABLE, init_transactional(d, "a", -1, -1).error);
	disk_limit_files(DISK_NO_LIMIT);
	assert_int_equal(1, kp_db_n_partitions(d->t->db, "t"));
	assert_int_equal(0, kp_db_n_partitions(d->t->db, "u"));
	disk_kill(d);
	disk_start(d);
	assert_int_equal(1, kp_db_n_partitions(d->t->db, "t"));
	assert_int_equal(0, kp_db_n_partitions(d->t->db, "u"));
	assert_int_equal(0, kp_db_create_topic(d->t->db, "u", 1, 1));
	assert_int_equal(0, kp_db_add_partitions(d->t->db, "t", 4));
	disk_test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duplicate_is_known_after_a_restart),
		cmocka_unit_test(no_producer_id_and_no_leader_epoch_is_given_twice),
		cmocka_unit_test(a_transactional_id_keeps_its_producer_id),
		cmocka_unit_test(torn_notes_are_cut_and_damaged_ones_refused),
		cmocka_unit_test(a_full_disk_refuses_topics_and_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
