/*
 * test_append.c - what the append half accepts, refuses, and makes of its batches.
 */
#include "engine_fixture.h"

/* A topic with known partitions and a linger that nothing outlasts, so that open batches stay open. */
static fx *lingering(kp_engine_config *config, int32_t n_partitions)
{
	kp_engine_config c = config ? *config : fx_config();
	c.linger_us = 20 * FX_SECOND;
	return fx_with_topic(&c, n_partitions);
}

static void append_refuses_a_record_exactly_above_the_bound(void **state)
{
	static uint8_t value[20000];
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 5000;
	fx *f = lingering(&config, 1);
	for (size_t len = 4800; len < 5100; len++) {
		kp_append_args a = {.partition = 0, .timestamp_ms = 1, .content = {.value = kp_slice_of(value, len)}};
		bool is_small = kp_engine_record_size(&a) + KP_BATCH_HEADER_SIZE <= 5000;
		int number = fx_send_args(f, "events", &a);
		assert_true(is_small ? number > 0 : number == KP_ERR_RECORD_TOO_LARGE);
	}
	kp_record_header h = {kp_slice_cstr("name"), kp_slice_of(value, 20000)};
	kp_append_args a = {.partition = 0, .content = {.value = kp_slice_of(value, 1), .headers = &h, .n_headers = 1}};
	assert_int_equal(fx_send_args(f, "events", &a), KP_ERR_RECORD_TOO_LARGE);
	fx_free(f);
}

static void append_takes_a_record_larger_than_a_batch_into_one_of_its_own(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	int small = fx_send(f, "events", 0, NULL, 10);
	int large = fx_send(f, "events", 0, NULL, 100000);
	int next = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_check(f, small, KP_PERSISTED, 0);
	fx_check(f, large, KP_PERSISTED, 0);
	assert_int_equal(f->reports[next].n, 0); /* lingers */
	assert_int_equal(f->n_requests, 2);
	fx_free(f);
}

static void append_would_block_when_the_budget_is_gone_and_says_when_room_comes_back(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 200000;
	fx *f = lingering(&config, 2);
	int number, n = 0;
	f->hold = true;
	uint64_t generation;
	do {
		generation = kp_engine_room_generation(f->engine);
		number = fx_send(f, "events", n % 2, NULL, 2000);
		n += number > 0;
	} while (number > 0);
	assert_int_equal(number, KP_ERR_WOULD_BLOCK);
	assert_true(n > 20);
	assert_true(kp_budget_used(&f->engine->shared.budget) <= 200000);
	assert_int_equal(kp_engine_room_generation(f->engine), generation);
	f->hold = false;
	kp_engine_wants_room(f->engine, 1); /* nothing lingers while somebody waits */
	fx_run(f);
	assert_int_not_equal(kp_engine_room_generation(f->engine), generation);
	assert_true(fx_send(f, "events", 0, NULL, 2000) > 0);
	fx_run(f);
	for (int i = 1; i <= f->n_sent; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	kp_engine_wants_room(f->engine, -1);
	fx_free(f);
}

/* One dead partition must leave room for the others: it may hold no more than what is still free. */
static void append_bounds_what_one_partition_holds(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 1 << 20;
	fx *f = lingering(&config, 4);
	int number;
	f->hold = true;
	while ((number = fx_send(f, "events", 0, NULL, 4000)) > 0)
		continue;
	assert_int_equal(number, KP_ERR_WOULD_BLOCK);
	int64_t held = atomic_load(&fx_partition(f, "events", 0)->shared.bytes);
	assert_true(held > 300000 && held < 700000);
	int others = 0;
	for (int32_t i = 1; i < 4; i++)
		while (fx_send(f, "events", i, NULL, 4000) > 0)
			others++;
	assert_true(others > 60);
	f->hold = false;
	fx_free(f);
}

static void append_bounds_the_number_of_records(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.max_queued_records = 10;
	fx *f = lingering(&config, 1);
	for (int i = 0; i < 10; i++)
		assert_true(fx_send(f, "events", 0, NULL, 10) > 0);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_WOULD_BLOCK);
	assert_int_equal(fx_send(f, "events", 9, NULL, 10), KP_ERR_WOULD_BLOCK);
	fx_advance(f, f->config.linger_us);
	assert_int_equal(fx_send(f, "events", 9, NULL, 10), KP_ERR_UNKNOWN_PARTITION); /* takes no place */
	for (int i = 0; i < 10; i++)
		assert_true(fx_send(f, "events", 0, NULL, 10) > 0);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_WOULD_BLOCK);
	fx_free(f);
}

static void append_refuses_unknown_partitions(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 3);
	assert_int_equal(fx_send(f, "events", 3, NULL, 1), KP_ERR_UNKNOWN_PARTITION);
	assert_int_equal(fx_send(f, "events", -2, NULL, 1), KP_ERR_UNKNOWN_PARTITION);
	assert_int_equal(fx_send(f, "events", INT32_MAX, NULL, 1), KP_ERR_UNKNOWN_PARTITION);
	assert_true(fx_send(f, "events", 2, NULL, 1) > 0);
	fx_free(f);
}

static void append_refuses_everything_once_closed(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	int before = fx_send(f, "events", 0, NULL, 1);
	kp_engine_stop_accepting(f->engine);
	assert_int_equal(fx_send(f, "events", 0, NULL, 1), KP_ERR_CLOSED);
	assert_int_equal(fx_send(f, "unknown-topic", KP_PARTITION_ANY, NULL, 1), KP_ERR_CLOSED);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	fx_run(f);
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	fx_check(f, before, KP_PERSISTED, 0);
	fx_free(f);
}

static void append_closes_a_batch_when_it_is_full(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = lingering(&config, 1);
	for (int i = 0; i < 10; i++)
		fx_send(f, "events", 0, NULL, 300);
	fx_run(f);
	/* three to a batch; the tenth lingers */
	assert_int_equal(f->n_requests, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(f->requests[i].parts[0].header.n_records, 3);
		assert_true(f->requests[i].parts[0].len - KP_BATCH_HEADER_SIZE <= 1000);
	}
	assert_int_equal(f->reports[10].n, 0);
	fx_advance(f, f->config.linger_us);
	fx_check(f, 10, KP_PERSISTED, 0);
	fx_free(f);
}

static void send_at(fx *f, int64_t timestamp_ms)
{
	kp_append_args a = {.partition = 0, .timestamp_ms = timestamp_ms};
	assert_true(fx_send_args(f, "events", &a) > 0);
}

static void append_keeps_timestamps_whatever_their_distance(void **state)
{
	static const int64_t times[] = {5000, 4000,         5000 + (int64_t)INT32_MAX, 5000 + (int64_t)INT32_MAX + 1, 0, INT64_MAX,
	                                0,    INT64_MAX - 1};
	static const int n_records[] = {3, 1, 1, 1, 1, 1};
	int at = 0;
	(void)state;
	fx *f = lingering(NULL, 1);
	for (size_t i = 0; i < KP_ARRAY_LEN(times); i++)
		send_at(f, times[i]);
	fx_advance(f, f->config.linger_us);
	assert_int_equal(f->n_requests, (int)KP_ARRAY_LEN(n_records));
	for (int i = 0; i < f->n_requests; i++) {
		const fx_part *part = &f->requests[i].parts[0];
		const uint8_t *p = part->bytes + KP_BATCH_HEADER_SIZE;
		int64_t most = INT64_MIN;
		assert_int_equal(part->header.n_records, n_records[i]);
		for (int k = 0; k < n_records[i]; k++, at++) {
			kp_record_view v;
			assert_int_equal(kp_record_load(&p, part->bytes + part->len, &v), 0);
			assert_int_equal(part->header.base_timestamp + v.timestamp_delta, times[at]);
			most = times[at] > most ? times[at] : most;
		}
		assert_int_equal(part->header.max_timestamp, most);
	}
	fx_free(f);
}

static void check_times(const fx *f, const int64_t *wanted, int n)
{
	const fx_part *part = &f->requests[0].parts[0];
	const uint8_t *p = part->bytes + KP_BATCH_HEADER_SIZE;
	int64_t most = INT64_MIN;
	assert_int_equal(f->n_requests, 1);
	assert_int_equal(part->header.n_records, n);
	for (int i = 0; i < n; i++) {
		kp_record_view v;
		assert_int_equal(kp_record_load(&p, part->bytes + part->len, &v), 0);
		assert_int_equal(part->header.base_timestamp + v.timestamp_delta, wanted[i]);
		most = wanted[i] > most ? wanted[i] : most;
	}
	assert_int_equal(part->header.max_timestamp, most);
}

static void send_now(fx *f, int64_t coarse_ms)
{
	kp_append_args a = {.partition = 0, .timestamp_ms = coarse_ms, .is_now = true};
	assert_true(fx_send_args(f, "events", &a) > 0);
}

/* The clock that callers read for "now" may be a tick behind the exact one, which dates the batch. */
static void append_dates_no_record_of_now_before_its_batch(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	int64_t exact = FX_WALL_MS_AT_ZERO + f->now_us / 1000;
	const int64_t coarse[] = {exact - 4, exact - 4, exact, exact + 4, exact - 3600000};
	const int64_t wanted[] = {exact, exact, exact, exact + 4, exact};
	for (size_t i = 0; i < KP_ARRAY_LEN(coarse); i++)
		send_now(f, coarse[i]);
	fx_advance(f, f->config.linger_us);
	check_times(f, wanted, KP_ARRAY_LEN(wanted));
	fx_free(f);
}

static void append_dates_records_of_now_whatever_time_another_one_asked_for(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	int64_t exact = FX_WALL_MS_AT_ZERO + f->now_us / 1000;
	const int64_t wanted[] = {exact + 3600000, exact, exact - 5000, exact - 4};
	send_at(f, wanted[0]);
	send_now(f, wanted[1]);
	send_at(f, wanted[2]);
	send_now(f, wanted[3]);
	fx_advance(f, f->config.linger_us);
	check_times(f, wanted, KP_ARRAY_LEN(wanted));
	fx_free(f);
}

static void append_opens_no_batch_before_its_first_record_when_the_clock_was_set_back(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	int64_t exact = FX_WALL_MS_AT_ZERO + f->now_us / 1000;
	const int64_t wanted[] = {exact + 3600000, exact + 3600000};
	send_now(f, wanted[0]);
	send_now(f, exact);
	fx_advance(f, f->config.linger_us);
	check_times(f, wanted, KP_ARRAY_LEN(wanted));
	assert_int_equal(f->requests[0].parts[0].header.base_timestamp, wanted[0]);
	fx_free(f);
}

static void append_carries_key_value_and_headers(void **state)
{
	kp_record_header headers[] = {{kp_slice_cstr("a"), kp_slice_cstr("1")}, {kp_slice_cstr("b"), kp_slice_null()}};
	kp_append_args a = {.partition = 0,
	                    .content = {.key = kp_slice_cstr(""), .value = kp_slice_of("", 0), .headers = headers, .n_headers = 2}};
	kp_record_view v;
	kp_record_header h;
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	assert_true(fx_send_args(f, "events", &a) > 0);
	fx_run(f);
	const fx_part *part = &f->requests[0].parts[0];
	const uint8_t *p = part->bytes + KP_BATCH_HEADER_SIZE;
	assert_int_equal(kp_record_load(&p, part->bytes + part->len, &v), 0);
	assert_true(v.key.ptr && v.key.len == 0 && v.value.ptr && v.value.len == 0);
	assert_int_equal(v.n_headers, 2);
	assert_int_equal(kp_record_header_next(&v.headers, &h), 0);
	assert_true(kp_slice_equal(h.value, kp_slice_cstr("1")));
	assert_int_equal(kp_record_header_next(&v.headers, &h), 0);
	assert_true(kp_slice_is_null(h.value));
	fx_free(f);
}

static void append_keeps_no_entries_when_nothing_is_reported(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.reports = KP_REPORTS_NONE;
	config.linger_us = 20 * FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 1);
	fx_run(f);
	assert_int_equal(fx_partition(f, "events", -1)->shared.open ? 1 : 0, 0);
	assert_null(fx_partition(f, "events", 0)->shared.open->entries);
	assert_int_equal(fx_partition(f, "events", 0)->shared.open->n_entries, 0);
	fx_send(f, "events", 0, NULL, 1);
	assert_null(fx_partition(f, "events", 0)->shared.open->entries);
	kp_append_args group = {.partition = 0, .timestamp_ms = 1700000000000, .is_group = true}; /* a group is told in any case */
	int number = fx_send_args(f, "events", &group);
	const kp_batch *b = fx_partition(f, "events", 0)->shared.open;
	assert_int_equal(b->n_entries, 3);
	assert_true(b->entries[2].place & KP_ENTRY_GROUP);
	assert_false(b->entries[1].place & KP_ENTRY_GROUP);
	assert_int_equal((intptr_t)b->entries[2].opaque, number);
	f->hold_ended = true;
	fx_advance(f, f->config.linger_us);
	kp_batch *ended = kp_engine_next_ended(f->engine);
	assert_int_equal(ended->n_records, 3);
	kp_engine_release(f->engine, ended);
	fx_free(f);
}

static void append_allocates_nothing_per_record(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	kp_topic *t = kp_engine_topic(f->engine, "events");
	kp_append_args a = {.partition = 0, .content = {.value = kp_slice_cstr("value")}};
	for (int i = 0; i < 340; i++) {
		a.opaque = (void *)(intptr_t)++f->n_sent;
		assert_int_equal(kp_engine_append(t, &a), 0);
	}
	uint64_t before = kp_mem_count();
	for (int i = 0; i < 160; i++) {
		a.opaque = (void *)(intptr_t)++f->n_sent;
		assert_int_equal(kp_engine_append(t, &a), 0);
	}
	assert_int_equal(kp_mem_count(), before);
	fx_free(f);
}

static void append_leaves_things_as_they_were_when_memory_is_out(void **state)
{
	(void)state;
	fx *f = lingering(NULL, 1);
	for (int fail_at = 1; fail_at <= 3; fail_at++) {
		unit_allocator u;
		kp_append_args a = {.partition = 0, .content = {.value = kp_slice_cstr("value")}};
		int64_t used = kp_budget_used(&f->engine->shared.budget);
		kp_budget_deinit(&f->engine->shared.budget); /* empties the pool */
		unit_allocator_install(&u, fail_at);
		int err = kp_engine_append(kp_engine_topic(f->engine, "events"), &a);
		kp_mem_set_allocator(NULL);
		assert_int_equal(err, KP_ERR_NO_MEMORY);
		assert_int_equal(kp_budget_used(&f->engine->shared.budget), used);
		assert_int_equal(atomic_load(&fx_partition(f, "events", 0)->shared.n_waiting), 0);
		assert_int_equal(atomic_load(&fx_partition(f, "events", 0)->shared.bytes), 0);
		assert_null(fx_partition(f, "events", 0)->shared.open);
	}
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_refuses_a_record_exactly_above_the_bound),
		cmocka_unit_test(append_takes_a_record_larger_than_a_batch_into_one_of_its_own),
		cmocka_unit_test(append_would_block_when_the_budget_is_gone_and_says_when_room_comes_back),
		cmocka_unit_test(append_bounds_what_one_partition_holds),
		cmocka_unit_test(append_bounds_the_number_of_records),
		cmocka_unit_test(append_refuses_unknown_partitions),
		cmocka_unit_test(append_refuses_everything_once_closed),
		cmocka_unit_test(append_closes_a_batch_when_it_is_full),
		cmocka_unit_test(append_keeps_timestamps_whatever_their_distance),
		cmocka_unit_test(append_dates_no_record_of_now_before_its_batch),
		cmocka_unit_test(append_dates_records_of_now_whatever_time_another_one_asked_for),
		cmocka_unit_test(append_opens_no_batch_before_its_first_record_when_the_clock_was_set_back),
		cmocka_unit_test(append_carries_key_value_and_headers),
		cmocka_unit_test(append_keeps_no_entries_when_nothing_is_reported),
		cmocka_unit_test(append_allocates_nothing_per_record),
		cmocka_unit_test(append_leaves_things_as_they_were_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
