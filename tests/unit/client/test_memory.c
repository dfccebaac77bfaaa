/*
 * test_memory.c - memory that runs out: a producer that cannot be made says so and leaves nothing; one that lives gives codes, no crash.
 */
#include "fixture.h"

#include "base/mem.h"

/* Which allocations fail, beside number fail_at. */
typedef enum extent { IT_ALONE, ALL_BEHIND_IT, N_EXTENTS } extent;

/* Fails allocation number fail_at, alone or with all behind it; counts what is alive. Any thread. */
typedef struct failing_allocator {
	_Atomic int n, live, n_failed;
	_Atomic int fail_at; /* 0: none */
	extent extent;
	pthread_t spared; /* whose allocations neither fail nor count, when there is such a thread */
	bool is_sparing;
} failing_allocator;

static bool must_fail(failing_allocator *a)
{
	if (a->is_sparing && pthread_equal(pthread_self(), a->spared))
		return false;
	int n = ++a->n, fail_at = a->fail_at;
	return fail_at && (n == fail_at || (n > fail_at && a->extent == ALL_BEHIND_IT));
}

static void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	failing_allocator *a = opaque;
	if (must_fail(a)) {
		a->n_failed++;
		return NULL;
	}
	a->live += ptr == NULL;
	return realloc(ptr, size);
}

static void failing_free(void *ptr, void *opaque)
{
	failing_allocator *a = opaque;
	a->live--;
	free(ptr);
}

/* The allocator is the process': nothing else may be alive while it is exchanged. */
static void install(failing_allocator *a, extent e, int fail_at)
{
	*a = (failing_allocator){.extent = e, .fail_at = fail_at};
	kp_mem_set_allocator(&(kp_allocator){failing_realloc, failing_free, a});
}

/* Whether an allocation failed. */
static bool fail_to_make_a_producer(const char *mode, extent e, int fail_at)
{
	failing_allocator a;
	char err[128] = "";
	install(&a, e, 0);
	kp_config *c = config_of("127.0.0.1:1", PAIRS(mode, "1"));
	a.n = 0;
	a.fail_at = fail_at;
	kp_producer *p = kp_producer_new(c, NULL, err, sizeof(err));
	a.fail_at = 0;
	bool was_made = p != NULL;
	kp_producer_free(p);
	kp_config_free(c);
	kp_mem_set_allocator(NULL);
	if (!was_made)
		assert_non_null(strstr(err, "out of memory"));
	assert_true(was_made || a.n_failed > 0);
	assert_int_equal(a.live, 0);
	return a.n_failed > 0;
}

static void a_producer_that_cannot_be_made_says_so_and_leaves_nothing(void **state)
{
	static const char *const modes[] = {"linger.ms", QUEUE_MODE};
	(void)state;
	kp_runtime_free(kp_runtime_new()); /* what the sanitizers keep for the process, they keep from here on */
	int n_threads = count_threads(), n_descriptors = count_descriptors();
	for (int i = 0; i < 2 * N_EXTENTS; i++) {
		int fail_at = 1;
		while (fail_to_make_a_producer(modes[i % 2], (extent)(i / 2), fail_at))
			assert_true(++fail_at < 200);
		assert_true(fail_at > 8);
	}
	assert_true(threads_are_back_to(n_threads));
	assert_int_equal(count_descriptors(), n_descriptors);
}

static void a_runtime_that_cannot_be_made_leaves_nothing(void **state)
{
	(void)state;
	for (int e = 0; e < N_EXTENTS; e++) {
		failing_allocator a = {.n_failed = 1};
		for (int fail_at = 1; a.n_failed > 0; fail_at++) {
			install(&a, (extent)e, fail_at);
			kp_runtime *r = kp_runtime_new();
			bool was_made = r != NULL;
			kp_runtime_free(r);
			kp_mem_set_allocator(NULL);
			assert_true(was_made || a.n_failed > 0);
			assert_int_equal(a.live, 0);
		}
	}
}

/*
 * A whole life in which memory is out once, or from some allocation on: topics, records with many headers, a group, a sync send, flush, purge,
 * questions. Every call gives a code; every accepted record is reported.
 */
typedef struct life {
	_Atomic uint64_t n_reports, n_grouped;
	uint64_t n_accepted, n_group_accepted;
} life;

static void on_report(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	life *l = opaque;
	(void)p, (void)reports;
	l->n_reports += n;
}

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	life *l = opaque;
	(void)p;
	l->n_grouped += report->n_persisted + report->n_not_persisted + report->n_unknown;
}

static void assert_one_of(int error)
{
	if (error != 0 && error != KP_ERR_NO_MEMORY && error != KP_ERR_TIMED_OUT && error != KP_ERR_QUEUE_FULL)
		fail_msg("%s", kp_error_name(error));
}

static void use(kp_producer *p, life *l)
{
	kp_header headers[40];
	kp_topic_info *info;
	char err[64];
	int error;
	kp_record r = record_of("k", "v");
	kp_topic *t = kp_topic_open(p, "t");
	if (!t)
		return;
	for (size_t i = 0; i < 40; i++)
		headers[i] = (kp_header){"h", "v", 1};
	kp_record many[2] = {r, r};
	for (size_t i = 0; i < 2; i++) {
		error = kp_try_send(t, &r);
		assert_one_of(error);
		l->n_accepted += !error;
		r.headers = headers;
		r.n_headers = 40;
	}
	l->n_group_accepted += kp_produce_batch(t, many, 2, on_batch, l, &error);
	assert_one_of(error);
	assert_one_of(kp_flush(p, 20));
	assert_one_of(kp_send_sync(t, &r, 20, NULL));
	error = kp_partitions_for(p, "t", 20, &info, err, sizeof(err));
	assert_one_of(error);
	if (!error)
		kp_topic_infos_free(info, 1);
	assert_one_of(kp_purge(p, KP_PURGE_QUEUED));
}

static void note_thread(kp_db *db, void *arg)
{
	(void)db;
	*(pthread_t *)arg = pthread_self();
}

/* Whether an allocation failed. The broker's never do: it would close connections. */
static bool live_with(extent e, int fail_at)
{
	failing_allocator a;
	life l = {0};
	uint64_t left;
	install(&a, e, 0);
	broker *b = broker_start(1, 1);
	broker_create_topic(b, "t", 1);
	broker_do(b, note_thread, &a.spared);
	a.is_sparing = true;
	kp_config *c = config_of(broker_servers(b), PAIRS("linger.ms", "0", "compression.type", "lz4", "max.block.ms", "20"));
	kp_config_set_report_cb(c, on_report, &l);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	assert_non_null(p);
	a.n = 0;
	a.fail_at = fail_at;
	use(p, &l);
	a.fail_at = 0;
	int closed = kp_close(p, PATIENCE_MS, &left);
	kp_counters k = counters_of(p);
	kp_producer_free(p);
	kp_config_free(c);
	broker_stop(b);
	kp_mem_set_allocator(NULL);
	assert_int_equal(closed, 0); /* nothing stays behind once there is memory again */
	assert_int_equal(l.n_reports, l.n_accepted);
	assert_int_equal(l.n_grouped, l.n_group_accepted);
	assert_int_equal(k.persisted + k.not_persisted + k.unknown, k.accepted);
	assert_int_equal(a.live, 0);
	return a.n_failed > 0;
}

static void a_life_without_memory_gives_codes_and_every_report(void **state)
{
	(void)state;
	for (int e = 0; e < N_EXTENTS; e++) {
		int fail_at = 1;
		while (live_with((extent)e, fail_at))
			assert_true(++fail_at < 1000);
		assert_true(fail_at > 30);
	}
}

static void a_close_needs_no_memory(void **state)
{
	failing_allocator a;
	kp_record r = record_of(NULL, "v");
	uint64_t left = 0;
	(void)state;
	install(&a, ALL_BEHIND_IT, 0);
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
	a.fail_at = 1;
	assert_int_equal(kp_close(p, 50, &left), KP_ERR_TIMED_OUT);
	assert_int_equal(left, 1);
	kp_producer_free(p);
	peer_stop(silent);
	kp_mem_set_allocator(NULL);
	assert_int_equal(a.live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_producer_that_cannot_be_made_says_so_and_leaves_nothing),
		cmocka_unit_test(a_runtime_that_cannot_be_made_leaves_nothing),
		cmocka_unit_test(a_life_without_memory_gives_codes_and_every_report),
		cmocka_unit_test(a_close_needs_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
