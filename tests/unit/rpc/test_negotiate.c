/*
 * test_negotiate.c - which versions the broker speaks.
 */
#include "rpc_fixture.h"

static kp_request_header open_connection(fixture *f)
{
	fixture_init(f);
	assert_int_equal(kp_rpc_open(&f->rpc, 0, TIMEOUT_US), 0);
	kp_request_header asked = fixture_asked(f);
	assert_int_equal(asked.request_api_key, KP_API_API_VERSIONS);
	return asked;
}

/* Answer the one question that is out, in the given version; returns what kp_rpc_input said. */
static int answer(fixture *f, int version, int error, kp_api_versions_response_api *apis, int32_t n)
{
	kp_api_versions_response a = versions_answer(error, apis, n);
	int32_t id = fixture_asked(f).correlation_id;
	fixture_write_all(f);
	return fixture_answer(f, &kp_api_versions_response_message, version, id, &a);
}

static void rpc_asks_in_its_highest_version_first(void **state)
{
	fixture f;
	(void)state;
	kp_request_header asked = open_connection(&f);
	assert_int_equal(asked.request_api_version, 4);
	kp_buf bytes = fixture_peek(&f);
	assert_non_null(memmem(bytes.data, bytes.len, "kproducer", 9));
	assert_non_null(memmem(bytes.data, bytes.len, "tester", 6));
	kp_buf_deinit(&bytes);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_takes_the_highest_version_that_both_sides_speak(void **state)
{
	fixture f;
	kp_api_versions_response_api apis[] = {
		{KP_API_PRODUCE, 3, 9}, {KP_API_METADATA, 0, 99}, {KP_API_INIT_PRODUCER_ID, 2, 6}, {900, 0, 1}, {-5, 0, 1}};
	(void)state;
	open_connection(&f);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), -1); /* not yet */
	assert_int_equal(answer(&f, 4, 0, apis, KP_ARRAY_LEN(apis)), 0);
	assert_int_equal(f.heard[0].kind, HEARD_READY);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), 9);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 8), 8);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 2), -1);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_METADATA, 99), kp_wire_find(KP_API_METADATA, false)->max_version);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_INIT_PRODUCER_ID, 1), -1);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_FETCH, 99), -1); /* not offered */
	assert_int_equal(kp_rpc_version(&f.rpc, 900, 99), -1);
	assert_int_equal(kp_rpc_version(&f.rpc, -5, 99), -1);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), -1);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_leaves_out_versions_that_are_not_stable(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	for (const kp_wire_message *const *m = kp_wire_messages; *m; m++) {
		if ((*m)->kind != KP_WIRE_REQUEST)
			continue;
		f.rpc.offered[(*m)->api_key].min = 0;
		f.rpc.offered[(*m)->api_key].max = 100;
		assert_int_equal(kp_rpc_version(&f.rpc, (*m)->api_key, 99), (*m)->max_version - ((*m)->is_latest_unstable ? 1 : 0));
	}
	kp_rpc_deinit(&f.rpc);
}

/* KIP-511: error 35 comes in version 0, with the list of what the broker has. */
static void rpc_falls_back_to_the_version_that_the_broker_lists(void **state)
{
	fixture f;
	kp_api_versions_response_api old[] = {{KP_API_API_VERSIONS, 0, 2}};
	kp_api_versions_response_api all[] = {{KP_API_PRODUCE, 0, 7}, {KP_API_API_VERSIONS, 0, 2}};
	(void)state;
	open_connection(&f);
	assert_int_equal(answer(&f, 0, KP_ERR_UNSUPPORTED_VERSION, old, 1), 0);
	assert_int_equal(f.rpc.state, KP_RPC_NEGOTIATING);
	assert_int_equal(f.n, 0);
	assert_int_equal(fixture_asked(&f).request_api_version, 2);
	assert_int_equal(answer(&f, 2, 0, all, 2), 0);
	assert_int_equal(f.rpc.state, KP_RPC_READY);
	assert_int_equal(f.n, 1);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), 7);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_falls_back_to_version_0_when_the_list_is_empty_or_useless(void **state)
{
	kp_api_versions_response_api useless[] = {{KP_API_API_VERSIONS, 0, 9}, {KP_API_PRODUCE, 0, 2}};
	(void)state;
	for (int n = 0; n <= 2; n += 2) {
		fixture f;
		open_connection(&f);
		assert_int_equal(answer(&f, 0, KP_ERR_UNSUPPORTED_VERSION, useless, n), 0);
		assert_int_equal(fixture_asked(&f).request_api_version, 0);
		assert_int_equal(answer(&f, 0, 0, useless, 2), 0);
		assert_int_equal(f.rpc.state, KP_RPC_READY);
		kp_rpc_deinit(&f.rpc);
	}
}

static void rpc_ends_the_talk_when_even_version_0_is_refused(void **state)
{
	fixture f;
	(void)state;
	open_connection(&f);
	assert_int_equal(answer(&f, 0, KP_ERR_UNSUPPORTED_VERSION, NULL, 0), 0);
	assert_int_equal(answer(&f, 0, KP_ERR_UNSUPPORTED_VERSION, NULL, 0), KP_ERR_NOT_SUPPORTED);
	assert_non_null(strstr(f.rpc.error_text, "UNSUPPORTED_VERSION"));
	kp_rpc_deinit(&f.rpc);
}

static void rpc_offers_no_version_of_a_broker_that_is_too_old(void **state)
{
	fixture f;
	kp_api_versions_response_api old[] = {{KP_API_PRODUCE, 0, 2}, {KP_API_METADATA, 0, 1}};
	(void)state;
	open_connection(&f);
	assert_int_equal(answer(&f, 4, 0, old, 2), 0);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), -1);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_METADATA, 99), 1);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_says_what_it_did_not_like(void **state)
{
	fixture f;
	kp_api_versions_response_api strange[] = {{KP_API_API_VERSIONS, 0, -1}};
	(void)state;
	open_connection(&f);
	assert_int_equal(answer(&f, 4, KP_ERR_SASL_AUTHENTICATION_FAILED, NULL, 0), KP_ERR_NOT_SUPPORTED);
	assert_non_null(strstr(f.rpc.error_text, "SASL_AUTHENTICATION_FAILED"));
	kp_rpc_deinit(&f.rpc);

	open_connection(&f); /* a list that denies the API that gave it */
	assert_int_equal(answer(&f, 0, KP_ERR_UNSUPPORTED_VERSION, strange, 1), 0);
	assert_int_equal(fixture_asked(&f).request_api_version, 0);
	kp_rpc_deinit(&f.rpc);

	open_connection(&f);
	kp_request_header asked = fixture_asked(&f);
	uint8_t garbage[] = {0, 0, 0, 7, 0, 0, 0, 0, 1, 2, 3};
	kp_store_be32(garbage + 4, (uint32_t)asked.correlation_id);
	fixture_write_all(&f);
	assert_int_equal(kp_rpc_input(&f.rpc, garbage, sizeof(garbage), 0), KP_ERR_PROTOCOL);
	assert_non_null(strstr(f.rpc.error_text, "ApiVersions"));
	kp_rpc_deinit(&f.rpc);
}

static void rpc_learns_the_finalized_transaction_version(void **state)
{
	fixture f;
	kp_api_versions_response_finalized_feature features[] = {{kp_slice_cstr("metadata.version"), 25, 25},
	                                                         {kp_slice_cstr("transaction.version"), 2, 2}};
	kp_api_versions_response a = versions_answer(0, NULL, 0);
	(void)state;
	a.finalized_features.items = features;
	a.finalized_features.n = 2;
	kp_request_header asked = open_connection(&f);
	fixture_write_all(&f);
	assert_int_equal(fixture_answer(&f, &kp_api_versions_response_message, 4, asked.correlation_id, &a), 0);
	assert_int_equal(f.rpc.transaction_version, 2);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	fixture_ready(&f); /* the next broker has no such feature */
	assert_int_equal(f.rpc.transaction_version, 0);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_forgets_what_the_last_broker_offered(void **state)
{
	fixture f;
	kp_api_versions_response_api few[] = {{KP_API_METADATA, 0, 5}};
	(void)state;
	fixture_init(&f);
	fixture_ready(&f);
	kp_rpc_close(&f.rpc, KP_ERR_TRANSPORT);
	assert_int_equal(kp_rpc_open(&f.rpc, 0, TIMEOUT_US), 0);
	assert_int_equal(answer(&f, 4, 0, few, 1), 0);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_PRODUCE, 99), -1);
	assert_int_equal(kp_rpc_version(&f.rpc, KP_API_METADATA, 99), 5);
	kp_rpc_deinit(&f.rpc);
}

static void rpc_negotiation_survives_want_of_memory(void **state)
{
	kp_api_versions_response_api apis[] = {{KP_API_PRODUCE, 0, 13}};
	kp_api_versions_response a = versions_answer(0, apis, 1);
	bool done = false;
	(void)state;
	for (int fail_at = 1; !done; fail_at++) {
		fixture f;
		unit_allocator u;
		kp_buf bytes;
		kp_buf_init(&bytes, 0);
		append_answer(&bytes, &kp_api_versions_response_message, 4, 0, &a);
		unit_allocator_install(&u, fail_at);
		fixture_init(&f);
		int err = kp_rpc_open(&f.rpc, 0, TIMEOUT_US);
		if (!err) {
			struct iovec iov[4];
			size_t n = 0;
			for (int i = kp_rpc_output(&f.rpc, iov, 4); i > 0; i--)
				n += iov[i - 1].iov_len;
			kp_rpc_written(&f.rpc, n);
			err = kp_rpc_input(&f.rpc, bytes.data, bytes.len - 1, 0);
		}
		if (!err)
			err = kp_rpc_input(&f.rpc, bytes.data + bytes.len - 1, 1, 0);
		assert_true(err == 0 || err == KP_ERR_NO_MEMORY);
		done = !err;
		kp_rpc_close(&f.rpc, KP_ERR_NO_MEMORY);
		kp_rpc_deinit(&f.rpc);
		unit_allocator_remove(&u);
		kp_buf_deinit(&bytes);
		assert_true(fail_at < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpc_asks_in_its_highest_version_first),
		cmocka_unit_test(rpc_takes_the_highest_version_that_both_sides_speak),
		cmocka_unit_test(rpc_leaves_out_versions_that_are_not_stable),
		cmocka_unit_test(rpc_falls_back_to_the_version_that_the_broker_lists),
		cmocka_unit_test(rpc_falls_back_to_version_0_when_the_list_is_empty_or_useless),
		cmocka_unit_test(rpc_ends_the_talk_when_even_version_0_is_refused),
		cmocka_unit_test(rpc_offers_no_version_of_a_broker_that_is_too_old),
		cmocka_unit_test(rpc_says_what_it_did_not_like),
		cmocka_unit_test(rpc_learns_the_finalized_transaction_version),
		cmocka_unit_test(rpc_forgets_what_the_last_broker_offered),
		cmocka_unit_test(rpc_negotiation_survives_want_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
