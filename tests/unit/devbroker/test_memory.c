/*
 * test_memory.c - memory runs out at every allocation in turn: the core refuses or closes, never crashes, and gives everything back.
 */
#include "disk_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_describe_configs.h"
#include "wire/msg_init_producer_id.h"

static struct {
	long n, fail_at, live;
} allocator;

static void *counted_realloc(void *p, size_t size, void *opaque)
{
	(void)opaque;
	if (++allocator.n == allocator.fail_at)
		return NULL;
	allocator.live += p == NULL;
	return realloc(p, size);
}

static void counted_free(void *p, void *opaque)
{
	(void)opaque;
	allocator.live -= p != NULL;
	free(p);
}

/* Frames that touch most of the core. */
#define N_FRAMES 9
static kp_slice frames[N_FRAMES];

static void make_frames(db_test *t)
{
	kp_produce_request p;
	kp_create_topics_request_config cc = {kp_slice_cstr("max.message.bytes"), kp_slice_cstr("77777")};
	kp_create_topics_request_topic ct;
	kp_create_topics_request c;
	kp_describe_configs_request_resource dr;
	kp_describe_configs_request d;
	kp_init_producer_id_request i;
	kp_metadata_request m;
	kp_wire_init(&kp_create_topics_request_schema, &c, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &ct, 1);
	kp_wire_init(&kp_describe_configs_request_schema, &d, 1);
	kp_wire_init(&kp_describe_configs_request_resource_schema, &dr, 1);
	kp_wire_init(&kp_init_producer_id_request_schema, &i, 1);
	kp_wire_init(&kp_metadata_request_schema, &m, 1);
	ct.name = kp_slice_cstr("made");
	ct.num_partitions = 20;
	ct.replication_factor = 1;
	ct.configs.items = &cc;
	ct.configs.n = 1;
	c.topics.items = &ct;
	c.topics.n = 1;
	dr.resource_type = 2;
	dr.resource_name = kp_slice_cstr("made");
	dr.configuration_keys.n = -1;
	d.resources.items = &dr;
	d.resources.n = 1;
	d.include_synonyms = true;
	i.transactional_id = kp_slice_cstr("tx");
	i.transaction_timeout_ms = 1000;
	m.topics.n = -1;
	int n = 0;
	frames[n++] = db_frame(t, KP_API_CREATE_TOPICS, 7, &c);
	frames[n++] = db_frame(t, KP_API_DESCRIBE_CONFIGS, 4, &d);
	frames[n++] = db_frame(t, KP_API_INIT_PRODUCER_ID, 4, &i);
	frames[n++] = db_frame(t, KP_API_METADATA, 12, &m);
	for (int32_t s = 0; s < 3; s++) {
		db_batch b = {.n = 5, .has_producer = true, .producer_id = 3, .sequence = 5 * s, .attributes = (int16_t)s};
		db_produce_request(t, "t", 0, -1, db_make_batch(t, &b), &p);
		frames[n++] = db_frame(t, KP_API_PRODUCE, 8, &p);
	}
	db_produce_request(t, "t", 0, -1, db_make_batch(t, &(db_batch){.timestamp = WALL_MS * 2}),
	                   &p); /* its answer has record errors */
	frames[n++] = db_frame(t, KP_API_PRODUCE, 8, &p);
	frames[n++] = db_frame(t, KP_API_FETCH, 4, db_fetch_request(t, "t", 0, 15, 1 << 20, 100));
	assert_int_equal(N_FRAMES, n);
}

static void drop_answers(kp_db *db)
{
	kp_db_answer a;
	while (kp_db_next_answer(db, &a))
		kp_buf_deinit(&a.bytes);
}

static void scenario(const kp_db_options *o)
{
	kp_db *db = kp_db_new(o);
	if (!db)
		return;
	(void)!kp_db_create_topic(db, "t", 3, 1);
	kp_db_set_hw_delay_us(db, 1000);
	for (uint64_t i = 0; i < N_FRAMES; i++) {
		uint64_t conn = i < 5 ? i : 5; /* the last ones share a connection: held, and waiting behind it */
		if (kp_db_request(db, 1, conn, frames[i], (int64_t)i))
			kp_db_conn_gone(db, conn);
	}
	(void)!kp_db_set_leader(db, "t", 0, 1);
	for (int64_t now_us = 0; now_us < 10000; now_us += 500)
		kp_db_step(db, now_us);
	drop_answers(db);
	(void)!kp_db_truncate(db, "t", 0, 5);
	kp_db_free(db);
}

/* With each allocation failing in turn: nothing is left behind. */
static void fail_each(void (*play)(const kp_db_options *o), const kp_db_options *o)
{
	allocator.n = allocator.live = allocator.fail_at = 0;
	play(o);
	assert_int_equal(0, allocator.live);
	long n = allocator.n;
	assert_true(n > 50);
	for (long at = 1; at <= n; at++) {
		allocator.n = 0;
		allocator.fail_at = at;
		play(o);
		assert_int_equal(0, allocator.live);
	}
	allocator.fail_at = 0;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	kp_db_options o;
	kp_db_options_init(&o);
	o.wall_ms_at_zero = WALL_MS;
	db_test *t = db_test_new();
	make_frames(t);
	fail_each(scenario, &o);
	db_test_free(t);
}

static char folder[sizeof(((disk_test *)0)->dir)];

/* Twice in one folder: begun, and gone on with. */
static void scenario_on_disk(const kp_db_options *o)
{
	char err[KP_DB_FAULT_SIZE], command[sizeof(folder) + 20];
	kp_disk_options d = {.dir = folder, .is_repairing = true};
	kp_db_options with_disk = *o;
	for (int i = 0; i < 2; i++) {
		with_disk.storage = kp_disk_open(&d, err, sizeof(err));
		if (!with_disk.storage)
			continue;
		scenario(&with_disk);
		kp_disk_close(with_disk.storage);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'/*", folder);
	assert_int_equal(0, system(command));
}

static void every_allocation_may_fail_on_disk(void **state)
{
	(void)state;
	kp_db_options o;
	disk_test *d = disk_test_new();
	kp_db_options_init(&o);
	o.wall_ms_at_zero = WALL_MS;
	snprintf(folder, sizeof(folder), "%s", d->dir);
	db_test *t = db_test_new();
	make_frames(t);
	fail_each(scenario_on_disk, &o);
	db_test_free(t);
	disk_test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(every_allocation_may_fail_on_disk),
	};
	kp_allocator a = {counted_realloc, counted_free, NULL};
	kp_mem_set_allocator(&a);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
