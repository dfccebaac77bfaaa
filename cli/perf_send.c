/*
 * perf_send.c - the threads that send. At full speed a record costs its payload pointer and kp_send, nothing else: clocks, flags and
 * counters wait until PERF_SAMPLE_EVERY records are through.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/perf.h"
#include "cli/signals.h"
#include "cli/talk.h"

#define SLICE_NS (CLI_SLICE_MS * INT64_C(1000000)) /* a sleep is no longer, so that the end is seen */

static void *ticks_at(const perf *run, int64_t ns)
{
	return (void *)((uintptr_t)((ns - run->start_ns) / PERF_NS_PER_TICK) + 1);
}

static bool is_over(const perf *run, int64_t now_ns)
{
	const perf_options *o = run->options;
	return cli_stop_count() || atomic_load_explicit(&run->is_cancelled, memory_order_relaxed) ||
	       (o->duration_ms && now_ns - run->start_ns >= o->duration_ms * 1000000);
}

/* Of the thread itself only, which therefore need not add atomically. */
static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static void account(perf_sender *s, const kp_record *r, size_t n)
{
	uint64_t bytes = n * s->run->options->headers.bytes;
	for (size_t i = 0; i < n; i++)
		bytes += r[i].key_len + r[i].value_len;
	add(&s->bytes, bytes);
	add(&s->accepted, n);
}

/* A record was not taken: wait for room, or count it as failed. False: the run is over and the record was never sent. */
static bool retry_or_refuse(perf_sender *s, const kp_record *r, int error)
{
	while (error == KP_ERR_QUEUE_FULL) {
		if (is_over(s->run, cli_now_ns()))
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		error = kp_send(s->topic, r);
	}
	if (error) {
		s->refused++;
		cli_tally_failure(&s->run->tally, KP_NOT_PERSISTED, error);
	} else
		account(s, r, 1);
	return true;
}

static inline void draw_partition(perf_sender *s, kp_record *r)
{
	if (s->n_partitions)
		r->partition = (int32_t)((cli_payload_random(&s->partition_state) >> 32) * s->n_partitions >> 32);
}

/* n <= PERF_SAMPLE_EVERY records, the first one timed. */
static bool send_singly(perf_sender *s, size_t n)
{
	kp_topic *topic = s->topic;
	cli_payload_cursor cursor = s->cursor;
	kp_record r = s->records[0];
	uint64_t bytes = 0, accepted = 0;
	bool goes_on = true;
	r.opaque = ticks_at(s->run, cli_now_ns());
	for (size_t i = 0; i < n && goes_on; i++) {
		cli_payload_next(&cursor, &r);
		draw_partition(s, &r);
		int error = kp_send(topic, &r);
		if (__builtin_expect(error != 0, 0))
			goes_on = retry_or_refuse(s, &r, error);
		else {
			bytes += r.key_len + r.value_len;
			accepted++;
		}
		r.opaque = NULL;
	}
	s->cursor = cursor;
	add(&s->bytes, bytes + accepted * s->run->options->headers.bytes);
	add(&s->accepted, accepted);
	return goes_on;
}

static bool send_array(perf_sender *s, size_t n)
{
	kp_topic *topic = s->topic;
	bool goes_on = true;
	for (size_t i = 0; i < n; i++) {
		cli_payload_next(&s->cursor, &s->records[i]);
		draw_partition(s, &s->records[i]);
	}
	for (size_t done = 0; done < n && goes_on;) {
		int error = 0;
		size_t accepted = kp_send_many(topic, s->records + done, n - done, &error);
		account(s, s->records + done, accepted);
		done += accepted;
		if (done < n)
			goes_on = retry_or_refuse(s, &s->records[done++], error);
	}
	return goes_on;
}

/* PERF_SAMPLE_EVERY records in arrays, the first record of all timed. */
static bool send_in_arrays(perf_sender *s, size_t n)
{
	size_t array = s->run->options->array;
	bool goes_on = true;
	s->records[0].opaque = ticks_at(s->run, cli_now_ns());
	for (size_t done = 0; done < n && goes_on; done += array) {
		goes_on = send_array(s, n - done < array ? n - done : array);
		s->records[0].opaque = NULL;
	}
	return goes_on;
}

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

static void send_at_full_speed(perf_sender *s)
{
	bool in_arrays = s->run->options->array > 1, goes_on = true;
	for (uint64_t left = s->n; left && goes_on && !is_over(s->run, cli_now_ns());) {
		if (!perf_transaction_begin(s))
			return;
		size_t n = least(least(left, PERF_SAMPLE_EVERY), s->transactions ? s->transactions->left : UINT64_MAX);
		goes_on = in_arrays ? send_in_arrays(s, n) : send_singly(s, n);
		goes_on = goes_on && perf_transaction_sent(s, n);
		left -= n;
	}
}

static void send_at_rate(perf_sender *s)
{
	perf *run = s->run;
	const perf_options *o = run->options;
	double interval_ns = 1e9 / o->rate;
	kp_record r = s->records[0];
	/* The default slack of 50 us would be in every figure. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	int64_t now = cli_now_ns();
	for (uint64_t i = 0; i < s->n; i++) {
		int64_t due = run->start_ns + (int64_t)((double)(i * o->n_threads + s->index) * interval_ns);
		/* When late, send what is due in one burst; the records are timed from when they were due. */
		while (due > now && !is_over(run, now)) {
			int64_t wake = due - now < SLICE_NS ? due : now + SLICE_NS;
			struct timespec until = {wake / 1000000000, wake % 1000000000};
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
			now = cli_now_ns();
		}
		if (is_over(run, now) || !perf_transaction_begin(s))
			return;
		cli_payload_next(&s->cursor, &r);
		draw_partition(s, &r);
		r.opaque = ticks_at(run, due);
		int error = kp_send(s->topic, &r);
		if (!error)
			account(s, &r, 1);
		else if (!retry_or_refuse(s, &r, error))
			return;
		if (!perf_transaction_sent(s, 1))
			return;
	}
}

static void *sender_main(void *opaque)
{
	perf_sender *s = opaque;
	uint64_t one = 1;
	if (s->run->options->rate > 0)
		send_at_rate(s);
	else
		send_at_full_speed(s);
	(void)perf_transaction_end(s);
	s->end_ns = cli_now_ns();
	/* Release: what the thread counted is read after the last one is gone. */
	if (atomic_fetch_sub_explicit(&s->run->n_running, 1, memory_order_acq_rel) == 1 &&
	    write(s->run->done_fd, &one, sizeof(one)) < 0)
		cli_error("cannot write to an eventfd: %s", strerror(errno));
	return NULL;
}

static void sender_init(perf *run, unsigned i)
{
	const perf_options *o = run->options;
	perf_sender *s = &run->senders[i];
	kp_record r = KP_RECORD_INIT;
	r.partition = o->partition;
	r.headers = o->headers.list;
	r.n_headers = o->headers.n;
	*s = (perf_sender){.run = run, .index = i, .topic = run->sessions[i % o->n_producers].topic};
	s->transactions = run->transactions ? &run->transactions[i] : NULL;
	s->n = o->n_records == UINT64_MAX ? UINT64_MAX : o->n_records / o->n_threads + (i < o->n_records % o->n_threads);
	s->partition_state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
	s->n_partitions = o->has_random_partition ? (uint32_t)run->sessions[i % o->n_producers].n_partitions : 0;
	/* Different threads start at different places, or all would send the same key at the same time. */
	s->cursor = (cli_payload_cursor){&run->payload, run->payload.n * i / o->n_threads, run->payload.n_keys * i / o->n_threads,
	                                 o->has_random_keys ? UINT64_C(0x9e3779b97f4a7c15) * (i + 1) : 0};
	for (size_t k = 0; k < PERF_SAMPLE_EVERY; k++)
		s->records[k] = r;
}

static int start(perf *run)
{
	run->n_running = (unsigned)run->options->n_threads;
	run->start_ns = run->progress_ns = cli_now_ns();
	for (; run->n_started < run->options->n_threads; run->n_started++) {
		perf_sender *s = &run->senders[run->n_started];
		int error = pthread_create(&s->thread, NULL, sender_main, s);
		if (error) {
			cli_error("cannot start thread %u of %llu: %s", run->n_started + 1,
			          (unsigned long long)run->options->n_threads, strerror(error));
			atomic_store_explicit(&run->is_cancelled, true, memory_order_relaxed);
			return CLI_FAILED;
		}
	}
	return CLI_GO_ON;
}

int perf_send(perf *run)
{
	size_t size = run->options->n_threads * sizeof(*run->senders);
	run->done_fd = eventfd(0, EFD_CLOEXEC);
	run->senders = aligned_alloc(64, (size + 63) / 64 * 64);
	if (run->done_fd < 0 || !run->senders) {
		cli_error("cannot start: %s", strerror(errno));
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < run->options->n_threads; i++)
		sender_init(run, i);
	int rc = start(run);
	int64_t interval_ms = run->options->progress_interval_ms;
	int slice_ms = interval_ms && interval_ms < 1000 ? (int)interval_ms : 1000;
	while (rc == CLI_GO_ON && cli_wait_readable(run->done_fd, slice_ms) == CLI_WAIT_TIMEOUT)
		perf_progress(run);
	for (unsigned i = 0; i < run->n_started; i++)
		pthread_join(run->senders[i].thread, NULL);
	return rc;
}
