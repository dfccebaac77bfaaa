/*
 * test_runtime.c - threads and descriptors: one thread per runtime, nothing left behind, several producers side by side.
 */
#include "fixture.h"

#include <dirent.h>
#include <signal.h>

#include "base/random.h"

static void send_n(kp_producer *p, int n)
{
	kp_topic *t = kp_topic_open(p, "runtime");
	kp_record r = record_of(NULL, "value");
	for (int i = 0; i < n; i++)
		assert_int_equal(kp_send(t, &r), 0);
}

static void a_producer_has_one_thread_whatever_the_number_of_brokers(void **state)
{
	(void)state;
	int n = count_threads();
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	send_n(p, 300);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(count_threads(), n + 1);
	close_and_free(p);
	assert_true(threads_are_back_to(n));
}

static void producers_share_a_runtimes_thread(void **state)
{
	enum { N = 8 };
	kp_producer *p[N];
	(void)state;
	int n = count_threads();
	kp_runtime *r = kp_runtime_new();
	for (int i = 0; i < N; i++)
		p[i] = producer_of(broker_servers(the_broker), NULL, r, NO_PAIRS);
	for (int i = 0; i < N; i++)
		send_n(p[i], 100);
	assert_int_equal(count_threads(), n + 1);
	for (int i = 0; i < N; i++) {
		assert_int_equal(kp_flush(p[i], PATIENCE_MS), 0);
		assert_int_equal(counters_of(p[i]).persisted, 100);
	}
	for (int i = 0; i < N; i++)
		close_and_free(p[i]);
	kp_runtime_free(r);
	assert_true(threads_are_back_to(n));
}

static void producers_come_and_go_on_a_runtime_in_any_order(void **state)
{
	enum { N = 6 };
	kp_producer *p[N] = {0};
	kp_random random;
	(void)state;
	kp_random_init(&random, 7);
	kp_runtime *r = kp_runtime_new();
	for (int i = 0; i < 150; i++) {
		uint32_t k = kp_random_below(&random, N);
		if (!p[k]) {
			p[k] = producer_of(broker_servers(the_broker), NULL, r, NO_PAIRS);
			send_n(p[k], (int)kp_random_below(&random, 20));
		} else if (kp_random_below(&random, 2)) {
			close_and_free(p[k]);
			p[k] = NULL;
		} else {
			kp_producer_free(p[k]);
			p[k] = NULL;
		}
	}
	for (int i = 0; i < N; i++)
		kp_producer_free(p[i]);
	kp_runtime_free(r);
}

static void a_runtime_without_producers_can_be_freed(void **state)
{
	(void)state;
	int n = count_threads();
	for (int i = 0; i < 20; i++)
		kp_runtime_free(kp_runtime_new());
	kp_runtime_free(NULL);
	assert_true(threads_are_back_to(n));
}

static void a_hundred_lives_leave_no_descriptor(void **state)
{
	(void)state;
	int n_threads = count_threads();
	/* the broker closes its ends a moment later: only this process' library counts, so the broker's connections must go first */
	kp_producer *first = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	send_n(first, 1);
	close_and_free(first);
	peer *closes = peer_start(PEER_CLOSES);
	int n_descriptors = count_descriptors();
	for (int i = 0; i < 100; i++) {
		kp_producer *p = producer_of(i % 4 ? broker_servers(the_broker) : peer_servers(closes), NULL, NULL,
		                             i % 2 ? PAIRS(QUEUE_MODE, "") : NO_PAIRS);
		send_n(p, i % 5);
		(void)kp_close(p, i % 3 && i % 4 ? PATIENCE_MS : 0, NULL);
		kp_producer_free(p);
	}
	for (int64_t end_ms = now_ms() + PATIENCE_MS; count_descriptors() > n_descriptors;)
		assert_true(now_ms() < end_ms);
	peer_stop(closes);
	assert_true(threads_are_back_to(n_threads));
}

/* ------------------------------------------------------------------ figures */

static void counters_tell_what_happened(void **state)
{
	enum { N = 50, VALUE_BYTES = 5 };
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	send_n(p, N);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	kp_counters k = counters_of(p);
	assert_int_equal(k.struct_size, sizeof(k));
	assert_int_equal(k.accepted, N);
	assert_int_equal(k.persisted, N);
	assert_int_equal(
		k.not_persisted + k.unknown + k.retries + k.queued_records + k.queued_bytes + k.slow_callbacks + k.report_queue, 0);
	assert_in_range(k.accepted_bytes, N * VALUE_BYTES, N * (VALUE_BYTES + 20));
	assert_true(k.sent_bytes > k.accepted_bytes && k.received_bytes > 0);
	assert_in_range(k.requests, 1, N);
	assert_in_range(k.batches, 1, N);
	assert_true(k.connects >= 1);
	assert_int_equal(k.disconnects, 0);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	assert_int_equal(counters_of(p).persisted, N); /* they outlive the close */
	kp_producer_free(p);
}

static void an_older_callers_counters_are_cut(void **state)
{
	kp_counters k;
	(void)state;
	memset(&k, 0x55, sizeof(k));
	k.struct_size = offsetof(kp_counters, persisted);
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_counters_get(p, &k);
	assert_int_equal(k.accepted, 0);
	assert_int_equal(k.persisted, UINT64_C(0x5555555555555555));
	close_and_free(p);
}

static void the_library_is_the_headers(void **state)
{
	char version[32];
	(void)state;
	snprintf(version, sizeof(version), "%d.%d.%d", KP_VERSION_MAJOR, KP_VERSION_MINOR, KP_VERSION_PATCH);
	assert_string_equal(kp_version(), version);
	assert_int_equal(kp_murmur2("21", 2), (uint32_t)-973932308); /* UtilsTest.java of Apache Kafka */
}

/* ------------------------------------------------------------------ signals */

/* The mask of the thread of that name, as the kernel has it. */
static uint64_t blocked_signals_of(const char *thread_name)
{
	char path[300], line[256];
	uint64_t blocked = 0;
	bool is_it = false;
	struct dirent *d;
	DIR *tasks = opendir("/proc/self/task");
	while (!is_it && (d = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", d->d_name);
		FILE *f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			char name[64] = "";
			if (sscanf(line, "Name: %63s", name) == 1)
				is_it = strcmp(name, thread_name) == 0;
			else if (is_it && strncmp(line, "SigBlk:", 7) == 0)
				blocked = strtoull(line + 7, NULL, 16);
		}
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return blocked;
}

static void the_runtimes_thread_takes_no_signal(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGPIPE, SIGCHLD, SIGALRM, SIGHUP};
	(void)state;
	kp_producer *p = producer_of("127.0.0.1:1", NULL, NULL, NO_PAIRS);
	uint64_t blocked = blocked_signals_of("kproducer");
	for (size_t i = 0; i < KP_ARRAY_LEN(signals); i++)
		assert_true(blocked & UINT64_C(1) << (signals[i] - 1));
	close_and_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_producer_has_one_thread_whatever_the_number_of_brokers),
		cmocka_unit_test(producers_share_a_runtimes_thread),
		cmocka_unit_test(producers_come_and_go_on_a_runtime_in_any_order),
		cmocka_unit_test(a_runtime_without_producers_can_be_freed),
		cmocka_unit_test(a_hundred_lives_leave_no_descriptor),
		cmocka_unit_test(counters_tell_what_happened),
		cmocka_unit_test(an_older_callers_counters_are_cut),
		cmocka_unit_test(the_library_is_the_headers),
		cmocka_unit_test(the_runtimes_thread_takes_no_signal),
	};
	return RUN_WITH_BROKER(tests, 3, 3);
}
