/*
 * test_disk.c - what a folder keeps: topics, records, offsets, over ends in order and sudden ones; a folder that is none of ours; a full disk.
 */
#include "disk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/random.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_describe_configs.h"

/* The sum of all bytes of a log, and the end offset it leaves. */
static uint32_t sum_of(const disk_test *d, const char *topic, int32_t partition)
{
	int64_t offset = 0;
	uint32_t sum = 0;
	kp_slice batch;
	while (kp_db_log_walk(d->t->db, topic, partition, &offset, &batch))
		sum = kp_crc32c_extend(sum, batch.ptr, batch.len);
	return sum;
}

static void ends_in_order_and_sudden_ones_keep_everything(void **state)
{
	(void)state;
	for (int sudden = 0; sudden < 2; sudden++) {
		disk_test *d = disk_test_with_topic(3);
		for (int i = 0; i < 50; i++)
			assert_int_equal(0, disk_produce(d, 1 + i % 7, (size_t)i * 40));
		kp_uuid id = db_topic_id(d->t, "t");
		uint32_t sum = sum_of(d, "t", 0);
		kp_db_partition_info before = disk_info(d, "t", 0);
		(sudden ? disk_kill : disk_end)(d);
		disk_start(d);
		kp_db_partition_info after = disk_info(d, "t", 0);
		assert_int_equal(3, kp_db_n_partitions(d->t->db, "t"));
		kp_uuid again = db_topic_id(d->t, "t");
		assert_memory_equal(&id, &again, sizeof(id));
		assert_int_equal(before.end_offset, after.end_offset);
		assert_int_equal(before.end_offset, after.high_watermark);
		assert_int_equal(0, after.start_offset);
		assert_int_equal(sum, sum_of(d, "t", 0));
		assert_true(after.leader_epoch > before.leader_epoch);
		assert_int_equal(0, disk_produce(d, 1, 10)); /* it goes on */
		assert_int_equal(before.end_offset + 1, disk_info(d, "t", 0).end_offset);
		assert_string_equal("", d->said);
		disk_test_free(d);
	}
}

/* Appends, cuts, ends of both kinds and restarts in a random order, with small segments, beside a broker in memory. */
static void random_lives_agree_with_a_broker_in_memory(void **state)
{
	(void)state;
	kp_random r;
	kp_random_init(&r, 11);
	disk_test *d = disk_test_new();
	d->segment_max = 20000;
	disk_start(d);
	assert_int_equal(0, kp_db_create_topic(d->t->db, "t", 1, 1));
	db_test *model = db_test_new();
	for (int i = 0; i < 600; i++) {
		uint32_t dice = kp_random_below(&r, 100);
		int64_t end = disk_info(d, "t", 0).end_offset;
		if (dice < 80) {
			db_batch b = {.n = 1 + (int32_t)kp_random_below(&r, 9), .value_size = 1 + kp_random_below(&r, 900)};
			assert_int_equal(db_produce(d->t, 0, db_make_batch(d->t, &b)).base_offset,
			                 db_produce(model, 0, db_make_batch(model, &b)).base_offset);
		} else if (dice < 90) {
			int64_t cut = end - (int64_t)kp_random_below(&r, dice == 80 ? 1000 : 20);
			assert_int_equal(0, kp_db_truncate(d->t->db, "t", 0, cut < 0 ? 0 : cut));
			assert_int_equal(0, kp_db_truncate(model->db, "t", 0, cut < 0 ? 0 : cut));
		} else {
			(dice < 95 ? disk_kill : disk_end)(d);
			disk_start(d);
		}
		kp_db_partition_info m;
		assert_int_equal(0, kp_db_partition_get(model->db, "t", 0, &m));
		assert_int_equal(m.end_offset, disk_info(d, "t", 0).end_offset);
		assert_int_equal(m.n_bytes, disk_info(d, "t", 0).n_bytes);
	}
	int64_t a = 0, b = 0;
	kp_slice x, y;
	while (kp_db_log_walk(d->t->db, "t", 0, &a, &x)) {
		assert_true(kp_db_log_walk(model->db, "t", 0, &b, &y));
		assert_int_equal(a, b);
		assert_int_equal(x.len, y.len);
		assert_memory_equal(x.ptr + KP_BATCH_CRC_START, y.ptr + KP_BATCH_CRC_START, x.len - KP_BATCH_CRC_START);
	}
	assert_string_equal("", d->said);
	db_test_free(model);
	disk_test_free(d);
}

static void describe(disk_test *d, const char *name, const char *config, char *out, size_t size)
{
	kp_describe_configs_request_resource resource;
	kp_describe_configs_request q;
	kp_describe_configs_response r;
	kp_slice key = kp_slice_cstr(config);
	kp_wire_init(&kp_describe_configs_request_schema, &q, 1);
	kp_wire_init(&kp_describe_configs_request_resource_schema, &resource, 1);
	resource.resource_type = 2;
	resource.resource_name = kp_slice_cstr(name);
	resource.configuration_keys.items = &key;
	resource.configuration_keys.n = 1;
	q.resources.items = &resource;
	q.resources.n = 1;
	db_call(d->t, 1, KP_API_DESCRIBE_CONFIGS, 4, &q, &r);
	assert_int_equal(1, r.results.items[0].configs.n);
	kp_slice value = r.results.items[0].configs.items[0].value;
	snprintf(out, size, "%.*s", (int)value.len, (const char *)value.ptr);
}

static void create_with(disk_test *d, const char *name, const char *config, const char *value)
{
	kp_create_topics_request_config c = {kp_slice_cstr(config), kp_slice_cstr(value)};
	kp_create_topics_request_topic topic;
	kp_create_topics_request q;
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &topic, 1);
	topic.name = kp_slice_cstr(name);
	topic.num_partitions = 2;
	topic.replication_factor = 1;
	topic.configs.items = &c;
	topic.configs.n = 1;
	q.topics.items = &topic;
	q.topics.n = 1;
	db_call(d->t, 1, KP_API_CREATE_TOPICS, 7, &q, &r);
	assert_int_equal(0, r.topics.items[0].error_code);
}

static void properties_come_back_whatever_they_hold(void **state)
{
	(void)state;
	static const char odd[] = "\n\t 88888 "; /* blanks around a number are none of the number, and kept */
	char value[100];
	disk_test *d = disk_test_new();
	disk_start(d);
	create_with(d, "plain", "max.message.bytes", "77777");
	create_with(d, "odd", "max.message.bytes", odd);
	assert_int_equal(0, kp_db_add_partitions(d->t->db, "odd", 5));
	disk_kill(d);
	disk_start(d);
	describe(d, "plain", "max.message.bytes", value, sizeof(value));
	assert_string_equal("77777", value);
	describe(d, "odd", "max.message.bytes", value, sizeof(value));
	assert_string_equal(odd, value);
	assert_int_equal(5, kp_db_n_partitions(d->t->db, "odd"));
	assert_int_equal(2, kp_db_n_partitions(d->t->db, "plain"));
	disk_test_free(d);
}

static void a_deleted_topic_stays_away_and_its_name_begins_anew(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(2);
	assert_int_equal(0, disk_produce(d, 10, 100));
	kp_uuid first = db_topic_id(d->t, "t");
	assert_int_equal(0, kp_db_delete_topic(d->t->db, "t"));
	assert_false(disk_exists(disk_path(d, "topics/t")));
	disk_kill(d);
	disk_start(d);
	assert_int_equal(0, kp_db_n_partitions(d->t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(d->t->db, "t", 1, 1));
	kp_uuid second = db_topic_id(d->t, "t");
	assert_memory_not_equal(&first, &second, sizeof(first));
	assert_int_equal(0, disk_info(d, "t", 0).end_offset);
	assert_int_equal(0, disk_produce(d, 3, 100));
	disk_kill(d);
	disk_start(d);
	assert_int_equal(1, kp_db_n_partitions(d->t->db, "t"));
	assert_int_equal(3, disk_info(d, "t", 0).end_offset);
	disk_test_free(d);
}

static void half_made_and_half_deleted_topics_are_swept_up(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	disk_end(d);
	assert_int_equal(0, mkdir(disk_path(d, "new"), 0755));
	assert_int_equal(0, mkdir(disk_path(d, "new/0"), 0755));
	assert_int_equal(0, mkdir(disk_path(d, "deleted/0123"), 0755));
	assert_int_equal(0, mkdir(disk_path(d, "deleted/0123/0"), 0755));
	disk_write(disk_path(d, "deleted/0123/0/00000000000000000000.log"), "x", 1);
	disk_start(d);
	assert_false(disk_exists(disk_path(d, "new")));
	assert_false(disk_exists(disk_path(d, "deleted/0123")));
	assert_string_equal("", d->said);
	disk_test_free(d);
}

static void a_log_that_was_cut_to_nothing_stays_so(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	assert_int_equal(0, disk_produce(d, 10, 100));
	assert_int_equal(0, kp_db_truncate(d->t->db, "t", 0,
	                                   0)); /* offsets below the start are not given again by this; they are by a cut */
	assert_int_equal(0, disk_info(d, "t", 0).end_offset);
	for (int i = 0; i < 2; i++) {
		(i ? disk_kill : disk_end)(d);
		disk_start(d);
		assert_int_equal(0, disk_info(d, "t", 0).end_offset);
	}
	assert_int_equal(0, disk_produce(d, 4, 100));
	disk_kill(d);
	disk_start(d);
	assert_int_equal(4, disk_info(d, "t", 0).end_offset);
	disk_test_free(d);
}

static void ten_thousand_partitions_come_back(void **state)
{
	(void)state;
	disk_test *d = disk_test_new();
	disk_start(d);
	assert_int_equal(0, kp_db_create_topic(d->t->db, "t", 10000, 1));
	for (int32_t p = 0; p < 10000; p += 10)
		assert_int_equal(0, db_produce_at(d->t, 1, 12, -1, "t", p, db_make_batch(d->t, &(db_batch){.n = 1 + p % 3})).code);
	for (int sudden = 0; sudden < 2; sudden++) {
		(sudden ? disk_kill : disk_end)(d);
		disk_start(d);
		assert_int_equal(10000, kp_db_n_partitions(d->t->db, "t"));
		for (int32_t p = 0; p < 10000; p++)
			assert_int_equal(p % 10 ? 0 : 1 + p % 3, disk_info(d, "t", p).end_offset);
	}
	assert_string_equal("", d->said);
	disk_test_free(d);
}

static void foreign_folders_are_left_alone(void **state)
{
	(void)state;
	char err[KP_DB_FAULT_SIZE];
	disk_test *d = disk_test_new();
	disk_write(disk_path(d, "notes.txt"), "mine", 4);
	disk_refuses(d, "is not empty and holds no broker's data (there is notes.txt)");
	assert_false(disk_exists(disk_path(d, "lock")));
	assert_int_equal(0, unlink(disk_path(d, "notes.txt")));
	disk_start(d);
	disk_end(d);
	disk_write(disk_path(d, "kproducer-broker"), "format=2\nnews=x\n", 16);
	disk_refuses(d, "is of format 2, this kproducer reads format 1");
	disk_write(disk_path(d, "kproducer-broker"), "format=1\n", 9);
	disk_refuses(d, "kproducer-broker is damaged");
	disk_write(disk_path(d, "kproducer-broker"), "format=1\ncluster.id=abc\n", 24);
	assert_int_equal(0, unlink(disk_path(d, "reserved")));
	disk_refuses(d, "reserved is missing");
	snprintf(d->dir + strlen(d->dir), 20, "/no/such");
	assert_false(disk_try(d, err));
	assert_non_null(strstr(err, "cannot make "));
	d->dir[strlen(d->dir) - 8] = 0;
	disk_test_free(d);
}

static void a_folder_is_used_once_at_a_time(void **state)
{
	(void)state;
	char err[KP_DB_FAULT_SIZE], words[64];
	disk_test *d = disk_test_with_topic(1);
	kp_disk_options o = {.dir = d->dir};
	snprintf(words, sizeof(words), "is in use by process %d", (int)getpid());
	assert_null(kp_disk_open(&o, err, sizeof(err)));
	assert_non_null(strstr(err, words));
	disk_test_free(d);
}

static void bad_properties_are_named_with_their_line(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	disk_end(d);
	static const char *const bad[] = {"",
	                                  "id=00",
	                                  "partitions=0\n",
	                                  "id=0123456789abcdef0123456789abcdef\npartitions=1\n",
	                                  "nonsense\n",
	                                  "config.retention.ms=soon\n",
	                                  "partitions=99999999999999\n"};
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		disk_write(disk_path(d, "topics/t/topic.properties"), bad[i], strlen(bad[i]));
		disk_refuses(d, "topics/t/topic.properties is damaged or missing (line ");
	}
	assert_int_equal(0, unlink(disk_path(d, "topics/t/topic.properties")));
	disk_refuses(d, "topics/t/topic.properties is damaged or missing");
	disk_test_free(d);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	disk_limit_files(100000);
	int32_t n = 0;
	int16_t code;
	while (!(code = disk_produce(d, 1, 3000)))
		assert_true(++n < 100);
	assert_int_equal(KP_ERR_KAFKA_STORAGE_ERROR, code);
	assert_true(n >= 30); /* not only as far as doubling goes */
	uint32_t sum = sum_of(d, "t", 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(KP_ERR_KAFKA_STORAGE_ERROR, disk_produce(d, 1, 3000));
	assert_int_equal(n, disk_info(d, "t", 0).end_offset);
	assert_non_null(strstr(d->said, "File too large: answered with KAFKA_STORAGE_ERROR"));
	assert_null(strchr(strchr(d->said, '\n') + 1, '\n')); /* said once */
	disk_limit_files(DISK_NO_LIMIT);
	disk_kill(d);
	disk_start(d);
	assert_int_equal(n, disk_info(d, "t", 0).end_offset);
	assert_int_equal(sum, sum_of(d, "t", 0));
	disk_limit_files(100000);
	assert_int_equal(KP_ERR_KAFKA_STORAGE_ERROR, disk_produce(d, 1, 3000));
	disk_limit_files(DISK_NO_LIMIT);
	assert_int_equal(0, disk_produce(d, 1, 3000)); /* there is room again */
	assert_non_null(strstr(d->said, "can be written to again"));
	disk_end(d);
	disk_start(d);
	assert_int_equal(n + 1, disk_info(d, "t", 0).end_offset);
	disk_test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_in_order_and_sudden_ones_keep_everything),
		cmocka_unit_test(random_lives_agree_with_a_broker_in_memory),
		cmocka_unit_test(properties_come_back_whatever_they_hold),
		cmocka_unit_test(a_deleted_topic_stays_away_and_its_name_begins_anew),
		cmocka_unit_test(half_made_and_half_deleted_topics_are_swept_up),
		cmocka_unit_test(a_log_that_was_cut_to_nothing_stays_so),
		cmocka_unit_test(ten_thousand_partitions_come_back),
		cmocka_unit_test(foreign_folders_are_left_alone),
		cmocka_unit_test(a_folder_is_used_once_at_a_time),
		cmocka_unit_test(bad_properties_are_named_with_their_line),
		cmocka_unit_test(a_full_disk_refuses_and_recovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
