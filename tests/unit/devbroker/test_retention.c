/*
 * test_retention.c - retention.ms and retention.bytes: logs start later, in memory and on disk; nothing is dropped that is not to be.
 */
#include "disk_test.h"

#include "wire/msg_create_topics.h"

#define MINUTE_US 60000000LL

static void create_with(db_test *t, const char *config, const char *value)
{
	kp_create_topics_request_config c = {kp_slice_cstr(config), kp_slice_cstr(value)};
	kp_create_topics_request_topic topic;
	kp_create_topics_request q;
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &topic, 1);
	topic.name = kp_slice_cstr("t");
	topic.num_partitions = 1;
	topic.replication_factor = 1;
	topic.configs.items = &c;
	topic.configs.n = 1;
	q.topics.items = &topic;
	q.topics.n = 1;
	db_call(t, 1, KP_API_CREATE_TOPICS, 7, &q, &r);
	assert_int_equal(0, r.topics.items[0].error_code);
}

/* A broker in a folder or in memory, with topic "t" of this property. */
static disk_test *begin(bool on_disk, const char *config, const char *value)
{
	disk_test *d = disk_test_new();
	if (on_disk)
		disk_start(d);
	else
		d->t = db_test_new_with(&d->options);
	create_with(d->t, config, value);
	return d;
}

static void produce_now(disk_test *d, size_t value_size)
{
	db_batch b = {.value_size = value_size, .timestamp = WALL_MS + d->t->now_us / 1000};
	assert_int_equal(0, db_produce(d->t, 0, db_make_batch(d->t, &b)).code);
}

static void records_without_a_time_do_not_age(void **state)
{
	(void)state;
	disk_test *d = begin(true, "retention.ms", "600000");
	assert_int_equal(0, db_produce(d->t, 0, db_make_batch(d->t, &(db_batch){.timestamp = -1})).code);
	db_pass(d->t, MINUTE_US);
	assert_int_equal(0, disk_info(d, "t", 0).start_offset);
	assert_int_equal(KP_TIME_NEVER, db_pass(d->t, MINUTE_US)); /* nothing to look at again */
	disk_test_free(d);
}

static void records_go_when_they_are_too_old(void **state)
{
	(void)state;
	for (int on_disk = 0; on_disk < 2; on_disk++) {
		disk_test *d = begin(on_disk, "retention.ms", "600000");
		for (int i = 0; i < 60; i++) { /* one a minute */
			produce_now(d, 100);
			db_pass(d->t, MINUTE_US);
			kp_db_partition_info info = disk_info(d, "t", 0);
			assert_int_equal(i + 1, info.end_offset);
			int64_t kept = info.end_offset - info.start_offset;
			assert_true(kept >= 9 || kept == i + 1);
			assert_true(kept <= 12); /* an eighth more than ten minutes */
		}
		int64_t start = disk_info(d, "t", 0).start_offset;
		assert_int_equal(KP_ERR_OFFSET_OUT_OF_RANGE, db_fetch(d->t, 1, "t", 0, start - 1, 1000).error_code);
		assert_int_equal(0, db_fetch(d->t, 1, "t", 0, start, 1000).error_code);
		/* The core says itself when the rest is due. */
		int64_t next_us;
		while ((next_us = db_pass(d->t, 0)) != KP_TIME_NEVER)
			d->t->now_us = next_us;
		assert_int_equal(60, disk_info(d, "t", 0).start_offset);
		assert_true(d->t->now_us <= 71 * MINUTE_US);
		disk_test_free(d);
	}
}

static void an_emptied_log_goes_on_after_a_restart(void **state)
{
	(void)state;
	disk_test *d = begin(true, "retention.ms", "1000");
	for (int sudden = 0; sudden < 2; sudden++) {
		int64_t before = disk_info(d, "t", 0).end_offset;
		for (int i = 0; i < 10; i++)
			produce_now(d, 100);
		db_pass(d->t, MINUTE_US);
		assert_int_equal(before + 10, disk_info(d, "t", 0).start_offset);
		(sudden ? disk_kill : disk_end)(d);
		disk_start(d);
		assert_int_equal(before + 10, disk_info(d, "t", 0).start_offset);
		assert_int_equal(before + 10, disk_info(d, "t", 0).end_offset);
	}
	assert_string_equal("", d->said);
	disk_test_free(d);
}

static void the_log_is_kept_to_its_bytes(void **state)
{
	(void)state;
	for (int on_disk = 0; on_disk < 2; on_disk++) {
		disk_test *d = begin(on_disk, "retention.bytes", "200000");
		for (int i = 0; i < 2000; i++) {
			produce_now(d, 900);
			if (i % 10)
				continue;
			db_pass(d->t, 1000000);
			size_t n = disk_info(d, "t", 0).n_bytes;
			assert_true(n >= 200000 || disk_info(d, "t", 0).start_offset == 0);
			assert_true(n <= 200000 + 200000 / 8 + 12000);
		}
		assert_true(disk_info(d, "t", 0).start_offset > 1700);
		if (on_disk) {
			kp_db_partition_info before = disk_info(d, "t", 0);
			disk_kill(d);
			disk_start(d);
			assert_int_equal(before.start_offset, disk_info(d, "t", 0).start_offset);
			assert_int_equal(before.n_bytes, disk_info(d, "t", 0).n_bytes);
		}
		disk_test_free(d);
	}
}

static void nothing_goes_without_a_bound(void **state)
{
	(void)state;
	static const char *const configs[][2] = {{"retention.ms", "-1"}, {"retention.bytes", "-1"}, {"segment.ms", "1000"}};
	for (size_t i = 0; i < KP_ARRAY_LEN(configs); i++) {
		disk_test *d = begin(false, configs[i][0], configs[i][1]);
		for (int j = 0; j < 20; j++)
			produce_now(d, 1000);
		assert_int_equal(KP_TIME_NEVER, db_pass(d->t, 30 * 24 * 60 * MINUTE_US)); /* no work either */
		assert_int_equal(0, disk_info(d, "t", 0).start_offset);
		disk_test_free(d);
	}
}

static void compacted_topics_keep_their_records(void **state)
{
	(void)state;
	disk_test *d = begin(false, "cleanup.policy", "compact");
	db_batch b = {.key = "k", .timestamp = 1};
	assert_int_equal(0, db_produce(d->t, 0, db_make_batch(d->t, &b)).code);
	db_pass(d->t, MINUTE_US);
	assert_int_equal(0, disk_info(d, "t", 0).start_offset);
	disk_test_free(d);
}

static void what_is_not_replicated_stays(void **state)
{
	(void)state;
	disk_test *d = begin(false, "retention.ms", "1000");
	kp_db_set_hw_delay_us(d->t->db, KP_TIME_NEVER);
	db_batch b = {.timestamp = WALL_MS};
	kp_produce_request q;
	db_produce_request(d->t, "t", 0, 1, db_make_batch(d->t, &b), &q);
	kp_produce_response r;
	db_call(d->t, 1, KP_API_PRODUCE, 12, &q, &r);
	db_pass(d->t, MINUTE_US);
	assert_int_equal(0, disk_info(d, "t", 0).start_offset);
	kp_db_set_hw_delay_us(d->t->db, 0);
	for (int i = 0; i < 3; i++)
		db_pass(d->t, 2000000);
	assert_int_equal(1, disk_info(d, "t", 0).start_offset);
	disk_test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_without_a_time_do_not_age),      cmocka_unit_test(records_go_when_they_are_too_old),
		cmocka_unit_test(an_emptied_log_goes_on_after_a_restart), cmocka_unit_test(the_log_is_kept_to_its_bytes),
		cmocka_unit_test(nothing_goes_without_a_bound),           cmocka_unit_test(compacted_topics_keep_their_records),
		cmocka_unit_test(what_is_not_replicated_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
