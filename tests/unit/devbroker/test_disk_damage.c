/*
 * test_disk_damage.c - what is found at the start: torn tails are cut, damage is refused with its place, --repair cuts it and keeps a copy.
 */
#include "disk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "devbroker/log.h"

#define N_BATCHES 3
#define RESERVED 300 /* zeros behind the batches, as a sudden end leaves them */

/* A log of three batches of 2, 3 and 4 records, ended in order or not; its only segment. */
typedef struct fixture {
	disk_test *d;
	kp_slice segment;
	size_t at[N_BATCHES + 1]; /* where each begins, and the end */
	int64_t offset[N_BATCHES + 1];
	char path[DISK_PATH_SIZE];
} fixture;

static fixture *fixture_new(bool ended_in_order)
{
	fixture *f = test_calloc(1, sizeof(*f));
	f->d = disk_test_new();
	disk_start(f->d);
	assert_int_equal(0, kp_db_create_topic(f->d->t->db, "t", 1, 1));
	for (int i = 0; i < N_BATCHES; i++)
		assert_int_equal(0, disk_produce(f->d, 2 + i, 20));
	disk_end(f->d);
	if (!ended_in_order)
		assert_int_equal(0, unlink(disk_path(f->d, "stopped")));
	snprintf(f->path, sizeof(f->path), "%s", disk_path(f->d, DISK_SEGMENT, 0));
	f->segment = disk_read(f->path);
	for (int i = 0; i < N_BATCHES; i++) {
		f->at[i + 1] = f->at[i] + kp_db_batch_size(f->segment.ptr + f->at[i]);
		f->offset[i + 1] = kp_db_batch_end(f->segment.ptr + f->at[i]);
	}
	assert_int_equal(f->segment.len, f->at[N_BATCHES]);
	return f;
}

static void fixture_free(fixture *f)
{
	test_free((void *)(uintptr_t)f->segment.ptr);
	disk_test_free(f->d);
	test_free(f);
}

/* The segment becomes these bytes and some zeros; nothing says that the last end was in order. */
static void set_segment(fixture *f, const uint8_t *bytes, size_t len, size_t n_zeros)
{
	uint8_t *all = test_calloc(1, len + n_zeros + 1);
	memcpy(all, bytes, len);
	disk_write(f->path, all, len + n_zeros);
	test_free(all);
	unlink(disk_path(f->d, "stopped"));
	*f->d->said = 0;
}

static void a_tail_torn_at_any_byte_is_cut(void **state)
{
	(void)state;
	fixture *f = fixture_new(false);
	for (size_t len = f->at[2]; len <= f->at[3]; len++) {
		for (int zeros = 0; zeros < 2; zeros++) {
			set_segment(f, f->segment.ptr, len, zeros ? RESERVED : 0);
			disk_start(f->d);
			int64_t end = disk_info(f->d, "t", 0).end_offset;
			bool is_whole = len == f->at[3], has_bytes = false;
			for (size_t i = f->at[2]; i < len; i++)
				has_bytes |= f->segment.ptr[i] != 0;
			/* A batch that ends in zeros may be whole before its last byte is written. */
			if (!zeros || end != f->offset[3])
				assert_int_equal(f->offset[is_whole ? 3 : 2], end);
			if (end == f->offset[2])
				assert_int_equal(has_bytes, strstr(f->d->said, "t-0: ") != NULL);
			assert_int_equal(0, disk_produce(f->d, 1, 10));
			assert_int_equal(end + 1, disk_info(f->d, "t", 0).end_offset);
			disk_end(f->d);
			disk_start(f->d); /* and what went on is sound */
			assert_int_equal(end + 1, disk_info(f->d, "t", 0).end_offset);
			disk_end(f->d);
		}
	}
	fixture_free(f);
}

static void a_bad_byte_in_the_last_batch_cuts_it(void **state)
{
	(void)state;
	fixture *f = fixture_new(false);
	uint8_t *bytes = (uint8_t *)(uintptr_t)f->segment.ptr;
	for (size_t i = f->at[2] + 8; i < f->at[3]; i++) { /* behind the offset: a batch with another one is whole, and damage */
		bool is_epoch = i >= f->at[2] + 12 && i < f->at[2] + 16; /* no checksum covers it */
		bytes[i] ^= 0x55;
		set_segment(f, bytes, f->at[3], i % 2 ? RESERVED : 0);
		disk_start(f->d);
		assert_int_equal(f->offset[is_epoch ? 3 : 2], disk_info(f->d, "t", 0).end_offset);
		assert_int_equal(!is_epoch, strstr(f->d->said, "bytes of a half-written batch are cut at offset 5") != NULL);
		assert_true(disk_info(f->d, "t", 0).leader_epoch < 1000000);
		disk_end(f->d);
		bytes[i] ^= 0x55;
	}
	fixture_free(f);
}

static void a_bad_byte_in_the_middle_is_refused_and_repaired(void **state)
{
	(void)state;
	char words[200];
	fixture *f = fixture_new(false);
	uint8_t *bytes = (uint8_t *)(uintptr_t)f->segment.ptr;
	for (size_t i = f->at[1]; i < f->at[2]; i++) {
		if (i >= f->at[1] + 12 && i < f->at[1] + 16)
			continue;
		bytes[i] ^= 0x55;
		set_segment(f, bytes, f->at[3], 0);
		snprintf(words, sizeof(words),
		         "/topics/t/0/00000000000000000000.log is damaged at byte %zu (offset 2): ", f->at[1]);
		disk_refuses(f->d, words);
		disk_refuses(f->d, "start once with --repair");
		kp_slice now = disk_read(f->path); /* nothing was touched */
		assert_int_equal(f->at[3], now.len);
		assert_memory_equal(bytes, now.ptr, now.len);
		test_free((void *)(uintptr_t)now.ptr);
		f->d->is_repairing = true;
		disk_start(f->d);
		f->d->is_repairing = false;
		assert_int_equal(2, disk_info(f->d, "t", 0).end_offset);
		assert_non_null(
			strstr(f->d->said, "t-0: repaired: it ends at offset 2 now; what was cut is in 1 file *.damaged\n"));
		kp_slice kept = disk_read(disk_path(f->d, DISK_SEGMENT ".damaged", 0));
		assert_int_equal(f->at[3] - f->at[1], kept.len);
		assert_memory_equal(bytes + f->at[1], kept.ptr, kept.len);
		test_free((void *)(uintptr_t)kept.ptr);
		disk_end(f->d);
		disk_start(f->d); /* without --repair too */
		disk_end(f->d);
		assert_int_equal(0, unlink(disk_path(f->d, DISK_SEGMENT ".damaged", 0)));
		bytes[i] ^= 0x55;
	}
	fixture_free(f);
}

static void a_log_damaged_at_its_first_byte_goes_on_at_its_offset(void **state)
{
	(void)state;
	fixture *f = fixture_new(false);
	disk_test *d = f->d;
	uint8_t *bytes = (uint8_t *)(uintptr_t)f->segment.ptr;
	/* As if all before it had been dropped: the log begins at offset 2. */
	assert_int_equal(0, unlink(f->path));
	snprintf(f->path, sizeof(f->path), "%s", disk_path(d, DISK_SEGMENT, 2));
	bytes[f->at[1] + 70] ^= 1;
	disk_write(f->path, bytes + f->at[1], f->at[3] - f->at[1]);
	disk_refuses(d, "is damaged at byte 0 (offset 2): a batch's checksum is wrong");
	for (int i = 0; i < 2; i++) { /* the second time its name is taken */
		d->is_repairing = true;
		disk_start(d);
		assert_int_equal(2, disk_info(d, "t", 0).start_offset);
		assert_int_equal(2, disk_info(d, "t", 0).end_offset);
		assert_int_equal(0, disk_produce(d, 4, 30));
		disk_end(d);
		disk_write(f->path, bytes + f->at[1], f->at[3] - f->at[1]);
	}
	assert_true(disk_exists(disk_path(d, DISK_SEGMENT ".damaged", 2)));
	assert_true(disk_exists(disk_path(d, DISK_SEGMENT ".1.damaged", 2)));
	fixture_free(f);
}

static void after_an_end_in_order_nothing_may_be_missing(void **state)
{
	(void)state;
	fixture *f = fixture_new(true);
	kp_slice stopped = disk_read(disk_path(f->d, "stopped"));
	disk_write(f->path, f->segment.ptr, f->at[2]);
	disk_refuses(f->d, "partition 0 of topic t is damaged: it holds offsets 0 to 5, and 0 to 9 when the broker was stopped");
	disk_write(f->path, f->segment.ptr, f->at[2] + 10);
	disk_refuses(f->d, "is damaged at byte");
	f->d->is_repairing = true;
	disk_start(f->d);
	assert_int_equal(5, disk_info(f->d, "t", 0).end_offset);
	disk_kill(f->d);
	assert_false(disk_exists(disk_path(f->d, "stopped")));
	disk_write(disk_path(f->d, "stopped"), "t 0=0 what\n", 11);
	disk_refuses(f->d, "stopped is damaged: 't 0' is nothing that this broker writes");
	test_free((void *)(uintptr_t)stopped.ptr);
	fixture_free(f);
}

/* A log of several segments. */
static disk_test *with_segments(void)
{
	disk_test *d = disk_test_new();
	d->segment_max = 10000;
	disk_start(d);
	assert_int_equal(0, kp_db_create_topic(d->t->db, "t", 1, 1));
	for (int i = 0; i < 40; i++)
		assert_int_equal(0, disk_produce(d, 1, 1000));
	disk_end(d);
	assert_int_equal(0, unlink(disk_path(d, "stopped")));
	assert_true(disk_exists(disk_path(d, DISK_SEGMENT, 9)));
	assert_true(disk_exists(disk_path(d, DISK_SEGMENT, 36)));
	return d;
}

static void a_missing_segment_is_refused_and_repaired(void **state)
{
	(void)state;
	disk_test *d = with_segments();
	assert_int_equal(0, unlink(disk_path(d, DISK_SEGMENT, 9)));
	disk_refuses(d,
	             "00000000000000000018.log does not go on where the log before it ends, at offset 9: start once with --repair");
	d->is_repairing = true;
	disk_start(d);
	assert_int_equal(9, disk_info(d, "t", 0).end_offset);
	assert_non_null(strstr(d->said, "t-0: repaired: it ends at offset 9 now; what was cut is in 3 files *.damaged"));
	assert_true(disk_exists(disk_path(d, DISK_SEGMENT ".damaged", 18)));
	assert_int_equal(0, disk_produce(d, 1, 1000));
	disk_end(d);
	d->is_repairing = false;
	disk_start(d);
	assert_int_equal(10, disk_info(d, "t", 0).end_offset);
	disk_test_free(d);
}

static void a_torn_batch_in_front_of_a_segment_is_damage(void **state)
{
	(void)state;
	disk_test *d = with_segments();
	char path[DISK_PATH_SIZE];
	snprintf(path, sizeof(path), "%s", disk_path(d, DISK_SEGMENT, 9));
	assert_int_equal(0, truncate(path, 9000));
	disk_refuses(d, "00000000000000000009.log is damaged at byte 8");
	assert_int_equal(0, truncate(path, 0)); /* then its batches are missing */
	disk_refuses(d, "00000000000000000018.log does not go on where the log before it ends, at offset 9");
	d->is_repairing = true;
	disk_start(d);
	assert_int_equal(9, disk_info(d, "t", 0).end_offset);
	disk_test_free(d);
}

static void what_does_not_belong_there_is_named(void **state)
{
	(void)state;
	fixture *f = fixture_new(true);
	disk_write(disk_path(f->d, "topics/t/0/00000000000000000000.index"), "", 0);
	disk_refuses(f->d, "topics/t/0/00000000000000000000.index does not belong there");
	f->d->is_repairing = true;
	disk_start(f->d);
	assert_non_null(strstr(f->d->said, "00000000000000000000.index does not belong there: left alone"));
	assert_int_equal(9, disk_info(f->d, "t", 0).end_offset);
	disk_end(f->d);
	f->d->is_repairing = false;
	assert_int_equal(0, unlink(disk_path(f->d, "topics/t/0/00000000000000000000.index")));
	assert_int_equal(0, mkdir(disk_path(f->d, "topics/what is this"), 0755));
	disk_refuses(f->d, "topics/what is this does not belong there: move it away");
	fixture_free(f);
}

static void a_missing_partition_is_refused(void **state)
{
	(void)state;
	fixture *f = fixture_new(false);
	assert_int_equal(0, unlink(f->path));
	assert_int_equal(0, rmdir(disk_path(f->d, "topics/t/0")));
	disk_refuses(f->d, "topics/t/0 is missing: bring it back");
	f->d->is_repairing = true;
	disk_start(f->d);
	assert_int_equal(0, disk_info(f->d, "t", 0).end_offset);
	assert_int_equal(0, disk_produce(f->d, 1, 10));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tail_torn_at_any_byte_is_cut),
		cmocka_unit_test(a_bad_byte_in_the_last_batch_cuts_it),
		cmocka_unit_test(a_bad_byte_in_the_middle_is_refused_and_repaired),
		cmocka_unit_test(a_log_damaged_at_its_first_byte_goes_on_at_its_offset),
		cmocka_unit_test(after_an_end_in_order_nothing_may_be_missing),
		cmocka_unit_test(a_missing_segment_is_refused_and_repaired),
		cmocka_unit_test(a_torn_batch_in_front_of_a_segment_is_damage),
		cmocka_unit_test(what_does_not_belong_there_is_named),
		cmocka_unit_test(a_missing_partition_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
