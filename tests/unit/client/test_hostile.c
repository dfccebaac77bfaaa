/*
 * test_hostile.c - conditions of the process: no descriptor left, SIGPIPE as the system has it, a storm of signals. Calls give codes and
 * clear words, nothing spins, and all goes on when the condition is over.
 */
#include "fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ descriptors */

/* No new descriptor from here on; what it was. */
static struct rlimit use_up_descriptors(void)
{
	struct rlimit before, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int next = dup(0);
	assert_true(next > 0);
	close(next);
	none = before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void give_back(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

static void a_producer_that_finds_no_descriptor_names_the_limit(void **state)
{
	char err[256] = "";
	(void)state;
	kp_config *c = config_of("127.0.0.1:1", PAIRS(QUEUE_MODE, ""));
	kp_runtime *r = kp_runtime_new();
	assert_non_null(r);
	struct rlimit before = use_up_descriptors();
	kp_producer *p = kp_producer_new(c, NULL, err, sizeof(err));
	kp_runtime *none = kp_runtime_new();
	give_back(&before);
	assert_null(p);
	assert_null(none);
	assert_non_null(strstr(err, "descriptor limit"));
	assert_non_null(strstr(err, "ulimit -n"));
	before = use_up_descriptors();
	p = kp_producer_new(c, r, err, sizeof(err)); /* its queue wants one, too */
	give_back(&before);
	assert_null(p);
	assert_non_null(strstr(err, "ulimit -n"));
	p = kp_producer_new(c, r, err, sizeof(err));
	assert_non_null(p);
	close_and_free(p);
	kp_runtime_free(r);
	kp_config_free(c);
}

static int64_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* `servers` by number or by name: then the resolver finds none already. */
static void try_to_connect_without_descriptors(const char *servers)
{
	collector c;
	kp_record r = record_of(NULL, "v");
	collector_init(&c);
	kp_producer *p = producer_of(servers, &c, NULL, PAIRS("reconnect.backoff.ms", "50", "reconnect.backoff.max.ms", "100"));
	struct rlimit before = use_up_descriptors();
	int64_t start_ms = now_ms(), start_cpu_ms = cpu_ms();
	int err = kp_send(kp_topic_open(p, "t"), &r);
	bool was_said = collector_wait_error(&c, "ulimit -n");
	int flushed = kp_flush(p, 400); /* meanwhile it tries again and again */
	int64_t took_ms = now_ms() - start_ms, took_cpu_ms = cpu_ms() - start_cpu_ms;
	give_back(&before);
	assert_int_equal(err, 0);
	if (!was_said)
		fail_msg("said: %s", c.error_text);
	assert_int_equal(flushed, KP_ERR_TIMED_OUT);
	assert_in_range(took_cpu_ms, 0, took_ms / 2);  /* with pauses: a loop that spins uses it all */
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0); /* by itself, now that there are some again */
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 1);
	close_and_free(p);
	collector_deinit(&c);
}

static void a_connect_that_finds_no_descriptor_names_the_limit_and_recovers(void **state)
{
	char by_name[64];
	(void)state;
	broker *b = broker_start(1, 1);
	try_to_connect_without_descriptors(broker_servers(b));
	snprintf(by_name, sizeof(by_name), "localhost:%s", strrchr(broker_servers(b), ':') + 1);
	try_to_connect_without_descriptors(by_name);
	broker_stop(b);
}

/* ------------------------------------------------------------------ SIGPIPE */

static bool has_been_refused(void *arg)
{
	return counters_of(arg).disconnects >= 20;
}

/* The system's action ends the process. */
static void peers_that_close_raise_no_signal(void **state)
{
	static const peer_kind kinds[] = {PEER_CLOSES, PEER_CLOSES_HALFWAY};
	kp_record r = record_of(NULL, "v");
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < KP_ARRAY_LEN(kinds); i++) {
		peer *closes = peer_start(kinds[i]);
		kp_producer *p = producer_of(peer_servers(closes), NULL, NULL,
		                             PAIRS("reconnect.backoff.ms", "1", "reconnect.backoff.max.ms", "1"));
		assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
		assert_true(eventually(has_been_refused, p));
		(void)kp_close(p, 0, NULL);
		kp_producer_free(p);
		peer_stop(closes);
	}
}

/* ------------------------------------------------------------------ signals */

static _Atomic int n_signals; /* lock-free: any thread may be the one that is interrupted */

static void count_signal(int number)
{
	(void)number;
	n_signals++;
}

static void start_storm(void)
{
	struct sigaction a = {.sa_handler = count_signal}; /* no SA_RESTART: every call that can be interrupted is */
	struct itimerval each_ms = {{0, 1000}, {0, 1000}};
	assert_int_equal(sigaction(SIGALRM, &a, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &each_ms, NULL), 0);
}

static void stop_storm(void)
{
	struct itimerval never = {{0, 0}, {0, 0}};
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	signal(SIGALRM, SIG_DFL);
}

static void a_storm_of_signals_disturbs_no_call(void **state)
{
	collector c;
	kp_record r = record_of(NULL, "a value of some bytes, of some bytes");
	int n = 0;
	(void)state;
	broker *b = broker_start(1, 2);
	collector_init(&c);
	n_signals = 0;
	start_storm();
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("buffer.memory", "60000", "batch.size", "2000"));
	kp_topic *t = kp_topic_open(p, "storm");
	for (int64_t end_ms = now_ms() + PATIENCE_MS; n_signals < 300 && now_ms() < end_ms; n++) {
		assert_int_equal(kp_send(t, &r), 0);
		if (n % 500 == 0) {
			assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
			assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
		}
	}
	int64_t start_ms = now_ms();
	broker_hold_answers(b, true);
	assert_int_equal(kp_send(t, &r), 0);
	assert_int_equal(kp_flush(p, 100), KP_ERR_TIMED_OUT);
	assert_in_range(now_ms() - start_ms, 100, 5000); /* not when the first signal comes */
	broker_hold_answers(b, false);
	close_and_free(p);
	stop_storm();
	assert_true(n_signals >= 300);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), n + 1);
	collector_deinit(&c);
	broker_stop(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_producer_that_finds_no_descriptor_names_the_limit),
		cmocka_unit_test(a_connect_that_finds_no_descriptor_names_the_limit_and_recovers),
		cmocka_unit_test(peers_that_close_raise_no_signal),
		cmocka_unit_test(a_storm_of_signals_disturbs_no_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
