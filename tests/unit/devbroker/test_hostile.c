/*
 * test_hostile.c - frames that nobody vouches for: truncated at every offset, changed, random, with absurd counts. The core answers or
 * asks for the connection to be closed; it never crashes (run under the sanitizers) and never takes memory past its bounds.
 */
#include "db_test.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/random.h"
#include "wire/msg_create_topics.h"

static db_test *t;
static uint64_t conn;

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

/* Carry it out and forget whatever comes; the frame is copied to its exact size, so that reading behind it is seen. */
static void throw_at(const uint8_t *p, size_t len)
{
	uint8_t *exact = test_malloc(len ? len : 1);
	kp_db_answer a;
	memcpy(exact, p, len);
	(void)!kp_db_request(t->db, 1, ++conn, kp_slice_of(exact, len), t->now_us);
	test_free(exact);
	db_pass(t, 1000);
	kp_db_conn_gone(t->db, conn);
	while (kp_db_next_answer(t->db, &a))
		kp_buf_deinit(&a.bytes);
}

/* Frames with something in them, one for each of the large APIs and both kinds of encoding. */
static kp_slice sample(int i)
{
	kp_produce_request p;
	kp_create_topics_request c;
	kp_create_topics_request_topic ct;
	kp_create_topics_request_config cc = {kp_slice_cstr("max.message.bytes"), kp_slice_cstr("77")};
	kp_metadata_request m;
	kp_metadata_request_topic mt;
	db_produce_request(
		t, "t", 0, -1,
		db_make_batch(t, &(db_batch){.n = 5, .has_producer = true, .producer_id = 3, .attributes = (int16_t)(i % 5)}), &p);
	kp_wire_init(&kp_create_topics_request_schema, &c, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &ct, 1);
	ct.name = kp_slice_cstr("created");
	ct.num_partitions = ct.replication_factor = 1;
	ct.configs.items = &cc;
	ct.configs.n = 1;
	c.topics.items = &ct;
	c.topics.n = 1;
	kp_wire_init(&kp_metadata_request_schema, &m, 1);
	kp_wire_init(&kp_metadata_request_topic_schema, &mt, 1);
	mt.name = kp_slice_cstr("t");
	m.topics.items = &mt;
	m.topics.n = 1;
	switch (i % 8) {
	case 0: return db_frame(t, KP_API_PRODUCE, 8, &p);
	case 1: return db_frame(t, KP_API_PRODUCE, 9, &p);
	case 2: return db_frame(t, KP_API_PRODUCE, 13, &p);
	case 3: return db_frame(t, KP_API_FETCH, 4, db_fetch_request(t, "t", 0, 0, 1 << 20, 10));
	case 4: return db_frame(t, KP_API_FETCH, 18, db_fetch_request(t, "t", 0, 0, 1 << 20, 10));
	case 5: return db_frame(t, KP_API_CREATE_TOPICS, 4, &c);
	case 6: return db_frame(t, KP_API_CREATE_TOPICS, 7, &c);
	default: return db_frame(t, KP_API_METADATA, 12, &m);
	}
}

static void truncated_at_every_offset(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		kp_slice f = sample(i);
		for (size_t len = 0; len <= f.len; len++)
			throw_at(f.ptr, len);
	}
}

static void every_byte_changed(void **state)
{
	(void)state;
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	for (int i = 0; i < 10; i++) {
		kp_slice f = sample(i);
		uint8_t *p = (uint8_t *)f.ptr;
		for (size_t at = 0; at < f.len; at++) {
			uint8_t old = p[at];
			for (size_t v = 0; v < sizeof(values); v++) {
				p[at] = values[v];
				throw_at(p, f.len);
			}
			p[at] = old;
		}
	}
}

static void random_bytes(void **state)
{
	(void)state;
	static const int16_t keys[] = {0, 1, 2, 3, 10, 18, 19, 20, 22, 32, 37, 60};
	uint8_t frame[300];
	kp_random r;
	kp_random_init(&r, 7);
	for (int i = 0; i < 60000; i++) {
		size_t len = kp_random_below(&r, sizeof(frame));
		for (size_t k = 0; k < len; k++) /* mostly small numbers, so that some get far */
			frame[k] = (uint8_t)(kp_random_below(&r, 3) ? kp_random_below(&r, 4) : kp_random_next(&r));
		if (len >= 4) {
			kp_store_be16(frame, (uint16_t)keys[kp_random_below(&r, 12)]);
			kp_store_be16(frame + 2, (uint16_t)kp_random_below(&r, 20));
		}
		throw_at(frame, len);
	}
}

/* Batches whose crc is right, so that the records behind it are looked at. */
static void random_records_with_a_good_crc(void **state)
{
	(void)state;
	uint8_t raw[200];
	kp_random r;
	kp_random_init(&r, 8);
	for (int i = 0; i < 20000; i++) {
		size_t len = kp_random_below(&r, sizeof(raw));
		for (size_t k = 0; k < len; k++)
			raw[k] = (uint8_t)(kp_random_below(&r, 2) ? kp_random_below(&r, 24) : kp_random_next(&r));
		kp_produce_request q;
		db_batch b = {.n = 1 + (int32_t)kp_random_below(&r, 3),
		              .attributes = (int16_t)kp_random_below(&r, 6),
		              .raw = kp_slice_of(raw, len)};
		kp_wire_init(&kp_produce_request_schema, &q, 1);
		kp_produce_request_partition qp = {0, db_make_batch(t, &b)};
		kp_produce_request_topic qt = {.name = kp_slice_cstr("t"), .partition_data = {&qp, 1}};
		q.acks = 1;
		q.topic_data.items = &qt;
		q.topic_data.n = 1;
		kp_slice f = db_frame(t, KP_API_PRODUCE, 8, &q);
		throw_at(f.ptr, f.len);
		kp_arena_reset(&t->arena);
	}
}

static void absurd_counts_take_no_memory(void **state)
{
	(void)state;
	kp_db_stats stats;
	uint64_t before = kp_mem_count();
	static const struct {
		int16_t key, version;
	} apis[] = {{0, 8}, {0, 13}, {1, 4}, {1, 18}, {2, 5}, {2, 11}, {3, 4}, {3, 12}, {19, 4}, {20, 3}, {32, 1}, {37, 1}};
	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++) {
		uint8_t frame[64];
		memset(frame, 0x7f, sizeof(frame)); /* counts of 2139062143, lengths of 32639 */
		kp_store_be16(frame, (uint16_t)apis[i].key);
		kp_store_be16(frame + 2, (uint16_t)apis[i].version);
		kp_store_be16(frame + 8, 0);
		throw_at(frame, sizeof(frame));
	}
	assert_true(kp_mem_count() - before < 200);
	kp_db_get_stats(t->db, &stats);
	assert_int_equal(0, stats.log_bytes);
}

/* Many tiny elements that each ask for much: the arena's bound ends it. */
static void frame_full_of_elements_is_bounded(void **state)
{
	(void)state;
	size_t n = 4000000, len = 10 + 2 + 4 + 4 + 2 + 1 + 4 + n * 8;
	uint8_t *frame = test_calloc(1, len), *p = frame;
	p = kp_store_be16(p, KP_API_PRODUCE);
	p = kp_store_be16(p, 8);
	p = kp_store_be32(p, 1);
	p = kp_store_be16(p, 0); /* client id "" */
	p = kp_store_be16(p, 0xffff);
	p = kp_store_be16(p, 1);
	p = kp_store_be32(p, 1000);
	p = kp_store_be32(p, 1);
	p = kp_store_be16(p, 1);
	*p++ = 't';
	kp_store_be32(p, (uint32_t)n); /* partition 0 with empty records, n times */
	assert_int_not_equal(0, kp_db_request(t->db, 1, CONN, kp_slice_of(frame, len), 0));
	db_expect_no_answer(t);
	test_free(frame);
}

static void oversized_frames_are_refused(void **state)
{
	(void)state;
	static const uint8_t one[16];
	assert_int_equal(KP_ERR_PROTOCOL, kp_db_request(t->db, 1, CONN, kp_slice_of(one, KP_DB_MAX_FRAME + 1), 0));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_request(t->db, 0, CONN, kp_slice_of(one, 8), 0));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_request(t->db, 4, CONN, kp_slice_of(one, 8), 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(truncated_at_every_offset),      TEST(every_byte_changed),           TEST(random_bytes),
		TEST(random_records_with_a_good_crc), TEST(absurd_counts_take_no_memory), TEST(frame_full_of_elements_is_bounded),
		TEST(oversized_frames_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
