/*
 * test_many_threads.c - 64 application threads that do everything with one producer at the same time, while others poll both its queues, and
 * one closes it in the middle of it. Counts add up, every call ends, nothing races. For TSan above all.
 */
#include "fixture.h"

#include <sched.h>

#define THREADS 64
#define N_TOPICS 3
#define ENOUGH 20000 /* records accepted before the close */

typedef struct crowd crowd;

typedef struct member {
	crowd *crowd;
	int index;
	uint64_t n_accepted, n_sync; /* with a report in the queue; with none */
	int error;                   /* that no call may have given */
	pthread_t thread;
} member;

struct crowd {
	kp_producer *producer;
	kp_topic *topics[N_TOPICS];
	_Atomic bool is_closed; /* the close has returned: the queues get no more */
	_Atomic uint64_t n_grouped;
	member members[THREADS];
};

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	crowd *c = opaque;
	(void)p;
	c->n_grouped += report->n_persisted + report->n_not_persisted + report->n_unknown;
}

/* What a call may give while others purge, fill the buffer and close. False: the producer is closed, or the error is none of these. */
static bool goes_on(member *m, int err)
{
	if (err && err != KP_ERR_CLOSED && err != KP_ERR_QUEUE_FULL && err != KP_ERR_PURGED && err != KP_ERR_QUEUE_EVICTED)
		m->error = err;
	return err != KP_ERR_CLOSED && !m->error;
}

static bool send_some(member *m, int turn)
{
	kp_header header = {"h", "x", 1};
	kp_record r = record_of(m->index % 2 ? NULL : "key", "a value of some bytes, of some bytes, of some bytes");
	r.headers = &header;
	r.n_headers = turn % 2 ? 1 : 0;
	int err = kp_send(m->crowd->topics[turn % N_TOPICS], &r);
	m->n_accepted += !err;
	return goes_on(m, err);
}

static bool send_sync(member *m, int turn)
{
	kp_record r = record_of(NULL, "one");
	int err = kp_send_sync(m->crowd->topics[turn % N_TOPICS], &r, PATIENCE_MS, NULL);
	m->n_sync += !err;
	return goes_on(m, err);
}

static bool send_group(member *m, int turn)
{
	kp_record r = record_of(NULL, "one of two");
	kp_record two[2] = {r, r};
	int err;
	m->n_sync += kp_produce_batch(m->crowd->topics[turn % N_TOPICS], two, 2, on_batch, m->crowd, &err);
	return goes_on(m, err);
}

static bool flush_and_count(member *m, int turn)
{
	(void)turn;
	kp_counters c = counters_of(m->crowd->producer);
	if (c.persisted + c.not_persisted + c.unknown > c.accepted)
		m->error = -1;
	return goes_on(m, kp_flush(m->crowd->producer, PATIENCE_MS));
}

static bool ask(member *m, int turn)
{
	kp_topic_info *info;
	int err = kp_partitions_for(m->crowd->producer, turn % 2 ? "crowd-0" : "crowd-1", PATIENCE_MS, &info, NULL, 0);
	if (!err)
		kp_topic_infos_free(info, 1);
	return goes_on(m, err);
}

static bool purge(member *m, int turn)
{
	(void)kp_purge(m->crowd->producer, KP_PURGE_QUEUED | (turn % 2 ? KP_PURGE_IN_FLIGHT : 0));
	return ask(m, turn); /* a purge alone does not tell of the close */
}

static void *live(void *opaque)
{
	static bool (*const deeds[])(member * m, int turn) = {send_some,  send_some,       send_some, send_sync,
	                                                      send_group, flush_and_count, ask};
	member *m = opaque;
	bool (*deed)(member * m, int turn) = m->index == 0 ? purge : deeds[(size_t)m->index % KP_ARRAY_LEN(deeds)];
	for (int turn = 0; deed(m, turn); turn++)
		sched_yield();
	return NULL;
}

/* ------------------------------------------------------------------ the queues */

typedef struct poller {
	crowd *crowd;
	size_t (*poll)(kp_producer *p, kp_report *out, size_t max, int timeout_ms);
	uint64_t n, n_failed;
	pthread_t thread;
} poller;

static void *poll_until_closed(void *opaque)
{
	poller *q = opaque;
	kp_report out[64] = {{.struct_size = sizeof(kp_report)}};
	for (;;) {
		bool is_last = q->crowd->is_closed; /* read before: nothing comes after it */
		size_t n = q->poll(q->crowd->producer, out, 64, 50);
		for (size_t i = 0; i < n; i++)
			q->n_failed += out[i].outcome != KP_PERSISTED;
		q->n += n;
		if (n == 0 && is_last)
			return NULL;
	}
}

static kp_producer *producer_with_both_queues(const char *servers, const char *policy)
{
	kp_config *c = config_of(servers, PAIRS(QUEUE_MODE, "", "buffer.memory", "300000", "batch.size", "4000", "linger.ms", "1",
	                                        "queue.full.policy", policy));
	kp_config_use_failure_queue(c);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	assert_non_null(p);
	return p;
}

static bool has_enough(void *arg)
{
	return counters_of(arg).accepted > ENOUGH;
}

/* All threads are gone when it returns. Whether ENOUGH was reached. */
static bool let_them_live(crowd *c, poller pollers[2])
{
	int n = 0, n_pollers = 0;
	while (n_pollers < 2 && pthread_create(&pollers[n_pollers].thread, NULL, poll_until_closed, &pollers[n_pollers]) == 0)
		n_pollers++;
	for (; n < THREADS; n++) {
		c->members[n] = (member){.crowd = c, .index = n};
		if (pthread_create(&c->members[n].thread, NULL, live, &c->members[n]) != 0)
			break;
	}
	bool was_enough = eventually(has_enough, c->producer);
	(void)kp_close(c->producer, 100, NULL);
	(void)kp_close(c->producer, PATIENCE_MS, NULL); /* the first one's end, on a busy machine */
	c->is_closed = true;
	for (int i = 0; i < n; i++)
		pthread_join(c->members[i].thread, NULL);
	for (int i = 0; i < n_pollers; i++)
		pthread_join(pollers[i].thread, NULL);
	return was_enough && n == THREADS && n_pollers == 2;
}

static void run_crowd(const char *policy)
{
	static const char *const names[N_TOPICS] = {"crowd-0", "crowd-1", "crowd-2"};
	static crowd c; /* static, so that a failed assertion leaves no thread with a dead frame */
	uint64_t n_accepted = 0, n_sync = 0;
	broker *b = broker_start(2, 0);
	memset(&c, 0, sizeof(c));
	c.producer = producer_with_both_queues(broker_servers(b), policy);
	for (int i = 0; i < N_TOPICS; i++) {
		broker_create_topic(b, names[i], 4); /* kp_partitions_for does not */
		c.topics[i] = kp_topic_open(c.producer, names[i]);
	}
	poller pollers[2] = {{.crowd = &c, .poll = kp_reports_poll}, {.crowd = &c, .poll = kp_failures_poll}};
	assert_true(let_them_live(&c, pollers));
	for (int i = 0; i < THREADS; i++) {
		if (c.members[i].error)
			fail_msg("thread %d: %s", i, kp_error_name(c.members[i].error));
		n_accepted += c.members[i].n_accepted;
		n_sync += c.members[i].n_sync;
	}
	kp_counters k = counters_of(c.producer);
	assert_int_equal(k.persisted + k.not_persisted + k.unknown, k.accepted);
	assert_true(k.accepted >= n_accepted + n_sync); /* a sync send that failed was accepted, too */
	assert_int_equal(pollers[0].n, n_accepted);
	assert_int_equal(pollers[1].n, k.not_persisted + k.unknown);
	assert_int_equal(pollers[1].n, pollers[1].n_failed);
	kp_producer_free(c.producer);
	broker_stop(b);
}

static void sixty_four_threads_that_wait_for_room(void **state)
{
	(void)state;
	run_crowd("block");
}

static void sixty_four_threads_that_are_refused(void **state)
{
	(void)state;
	run_crowd("refuse");
}

static void sixty_four_threads_that_drop_the_oldest(void **state)
{
	(void)state;
	run_crowd("drop_oldest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixty_four_threads_that_wait_for_room),
		cmocka_unit_test(sixty_four_threads_that_are_refused),
		cmocka_unit_test(sixty_four_threads_that_drop_the_oldest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
