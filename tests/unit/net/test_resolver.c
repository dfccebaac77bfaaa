/* Names: found, not found, never answered, cancelled; and how a connection tells it. */
#include "dns_server.h"

static void unknown_name_fails_to_resolve(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = false};
	probe p = {.stop_in = PROBE_CLOSE};
	dns_start(&dns, l);
	probe_open(&p, l, "no-such-host.invalid", 9092, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.err, KP_ERR_RESOLVE);
	assert_string_equal(p.text, "resolve no-such-host.invalid: Domain name not found");
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void name_without_addresses_fails_to_resolve(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true};
	probe p = {.stop_in = PROBE_CLOSE};
	dns_start(&dns, l);
	probe_open(&p, l, "mail-only.test", 9092, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.err, KP_ERR_RESOLVE);
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void silent_dns_server_does_not_outlive_the_set_up_timeout(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.is_silent = true};
	probe p = {.stop_in = PROBE_CLOSE};
	kp_conn_options o = default_options();
	o.setup_timeout_us = 150 * MS;
	dns_start(&dns, l);
	int64_t started_us = kp_time_mono_us();
	probe_open(&p, l, "broker.test", 9092, &o);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_in_range(kp_time_mono_us() - started_us, 150 * MS, 250 * MS);
	assert_true(dns.n_queries > 0);
	assert_int_equal(p.err, KP_ERR_TIMED_OUT);
	assert_string_equal(p.text, "resolve broker.test: no answer within 150 ms");
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void silent_dns_server_is_given_up_without_a_timeout_too(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.is_silent = true};
	probe p = {.stop_in = PROBE_CLOSE};
	kp_conn_options o = default_options();
	o.setup_timeout_us = 0;
	dns_start(&dns, l);
	probe_open(&p, l, "broker.test", 9092, &o);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.err, KP_ERR_RESOLVE);
	assert_string_equal(p.text, "resolve broker.test: Timeout while contacting DNS servers");
	assert_true(dns.n_queries >= 6); /* A and AAAA, three tries */
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void connection_is_closed_while_resolving(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.is_silent = true, .stops_on_query = true};
	probe p = {0};
	dns_start(&dns, l);
	probe_open(&p, l, "broker.test", 9092, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	probe_close(&p);
	dns.stops_on_query = false;
	assert_false(run_loop(l, 20));
	assert_int_equal(p.n_close, 0);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void connection_may_be_closed_when_resolving_fails(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = false};
	probe p = {.close_in = PROBE_CLOSE};
	dns_start(&dns, l);
	probe_open(&p, l, "no-such-host.invalid", 9092, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_close, 1);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void localhost_and_numeric_addresses_need_no_dns(void **state)
{
	(void)state;
	static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
	kp_loop *l = kp_loop_new();
	dns_server dns = {.is_silent = true};
	dns_start(&dns, l);
	for (size_t i = 0; i < KP_ARRAY_LEN(hosts); i++) {
		server s = {0};
		probe p = {.stop_in = PROBE_OPEN};
		probe_open(&p, l, hosts[i], server_start(&s, l, hosts[i]), NULL);
		assert_true(run_loop(l, PATIENCE_MS));
		assert_int_equal(p.n_open, 1);
		probe_close(&p);
		server_stop(&s);
	}
	assert_int_equal(dns.n_queries, 0);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void localhost_reaches_a_listener_on_ipv4_only(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe p = {.stop_in = PROBE_OPEN};
	probe_open(&p, l, "localhost", server_start(&s, l, "127.0.0.1"), NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_open, 1);
	probe_close(&p);
	server_stop(&s);
	kp_loop_free(l);
}

typedef struct answer {
	kp_loop *loop;
	int n_done, err;
	size_t n;
	char text[4][KP_ADDRESS_TEXT_MAX];
} answer;

static void on_resolved(void *opaque, int err, const char *text, const kp_address *addresses, size_t n)
{
	answer *a = opaque;
	(void)text;
	a->n_done++;
	a->err = err;
	a->n = n;
	for (size_t i = 0; i < n && i < 4; i++)
		kp_address_format(&addresses[i], a->text[i]);
	kp_loop_stop(a->loop);
}

static bool has_address(const answer *a, const char *text)
{
	bool has = false;
	for (size_t i = 0; i < a->n; i++)
		has = has || strcmp(a->text[i], text) == 0;
	return has;
}

static void both_families_are_found_with_the_port_and_doubles_dropped(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true, .addresses = {"127.0.0.2", "::1", "127.0.0.2"}};
	answer a = {.loop = l};
	dns_start(&dns, l);
	assert_non_null(kp_resolve_start(l, "broker.test", 9092, on_resolved, &a));
	assert_int_equal(a.n_done, 0);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(a.n_done, 1);
	assert_int_equal(a.err, 0);
	assert_int_equal(a.n, 2);
	assert_true(has_address(&a, "127.0.0.2:9092") && has_address(&a, "[::1]:9092"));
	dns_stop(&dns);
	kp_loop_free(l);
}

static void second_server_answers_when_the_first_is_silent(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server silent = {.is_silent = true}, dns = {.has_name = true, .addresses = {"127.0.0.2"}};
	answer a = {.loop = l};
	char servers[64];
	int first = dns_start(&silent, l), second = dns_start(&dns, l);
	snprintf(servers, sizeof(servers), "127.0.0.1:%d,127.0.0.1:%d", first, second);
	assert_int_equal(kp_resolver_set_servers(l, servers), 0);
	assert_non_null(kp_resolve_start(l, "broker.test", 9092, on_resolved, &a));
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(a.n, 1);
	assert_true(silent.n_queries > 0);
	dns_stop(&silent);
	dns_stop(&dns);
	kp_loop_free(l);
}

/* The answer is cut off, and the server hangs up on the TCP connection that should bring the whole one. */
static void dns_server_that_closes_its_tcp_connection_raises_no_signal(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true, .is_truncating = true};
	server s = {.peer = {.close_in = PROBE_DATA}};
	const char *why = NULL;
	answer a = {.loop = l};
	s.peer.loop = l;
	/* the system chose the port for UDP: for TCP somebody else may have it */
	for (int i = 0; i < 20 && !s.listener; i++) {
		if (i > 0)
			dns_stop(&dns);
		uint16_t port = dns_start(&dns, l);
		s.listener = kp_listener_new(l, "127.0.0.1", port, server_on_accept, &s, &why);
	}
	if (!s.listener)
		fail_msg("%s", why);
	assert_non_null(kp_resolve_start(l, "broker.test", 9092, on_resolved, &a));
	while (a.n_done == 0)
		assert_true(run_loop(l, PATIENCE_MS));
	assert_true(s.n_accepted > 0);
	assert_int_equal(a.err, KP_ERR_RESOLVE);
	server_stop(&s);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void no_descriptor_is_a_failed_look_up(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	probe p = {.stop_in = PROBE_CLOSE};
	probe_open(&p, l, "broker.test", 9092, NULL);
	rlim_t before = exhaust_descriptors();
	bool is_told = run_loop(l, PATIENCE_MS);
	restore_descriptors(before);
	assert_true(is_told);
	assert_int_equal(p.err, KP_ERR_RESOLVE);
	probe_close(&p);
	kp_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_name_fails_to_resolve),
		cmocka_unit_test(name_without_addresses_fails_to_resolve),
		cmocka_unit_test(silent_dns_server_does_not_outlive_the_set_up_timeout),
		cmocka_unit_test(silent_dns_server_is_given_up_without_a_timeout_too),
		cmocka_unit_test(connection_is_closed_while_resolving),
		cmocka_unit_test(connection_may_be_closed_when_resolving_fails),
		cmocka_unit_test(localhost_and_numeric_addresses_need_no_dns),
		cmocka_unit_test(localhost_reaches_a_listener_on_ipv4_only),
		cmocka_unit_test(both_families_are_found_with_the_port_and_doubles_dropped),
		cmocka_unit_test(second_server_answers_when_the_first_is_silent),
		cmocka_unit_test(dns_server_that_closes_its_tcp_connection_raises_no_signal),
		cmocka_unit_test(no_descriptor_is_a_failed_look_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
