/*
 * test_frames.c - bytes that arrive: frames however they are cut, and what is not a Kafka broker's.
 */
#include "rpc_fixture.h"

static int64_t heard_id(const heard *h)
{
	kp_init_producer_id_response a;
	assert_int_equal(h->kind, HEARD_ANSWER);
	assert_int_equal(kp_wire_read(&kp_init_producer_id_response_message, 4, kp_slice_of(h->body, h->body_len), NULL, &a, NULL),
	                 0);
	return a.producer_id;
}

/* A connection with n requests in flight, and the n answers as one stretch of bytes. */
static kp_buf three_in_flight(fixture *f)
{
	static char names[3];
	kp_buf answers;
	kp_buf_init(&answers, 0);
	fixture_init(f);
	fixture_ready(f);
	for (int i = 0; i < 3; i++) {
		const kp_rpc_request *r = fixture_call(f, &names[i], 0, TIMEOUT_US);
		append_id_answer(&answers, r->correlation_id, 1000 + i);
	}
	fixture_write_all(f);
	assert_int_equal(f->rpc.n_in_flight, 3);
	f->n = 0;
	return answers;
}

static void check_three_answers(const fixture *f)
{
	assert_int_equal(f->n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(heard_id(&f->heard[i]), 1000 + i);
		assert_ptr_equal(f->heard[i].opaque, (char *)f->heard[0].opaque + i);
	}
	assert_int_equal(f->rpc.n_in_flight, 0);
	assert_int_equal(f->rpc.inbox.len, 0);
}

static void rpc_serves_several_frames_that_arrive_at_once(void **state)
{
	fixture f;
	(void)state;
	kp_buf answers = three_in_flight(&f);
	assert_int_equal(kp_rpc_input(&f.rpc, answers.data, answers.len, 0), 0);
	check_three_answers(&f);
	kp_buf_deinit(&answers);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_serves_frames_that_arrive_one_byte_at_a_time(void **state)
{
	fixture f;
	(void)state;
	kp_buf answers = three_in_flight(&f);
	for (size_t i = 0; i < answers.len; i++)
		assert_int_equal(kp_rpc_input(&f.rpc, answers.data + i, 1, 0), 0);
	check_three_answers(&f);
	kp_buf_deinit(&answers);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_serves_frames_cut_in_two_at_any_place(void **state)
{
	fixture f;
	(void)state;
	size_t len = 1;
	for (size_t cut = 0; cut <= len; cut++) {
		kp_buf answers = three_in_flight(&f);
		len = answers.len;
		assert_int_equal(kp_rpc_input(&f.rpc, answers.data, cut, 0), 0);
		assert_int_equal(kp_rpc_input(&f.rpc, answers.data + cut, len - cut, 0), 0);
		check_three_answers(&f);
		kp_buf_deinit(&answers);
		kp_rpc_deinit(&f.rpc);
	}
}

static void rpc_keeps_little_memory_for_what_arrived_in_part(void **state)
{
	fixture f;
	(void)state;
	kp_buf answers = three_in_flight(&f);
	assert_int_equal(kp_rpc_input(&f.rpc, answers.data, answers.len - 1, 0), 0);
	assert_int_equal(f.n, 2);
	assert_true(f.rpc.inbox.len < answers.len / 2);
	kp_buf_deinit(&answers);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_refuses_an_answer_with_another_correlation_id(void **state)
{
	fixture f;
	kp_buf answer;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	int32_t id = fixture_call(&f, NULL, 0, TIMEOUT_US)->correlation_id;
	fixture_write_all(&f);
	kp_buf_init(&answer, 0);
	append_id_answer(&answer, id + 1, 7);
	assert_int_equal(kp_rpc_input(&f.rpc, answer.data, answer.len, 0), KP_ERR_PROTOCOL);
	assert_non_null(strstr(f.rpc.error_text, "does not belong"));
	kp_buf_deinit(&answer);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_refuses_an_answer_that_nothing_asked_for(void **state)
{
	fixture f;
	kp_buf answer;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	kp_buf_init(&answer, 0);
	append_id_answer(&answer, 1, 7);
	assert_int_equal(kp_rpc_input(&f.rpc, answer.data, answer.len, 0), KP_ERR_PROTOCOL);
	assert_non_null(strstr(f.rpc.error_text, "nothing asked for"));
	kp_buf_deinit(&answer);
	kp_rpc_deinit(&f.rpc);
}

/* An answer to a request that is still in the outbox was not asked for either. */
static void rpc_refuses_an_answer_to_a_request_that_was_not_written(void **state)
{
	fixture f;
	kp_buf answer;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	kp_buf_init(&answer, 0);
	append_id_answer(&answer, fixture_call(&f, NULL, 0, TIMEOUT_US)->correlation_id, 7);
	assert_int_equal(kp_rpc_input(&f.rpc, answer.data, answer.len, 0), KP_ERR_PROTOCOL);
	kp_buf_deinit(&answer);
	kp_rpc_deinit(&f.rpc);
}

static int announce(bool is_ready, uint32_t length)
{
	fixture f;
	uint8_t bytes[4];
	kp_store_be32(bytes, length);
	fixture_init(&f);
	if (is_ready)
		fixture_ready(&f);
	else
		assert_int_equal(kp_rpc_open(&f.rpc, 0, TIMEOUT_US), 0);
	int err = kp_rpc_input(&f.rpc, bytes, sizeof(bytes), 0);
	if (err)
		assert_non_null(strstr(f.rpc.error_text, "not a Kafka broker"));
	kp_rpc_deinit(&f.rpc);
	return err;
}

static void rpc_bounds_the_announced_length(void **state)
{
	(void)state;
	for (int is_ready = 0; is_ready < 2; is_ready++) {
		uint32_t most = is_ready ? KP_RPC_MAX_FRAME : KP_RPC_MAX_FIRST_FRAME;
		uint32_t bad[] = {0, 3, most + 1, 0x7fffffff, 0x80000000u, 0xffffffffu};
		for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++)
			assert_int_equal(announce(is_ready, bad[i]), KP_ERR_PROTOCOL);
		assert_int_equal(announce(is_ready, 4), 0);
		assert_int_equal(announce(is_ready, most), 0);
	}
}

static void check_hint(const char *bytes, size_t len, const char *hint)
{
	for (int one_at_a_time = 0; one_at_a_time < 2; one_at_a_time++) {
		fixture f;
		int err = 0;
		fixture_init(&f);
		assert_int_equal(kp_rpc_open(&f.rpc, 0, TIMEOUT_US), 0);
		fixture_write_all(&f);
		size_t step = one_at_a_time ? 1 : len;
		for (size_t i = 0; i < len && !err; i += step)
			err = kp_rpc_input(&f.rpc, (const uint8_t *)bytes + i, step, 0);
		assert_int_equal(err, KP_ERR_PROTOCOL);
		assert_non_null(strstr(f.rpc.error_text, hint));
		kp_rpc_close(&f.rpc, err);
		kp_rpc_deinit(&f.rpc);
	}
}

#define CHECK_HINT(bytes, hint) check_hint(bytes, sizeof(bytes) - 1, hint)

static void rpc_names_the_protocol_of_a_peer_that_is_not_kafka(void **state)
{
	(void)state;
	CHECK_HINT("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP");
	CHECK_HINT("\x15\x03\x03\x00\x02\x02\x28", "TLS"); /* alert: handshake failure */
	CHECK_HINT("\x15\x03\x01\x00\x02\x02\x0a", "TLS"); /* alert of TLS 1.0 */
	CHECK_HINT("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH");
	CHECK_HINT("220 mail.example.org ESMTP\r\n", "not a Kafka broker");
	CHECK_HINT("\x7f\xff\xff\xff", "not a Kafka broker");
}

static void rpc_starts_afresh_after_a_close_in_the_middle_of_a_frame(void **state)
{
	fixture f;
	(void)state;
	kp_buf answers = three_in_flight(&f);
	assert_int_equal(kp_rpc_input(&f.rpc, answers.data, 9, 0), 0);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(f.n, 3);
	fixture_ready(&f);
	int32_t id = fixture_call(&f, NULL, 0, TIMEOUT_US)->correlation_id;
	fixture_write_all(&f);
	kp_buf_clear(&answers);
	append_id_answer(&answers, id, 77);
	f.n = 0;
	assert_int_equal(kp_rpc_input(&f.rpc, answers.data, answers.len, 0), 0);
	assert_int_equal(heard_id(&f.heard[0]), 77);
	kp_buf_deinit(&answers);
	kp_rpc_deinit(&f.rpc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpc_serves_several_frames_that_arrive_at_once),
		cmocka_unit_test(rpc_serves_frames_that_arrive_one_byte_at_a_time),
		cmocka_unit_test(rpc_serves_frames_cut_in_two_at_any_place),
		cmocka_unit_test(rpc_keeps_little_memory_for_what_arrived_in_part),
		cmocka_unit_test(rpc_refuses_an_answer_with_another_correlation_id),
		cmocka_unit_test(rpc_refuses_an_answer_that_nothing_asked_for),
		cmocka_unit_test(rpc_refuses_an_answer_to_a_request_that_was_not_written),
		cmocka_unit_test(rpc_bounds_the_announced_length),
		cmocka_unit_test(rpc_names_the_protocol_of_a_peer_that_is_not_kafka),
		cmocka_unit_test(rpc_starts_afresh_after_a_close_in_the_middle_of_a_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
