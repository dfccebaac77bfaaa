/*
 * test_log.c - the log in memory: reading at batch borders, truncation, the bound that all logs share. Compared with a plain array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/random.h"
#include "devbroker/log.h"

/* A batch that only the log would take for one: n records in `size` bytes, filled with a byte of its own. */
static void append(kp_db_log *log, int32_t n, size_t size, uint8_t fill)
{
	uint8_t *b = test_malloc(size), *stored;
	memset(b, fill, size);
	kp_store_be32(b + 8, (uint32_t)(size - 12));
	kp_store_be32(b + 23, (uint32_t)(n - 1));
	assert_int_equal(0, kp_db_log_append(log, kp_slice_of(b, size), n, 9, &stored));
	assert_int_equal(9, kp_load_be32(stored + 12));
	test_free(b);
}

static void reading_respects_limits(void **state)
{
	(void)state;
	kp_db_log_pool pool;
	kp_db_log log;
	kp_db_log_pool_init(&pool, 1 << 20);
	kp_db_log_init(&log, &pool);
	assert_int_equal(0, kp_db_log_read(&log, 0, 100, 1000, true).len);
	for (int i = 0; i < 5; i++)
		append(&log, 10, 100, (uint8_t)i);
	assert_int_equal(50, log.end_offset);
	assert_int_equal(500, kp_db_log_read(&log, 0, 50, 1000, true).len);
	assert_int_equal(300, kp_db_log_read(&log, 25, 50, 1000, true).len); /* from the batch that holds 25 */
	assert_int_equal(200, kp_db_log_read(&log, 10, 30, 1000, true).len); /* up to the limit */
	assert_int_equal(299, kp_db_log_read(&log, 0, 50, 299, true).len);   /* the last one cut */
	assert_int_equal(100, kp_db_log_read(&log, 0, 50, 99, true).len);    /* one at least */
	assert_int_equal(0, kp_db_log_read(&log, 0, 50, 99, false).len);
	assert_int_equal(0, kp_db_log_read(&log, 50, 60, 1000, true).len);
	assert_int_equal(0, kp_db_log_read(&log, 20, 20, 1000, true).len);
	kp_db_log_deinit(&log);
	kp_db_log_pool_deinit(&pool);
	assert_int_equal(0, pool.bytes);
}

static void oldest_chunk_of_all_logs_is_dropped(void **state)
{
	(void)state;
	kp_db_log_pool pool;
	kp_db_log a, b;
	kp_db_log_pool_init(&pool, 4 << 20);
	kp_db_log_init(&a, &pool);
	kp_db_log_init(&b, &pool);
	append(&a, 1, 5000, 1);
	for (int i = 0; i < 2000; i++) {
		append(&b, 1, 50000, 2);
		assert_true(pool.bytes <= (4 << 20));
	}
	assert_int_equal(1, a.start_offset); /* its only batch is gone */
	assert_int_equal(1, a.end_offset);
	assert_int_equal(0, a.n_chunks);
	assert_true(b.start_offset > 1900);
	assert_int_equal((b.end_offset - b.start_offset) * 50000, b.bytes);
	assert_int_equal(5000 + b.start_offset * 50000, pool.n_dropped_bytes);
	append(&a, 1, 5000, 3);
	assert_int_equal(2, a.end_offset);
	assert_int_equal(5000, kp_db_log_read(&a, 1, 2, 1 << 20, true).len);
	append(&a, 1, 8 << 20, 4); /* over the bound alone: kept all the same */
	assert_int_equal(8 << 20, kp_db_log_read(&a, 2, 3, 1, true).len);
	kp_db_log_deinit(&a);
	kp_db_log_deinit(&b);
	kp_db_log_pool_deinit(&pool);
}

typedef struct model {
	int64_t base[4096];
	size_t size[4096];
	int n;
} model;

static void check_against(const kp_db_log *log, const model *m, kp_random *r)
{
	int64_t at = 0, offset;
	kp_slice batch;
	for (int i = 0; i < m->n; i++) {
		assert_true(kp_db_log_next(log, &at, &batch));
		assert_int_equal(m->base[i], kp_load_be64(batch.ptr));
		assert_int_equal(m->size[i], batch.len);
	}
	assert_false(kp_db_log_next(log, &at, &batch));
	assert_int_equal(log->end_offset, at == 0 ? 0 : at);
	if (!m->n)
		return;
	int pick = (int)kp_random_below(r, (uint32_t)m->n);
	offset = kp_db_batch_end(kp_db_log_read(log, m->base[pick], INT64_MAX, 1, true).ptr) - 1;
	size_t total = 0, max = kp_random_below(r, 100000), first = m->size[pick];
	kp_slice some = kp_db_log_read(log, offset, INT64_MAX, max, true);
	assert_int_equal(m->base[pick], kp_load_be64(some.ptr));
	while (total < some.len)
		total += m->size[pick++];
	assert_true(total == some.len || (some.len == max && max > first)); /* cut, but not the first */
}

static void random_appends_and_cuts_agree_with_a_model(void **state)
{
	(void)state;
	static model m;
	kp_db_log_pool pool;
	kp_db_log log;
	kp_random r;
	kp_random_init(&r, 3);
	kp_db_log_pool_init(&pool, (size_t)1 << 30);
	kp_db_log_init(&log, &pool);
	for (int i = 0; i < 3000; i++) {
		if (kp_random_below(&r, 40) == 0 && m.n) {
			int keep = (int)kp_random_below(&r, (uint32_t)m.n + 1);
			int64_t end = keep < m.n ? m.base[keep] + (int64_t)kp_random_below(&r, 2) : log.end_offset;
			kp_db_log_truncate(&log, end); /* an end inside a batch removes it whole */
			m.n = keep;
		} else {
			int32_t n = 2 + (int32_t)kp_random_below(&r, 50);
			m.base[m.n] = log.end_offset;
			m.size[m.n] = 61 + kp_random_below(&r, kp_random_below(&r, 10) ? 300 : 60000);
			append(&log, n, m.size[m.n], (uint8_t)i);
			m.n++;
		}
		if (i % 50 == 0)
			check_against(&log, &m, &r);
	}
	check_against(&log, &m, &r);
	kp_db_log_truncate(&log, 0);
	assert_int_equal(0, log.end_offset);
	assert_int_equal(0, log.bytes);
	kp_db_log_deinit(&log);
	kp_db_log_pool_deinit(&pool);
	assert_int_equal(0, pool.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_respects_limits),
		cmocka_unit_test(oldest_chunk_of_all_logs_is_dropped),
		cmocka_unit_test(random_appends_and_cuts_agree_with_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
