/*
 * test_calls.c - requests on their way out: pieces, partial writes, recycling, what a lost connection does to them, deadlines.
 */
#include "rpc_fixture.h"

#define N_BATCHES 3

static uint8_t batches[N_BATCHES][40];

/* A Produce request with N_BATCHES batches that stay where they are. */
static kp_rpc_request *call_produce(fixture *f, bool expects_answer, void *opaque)
{
	int error = 0;
	kp_produce_request_partition partitions[N_BATCHES];
	kp_produce_request_topic topic = {.name = kp_slice_cstr("events"), .partition_data = {partitions, N_BATCHES}};
	kp_produce_request body;
	kp_wire_init(&kp_produce_request_schema, &body, 1);
	for (int i = 0; i < N_BATCHES; i++) {
		memset(batches[i], 'A' + i, sizeof(batches[i]));
		partitions[i] = (kp_produce_request_partition){i, kp_slice_of(batches[i], sizeof(batches[i]) - (size_t)i)};
	}
	body.transactional_id = kp_slice_null();
	body.acks = expects_answer ? -1 : 0;
	body.topic_data.items = &topic;
	body.topic_data.n = 1;
	kp_rpc_request *r = kp_rpc_call(&f->rpc, KP_API_PRODUCE, 9, &body, expects_answer, opaque, 0, TIMEOUT_US, &error);
	assert_non_null(r);
	return r;
}

/* The same request written without references. */
static kp_buf expected_bytes(const kp_rpc_request *r)
{
	kp_produce_request_partition partitions[N_BATCHES];
	kp_produce_request_topic topic = {.name = kp_slice_cstr("events"), .partition_data = {partitions, N_BATCHES}};
	kp_produce_request body;
	kp_buf out;
	kp_wire_init(&kp_produce_request_schema, &body, 1);
	for (int i = 0; i < N_BATCHES; i++)
		partitions[i] = (kp_produce_request_partition){i, kp_slice_of(batches[i], sizeof(batches[i]) - (size_t)i)};
	body.transactional_id = kp_slice_null();
	body.acks = -1;
	body.topic_data.items = &topic;
	body.topic_data.n = 1;
	kp_buf_init(&out, 0);
	kp_buf_append(&out, "\0\0\0\0", 4);
	assert_int_equal(kp_wire_write_request_header(&out, KP_API_PRODUCE, 9, r->correlation_id, kp_slice_cstr("tester")), 0);
	assert_int_equal(kp_wire_write(&kp_produce_request_message, 9, &body, &out, NULL), 0);
	kp_store_be32(out.data, (uint32_t)(out.len - 4));
	return out;
}

/* Write the outbox in steps of at most `step` bytes with at most `max` pieces a call; returns what went. */
static kp_buf drain(fixture *f, size_t step, int max)
{
	kp_buf all;
	kp_buf_init(&all, 0);
	while (kp_rpc_has_output(&f->rpc)) {
		struct iovec iov[16];
		int n = kp_rpc_output(&f->rpc, iov, max);
		size_t took = 0;
		assert_true(n > 0 && n <= max);
		for (int i = 0; i < n && took < step; i++) {
			size_t k = iov[i].iov_len < step - took ? iov[i].iov_len : step - took;
			assert_true(iov[i].iov_len > 0);
			kp_buf_append(&all, iov[i].iov_base, k);
			took += k;
		}
		kp_rpc_written(&f->rpc, took);
	}
	assert_false(all.failed);
	return all;
}

static void rpc_output_is_the_same_for_every_size_of_partial_write(void **state)
{
	(void)state;
	size_t total = 1;
	for (size_t step = 1; step <= total; step++) {
		for (int max = 1; max <= 16; max += 5) {
			fixture f;
			fixture_init(&f);
			fixture_ready(&f);
			const kp_rpc_request *r = call_produce(&f, true, NULL);
			kp_buf expected = expected_bytes(r);
			total = r->total;
			assert_int_equal(total, expected.len);
			kp_buf sent = drain(&f, step, max);
			assert_int_equal(sent.len, expected.len);
			assert_memory_equal(sent.data, expected.data, expected.len);
			assert_int_equal(f.n, 1);
			assert_int_equal(f.heard[0].kind, HEARD_WRITTEN);
			kp_buf_deinit(&expected);
			kp_buf_deinit(&sent);
			kp_rpc_deinit(&f.rpc);
		}
	}
}

static void rpc_output_points_at_the_batches_themselves(void **state)
{
	fixture f;
	struct iovec iov[16];
	int found = 0;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	const kp_rpc_request *r = call_produce(&f, true, NULL);
	assert_int_equal(r->refs.n, N_BATCHES);
	int n = kp_rpc_output(&f.rpc, iov, 16);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < N_BATCHES; k++)
			found += iov[i].iov_base == batches[k];
	assert_int_equal(found, N_BATCHES);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_output_goes_on_with_the_next_request(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	for (int i = 0; i < 3; i++)
		call_produce(&f, true, &f.heard[i]);
	kp_buf all = drain(&f, 1000000, 16);
	size_t at = 0;
	for (int i = 0; i < 3; i++)
		at += 4 + kp_load_be32(all.data + at);
	assert_int_equal(at, all.len);
	assert_int_equal(f.n, 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(f.heard[i].opaque, &f.heard[i]);
	kp_buf_deinit(&all);
	kp_rpc_deinit(&f.rpc);
}

static size_t n_spare(const fixture *f)
{
	size_t n = 0;
	for (const kp_list *i = f->rpc.spare.next; i != &f->rpc.spare; i = i->next)
		n++;
	return n;
}

static void rpc_recycles_a_request_without_answer_once_it_is_written(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	size_t before = n_spare(&f);
	call_produce(&f, false, &f);
	assert_int_equal(f.rpc.n_in_flight, 1);
	fixture_write_all(&f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.heard[0].kind, HEARD_WRITTEN);
	assert_int_equal(f.rpc.n_in_flight, 0);
	assert_int_equal(kp_rpc_deadline(&f.rpc), KP_TIME_NEVER);
	assert_int_equal(n_spare(&f), before > 0 ? before : 1);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT); /* nothing is left to fail */
	assert_int_equal(f.n, 1);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_allocates_nothing_in_steady_state(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	for (int round = 0; round < 20; round++) {
		uint64_t before = kp_mem_count();
		int32_t first = 0;
		for (int i = 0; i < 5; i++) {
			const kp_rpc_request *r = fixture_call(&f, NULL, 0, TIMEOUT_US);
			first = i == 0 ? r->correlation_id : first;
		}
		struct iovec iov[16];
		size_t n = 0;
		for (int i = kp_rpc_output(&f.rpc, iov, 16); i > 0; i--)
			n += iov[i - 1].iov_len;
		kp_rpc_written(&f.rpc, n);
		if (round > 0)
			assert_int_equal(kp_mem_count(), before);
		kp_buf answers;
		kp_buf_init(&answers, 0);
		for (int i = 0; i < 5; i++)
			append_id_answer(&answers, first + i, i);
		before = kp_mem_count();
		assert_int_equal(kp_rpc_input(&f.rpc, answers.data, answers.len, 0), 0);
		assert_int_equal(kp_mem_count(), before);
		kp_buf_deinit(&answers);
		f.n = 0;
	}
	kp_rpc_deinit(&f.rpc);
}

static void rpc_keeps_a_bounded_number_of_spare_requests(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	for (int i = 0; i < 40; i++)
		fixture_call(&f, NULL, 0, TIMEOUT_US);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(f.n, 40);
	assert_int_equal(n_spare(&f), 16);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_close_fails_everything_in_order_and_says_what_was_written(void **state)
{
	fixture f;
	struct iovec iov[16];
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	size_t first = call_produce(&f, true, (void *)1)->total;
	size_t second = call_produce(&f, true, (void *)2)->total;
	call_produce(&f, true, (void *)3);
	call_produce(&f, true, (void *)4);
	kp_rpc_output(&f.rpc, iov, 16);
	kp_rpc_written(&f.rpc, first + second + 10); /* two whole, the third half */
	assert_int_equal(f.n, 2);
	f.n = 0;
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(f.n, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(f.heard[i].kind, HEARD_FAILED);
		assert_int_equal((intptr_t)f.heard[i].opaque, i + 1);
		assert_int_equal(f.heard[i].error, KP_ERR_TRANSPORT);
		assert_int_equal(f.heard[i].was_whole, i < 2);
	}
	assert_int_equal(f.rpc.n_in_flight, 0);
	assert_false(kp_rpc_has_output(&f.rpc));
	kp_rpc_deinit(&f.rpc);
}

static void rpc_close_while_negotiating_fails_nobody(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	assert_int_equal(kp_rpc_open(&f.rpc, 0, TIMEOUT_US), 0);
	assert_int_equal(kp_rpc_deadline(&f.rpc), TIMEOUT_US);
	fixture_write_all(&f);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.rpc.state, KP_RPC_CLOSED);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_deadline_is_the_earliest_wherever_it_stands(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	assert_int_equal(kp_rpc_deadline(&f.rpc), KP_TIME_NEVER);
	fixture_call(&f, NULL, 1000, 500);
	fixture_write_all(&f);
	fixture_call(&f, NULL, 1100, 300); /* later, but in more haste; still in the outbox */
	assert_int_equal(kp_rpc_deadline(&f.rpc), 1400);
	fixture_call(&f, NULL, 1200, 10000);
	assert_int_equal(kp_rpc_deadline(&f.rpc), 1400);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_throttle_moves_the_deadlines_of_what_is_in_flight(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	fixture_call(&f, NULL, 0, 5000000);
	fixture_write_all(&f);
	kp_rpc_throttle(&f.rpc, 1000000, 2000);
	assert_int_equal(f.rpc.throttled_until_us, 3000000);
	assert_int_equal(kp_rpc_deadline(&f.rpc), 7000000);
	kp_rpc_throttle(&f.rpc, 1000000, 0);
	kp_rpc_throttle(&f.rpc, 1000000, -5);
	kp_rpc_throttle(&f.rpc, 1000000, 1500); /* over before the first is */
	assert_int_equal(f.rpc.throttled_until_us, 3000000);
	assert_int_equal(kp_rpc_deadline(&f.rpc), 7000000);
	kp_rpc_throttle(&f.rpc, 2000000, 1500);
	assert_int_equal(f.rpc.throttled_until_us, 3500000);
	assert_true(kp_rpc_deadline(&f.rpc) > 7000000);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	fixture_ready(&f); /* the quiet was the old connection's */
	assert_int_equal(f.rpc.throttled_until_us, 0);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_call_without_memory_leaves_nothing_behind(void **state)
{
	bool done = false;
	(void)state;
	for (int fail_at = 1; !done; fail_at++) {
		fixture f;
		unit_allocator u;
		fixture_init(&f);
		unit_allocator_install(&u, fail_at);
		f.rpc.state = KP_RPC_READY;
		done = fixture_call(&f, NULL, 0, TIMEOUT_US) != NULL;
		assert_int_equal(f.rpc.n_in_flight, done);
		assert_int_equal(kp_rpc_has_output(&f.rpc), done);
		kp_rpc_deinit(&f.rpc);
		unit_allocator_remove(&u);
		assert_true(fail_at < 100);
	}
}

static void rpc_call_refuses_what_the_version_cannot_say(void **state)
{
	fixture f;
	int error = 0;
	kp_metadata_request body;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	kp_wire_init(&kp_metadata_request_schema, &body, 1);
	assert_null(kp_rpc_call(&f.rpc, KP_API_METADATA, 99, &body, true, NULL, 0, TIMEOUT_US, &error));
	assert_int_equal(error, KP_ERR_NOT_SUPPORTED);
	assert_int_equal(f.rpc.n_in_flight, 0);
	assert_false(kp_rpc_has_output(&f.rpc));
	kp_rpc_deinit(&f.rpc);
}

static void rpc_disowned_calls_have_no_opaque_any_more(void **state)
{
	fixture f;
	int mine, other;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	fixture_call(&f, &mine, 0, TIMEOUT_US);
	fixture_call(&f, &other, 0, TIMEOUT_US);
	fixture_write_all(&f);
	fixture_call(&f, &mine, 0, TIMEOUT_US);
	kp_rpc_disown(&f.rpc, &mine);
	f.n = 0;
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(f.n, 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(f.heard[i].opaque, i == 1 ? &other : NULL);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_correlation_ids_stay_above_zero_after_the_last(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	f.rpc.next_correlation_id = INT32_MAX;
	assert_int_equal(fixture_call(&f, NULL, 0, TIMEOUT_US)->correlation_id, INT32_MAX);
	assert_int_equal(fixture_call(&f, NULL, 0, TIMEOUT_US)->correlation_id, 0);
	kp_rpc_deinit(&f.rpc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpc_output_is_the_same_for_every_size_of_partial_write),
		cmocka_unit_test(rpc_output_points_at_the_batches_themselves),
		cmocka_unit_test(rpc_output_goes_on_with_the_next_request),
		cmocka_unit_test(rpc_recycles_a_request_without_answer_once_it_is_written),
		cmocka_unit_test(rpc_allocates_nothing_in_steady_state),
		cmocka_unit_test(rpc_keeps_a_bounded_number_of_spare_requests),
		cmocka_unit_test(rpc_close_fails_everything_in_order_and_says_what_was_written),
		cmocka_unit_test(rpc_close_while_negotiating_fails_nobody),
		cmocka_unit_test(rpc_deadline_is_the_earliest_wherever_it_stands),
		cmocka_unit_test(rpc_throttle_moves_the_deadlines_of_what_is_in_flight),
		cmocka_unit_test(rpc_call_without_memory_leaves_nothing_behind),
		cmocka_unit_test(rpc_call_refuses_what_the_version_cannot_say),
		cmocka_unit_test(rpc_disowned_calls_have_no_opaque_any_more),
		cmocka_unit_test(rpc_correlation_ids_stay_above_zero_after_the_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
