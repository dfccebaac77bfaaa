/*
 * test_bad_servers.c - servers that are not Kafka, or do not answer, and names that do not resolve: the error says which server and what
 * it did, and every deadline holds.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/producer_impl.h"
#include "net/resolver.h"

static _Atomic int n_sigpipe;

static void on_sigpipe(int number)
{
	(void)number;
	n_sigpipe++;
}

static int catch_sigpipe(void **state)
{
	(void)state;
	return signal(SIGPIPE, on_sigpipe) == SIG_ERR;
}

static int no_sigpipe_came(void **state)
{
	(void)state;
	return n_sigpipe;
}

/* Sends, flushes and closes, each with little time: none may take longer, and the record comes back. */
static void assert_deadlines_hold(kp_producer *p, collector *c)
{
	uint64_t left = 0;
	kp_record r = record_of("k", "v");
	int64_t start_ms = now_ms();
	assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
	assert_in_range(now_ms() - start_ms, 0, 250);
	start_ms = now_ms();
	assert_int_equal(kp_flush(p, 100), KP_ERR_TIMED_OUT);
	assert_on_time(start_ms, 100);
	start_ms = now_ms();
	assert_int_equal(kp_close(p, 100, &left), KP_ERR_TIMED_OUT);
	assert_on_time(start_ms, 100);
	assert_int_equal(left, 1);
	assert_int_equal(c->n, 1);
	assert_string_equal(c->reports[0].value, "v");
	assert_int_equal(c->reports[0].report.outcome, KP_NOT_PERSISTED);
	kp_producer_free(p);
	collector_deinit(c);
}

static void each_kind_is_named_with_what_it_did(void **state)
{
	static const struct {
		peer_kind kind;
		const char *cause;
	} cases[] = {
		{PEER_SILENT, "no answer"},       {PEER_CLOSES, "by peer"},          {PEER_HTTP, "HTTP"},
		{PEER_TLS_ALERT, "TLS"},          {PEER_GARBAGE, "does not belong"}, {PEER_HUGE_LENGTH, "2147483647"},
		{PEER_CLOSES_HALFWAY, "by peer"},
	};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(cases); i++) {
		collector c;
		collector_init(&c);
		peer *s = peer_start(cases[i].kind);
		kp_producer *p = producer_of(peer_servers(s), &c, NULL, PAIRS("request.timeout.ms", "200"));
		assert_non_null(kp_topic_open(p, "t"));
		if (!collector_wait_error(&c, cases[i].cause))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].cause, c.error_text);
		assert_non_null(strstr(c.error_text, peer_servers(s)));
		assert_true(peer_accepted(s) >= 1);
		assert_deadlines_hold(p, &c);
		peer_stop(s);
	}
}

static void an_outage_is_told_once(void **state)
{
	collector c;
	kp_record r = record_of(NULL, "v");
	(void)state;
	collector_init(&c);
	peer *s = peer_start(PEER_CLOSES);
	kp_producer *p = producer_of(peer_servers(s), &c, NULL,
	                             PAIRS("reconnect.backoff.ms", "1", "reconnect.backoff.max.ms", "1"));
	assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
	assert_int_equal(kp_flush(p, 300), KP_ERR_TIMED_OUT);
	assert_true(peer_accepted(s) >= 3);
	assert_int_equal(c.n_errors, 1);
	(void)kp_close(p, 0, NULL);
	kp_producer_free(p);
	collector_deinit(&c);
	peer_stop(s);
}

static void a_bad_server_among_good_ones_does_no_harm(void **state)
{
	char servers[128];
	(void)state;
	broker *b = broker_start(1, 1);
	for (int kind = PEER_SILENT; kind <= PEER_CLOSES_HALFWAY; kind++) {
		collector c;
		kp_record r = record_of(NULL, "v");
		collector_init(&c);
		peer *s = peer_start((peer_kind)kind);
		snprintf(servers, sizeof(servers), "127.0.0.1:1,%s,%s", peer_servers(s), broker_servers(b));
		kp_producer *p = producer_of(servers, &c, NULL, NO_PAIRS);
		assert_int_equal(kp_send_sync(kp_topic_open(p, "t"), &r, PATIENCE_MS, NULL), 0);
		close_and_free(p);
		collector_deinit(&c);
		peer_stop(s);
	}
	broker_stop(b);
}

/* ------------------------------------------------------------------ names */

/* A DNS server that takes questions and never answers. */
static int silent_dns(char *text, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(text, size, "127.0.0.1:%d", ntohs(a.sin_port));
	return fd;
}

typedef struct dns_choice {
	kp_posted posted;
	kp_runtime *runtime;
	const char *servers;
	int err;
	_Atomic bool is_done;
} dns_choice;

static void choose_dns(kp_posted *posted, int64_t now_us)
{
	dns_choice *d = KP_CONTAINER_OF(posted, dns_choice, posted);
	(void)now_us;
	d->err = kp_resolver_set_servers(d->runtime->loop, d->servers);
	d->is_done = true;
}

static bool is_chosen(void *arg)
{
	return ((dns_choice *)arg)->is_done;
}

static kp_runtime *runtime_with_dns(const char *servers)
{
	dns_choice d = {.posted = {.run = choose_dns}, .runtime = kp_runtime_new(), .servers = servers};
	assert_non_null(d.runtime);
	kp_runtime_post(d.runtime, &d.posted);
	assert_true(eventually(is_chosen, &d));
	assert_int_equal(d.err, 0);
	return d.runtime;
}

static void a_dns_server_that_never_answers_costs_no_deadline(void **state)
{
	char dns[64];
	collector c;
	(void)state;
	collector_init(&c);
	int fd = silent_dns(dns, sizeof(dns));
	kp_runtime *r = runtime_with_dns(dns);
	int64_t start_ms = now_ms();
	kp_producer *p = producer_of("kafka.example.test:9092", &c, r, NO_PAIRS);
	assert_in_range(now_ms() - start_ms, 0, 250);
	assert_deadlines_hold(p, &c);
	kp_runtime_free(r);
	close(fd);
}

static void a_name_that_does_not_resolve_in_time_is_named(void **state)
{
	char dns[64];
	collector c;
	(void)state;
	collector_init(&c);
	int fd = silent_dns(dns, sizeof(dns));
	kp_runtime *r = runtime_with_dns(dns);
	kp_producer *p = producer_of("kafka.example.test:9092", &c, r, PAIRS("socket.connection.setup.timeout.ms", "200"));
	assert_non_null(kp_topic_open(p, "t"));
	assert_true(collector_wait_error(&c, "kafka.example.test:9092"));
	assert_deadlines_hold(p, &c);
	kp_runtime_free(r);
	close(fd);
}

static void a_free_while_a_name_is_looked_up_leaves_nothing_behind(void **state)
{
	char dns[64];
	(void)state;
	int fd = silent_dns(dns, sizeof(dns));
	kp_runtime *r = runtime_with_dns(dns);
	int n_descriptors = count_descriptors();
	for (int i = 0; i < 20; i++) {
		kp_producer *p = producer_of("kafka.example.test:9092", NULL, r, NO_PAIRS);
		assert_non_null(kp_topic_open(p, "t"));
		kp_producer_free(p);
	}
	kp_runtime_free(r);
	assert_true(count_descriptors() <= n_descriptors);
	close(fd);
}

/* ------------------------------------------------------------------ servers that go away */

static void a_broker_that_goes_away_costs_no_report(void **state)
{
	collector c;
	kp_record r = record_of(NULL, "v");
	(void)state;
	collector_init(&c);
	broker *b = broker_start(1, 1);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("linger.ms", "0"));
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_stop(b); /* sockets close while requests may be on their way: no SIGPIPE */
	for (int i = 0; i < 100; i++)
		assert_int_equal(kp_send(t, &r), 0);
	uint64_t left = 0;
	assert_int_equal(kp_close(p, 100, &left), KP_ERR_TIMED_OUT);
	assert_int_equal(left, 100);
	assert_int_equal(c.n, 100);
	assert_int_equal(c.last_error != 0, 1);
	kp_producer_free(p);
	collector_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_named_with_what_it_did),
		cmocka_unit_test(an_outage_is_told_once),
		cmocka_unit_test(a_bad_server_among_good_ones_does_no_harm),
		cmocka_unit_test(a_dns_server_that_never_answers_costs_no_deadline),
		cmocka_unit_test(a_name_that_does_not_resolve_in_time_is_named),
		cmocka_unit_test(a_free_while_a_name_is_looked_up_leaves_nothing_behind),
		cmocka_unit_test(a_broker_that_goes_away_costs_no_report),
	};
	return cmocka_run_group_tests(tests, catch_sigpipe, no_sigpipe_came);
}
