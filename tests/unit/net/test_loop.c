/* Tasks: deadlines, wake-ups, frees; starting and stopping the loop. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "net_test.h"

/* deadlines */

#define N_DEADLINES 60

typedef struct ticker {
	kp_loop *loop;
	int64_t wanted_us;
	int64_t late_us[N_DEADLINES];
	int n;
} ticker;

static int64_t ticker_step(void *opaque, int64_t now_us)
{
	ticker *t = opaque;
	if (t->wanted_us) {
		assert_true(now_us >= t->wanted_us);
		t->late_us[t->n++] = now_us - t->wanted_us;
	}
	if (t->n == N_DEADLINES) {
		kp_loop_stop(t->loop);
		return KP_TIME_NEVER;
	}
	t->wanted_us = now_us + 100 + t->n * 53; /* 0.1 to 3.2 ms */
	return t->wanted_us;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void task_is_stepped_at_its_deadline_and_never_before(void **state)
{
	(void)state;
	ticker t = {.loop = kp_loop_new()};
	kp_task *task = kp_task_new(t.loop, ticker_step, &t);
	kp_task_wake(task);
	assert_true(run_loop(t.loop, PATIENCE_MS));
	assert_int_equal(t.n, N_DEADLINES);
	/* The median: on a busy machine single steps come late, whatever the timer does. */
	qsort(t.late_us, N_DEADLINES, sizeof(t.late_us[0]), by_value);
	print_message("late by %lld us (median), %lld us (worst)\n", (long long)t.late_us[N_DEADLINES / 2],
	              (long long)t.late_us[N_DEADLINES - 1]);
	assert_in_range(t.late_us[N_DEADLINES / 2], 0, 2 * MS);
	kp_task_free(task);
	kp_loop_free(t.loop);
}

typedef struct sleeper {
	kp_loop *loop;
	int64_t deadline_us;
	int64_t stepped_us;
	int *n_left;
} sleeper;

static int64_t sleeper_step(void *opaque, int64_t now_us)
{
	sleeper *s = opaque;
	if (now_us < s->deadline_us)
		return s->deadline_us;
	s->stepped_us = now_us;
	if (--*s->n_left == 0)
		kp_loop_stop(s->loop);
	return KP_TIME_NEVER;
}

static void earlier_deadline_set_later_is_kept(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	int n_left = 3;
	int64_t now_us = kp_time_mono_us();
	sleeper s[3] = {{l, now_us + 60 * MS, 0, &n_left}, {l, now_us + 20 * MS, 0, &n_left}, {l, now_us + 40 * MS, 0, &n_left}};
	kp_task *t[3];
	for (int i = 0; i < 3; i++) {
		t[i] = kp_task_new(l, sleeper_step, &s[i]);
		kp_task_wake(t[i]);
	}
	assert_true(run_loop(l, PATIENCE_MS));
	assert_true(s[1].stepped_us <= s[2].stepped_us && s[2].stepped_us <= s[0].stepped_us);
	for (int i = 0; i < 3; i++)
		kp_task_free(t[i]);
	kp_loop_free(l);
}

/* wake-ups */

#define N_WAKERS 4
#define N_WAKES 100000

typedef struct inbox {
	kp_loop *loop;
	kp_task *task;
	/* relaxed everywhere: what is tested is that the wake carries the order */
	_Atomic uint32_t posted[N_WAKERS];
	_Atomic uint32_t seen[N_WAKERS];
} inbox;

typedef struct waker {
	inbox *in;
	int index;
	pthread_t thread;
} waker;

static int64_t inbox_step(void *opaque, int64_t now_us)
{
	inbox *in = opaque;
	(void)now_us;
	bool is_done = true;
	for (int i = 0; i < N_WAKERS; i++) {
		uint32_t n = atomic_load_explicit(&in->posted[i], memory_order_relaxed);
		atomic_store_explicit(&in->seen[i], n, memory_order_relaxed);
		is_done = is_done && n == N_WAKES;
	}
	if (is_done)
		kp_loop_stop(in->loop);
	return KP_TIME_NEVER;
}

/* Every so often it waits until the item was seen: each such item is the last before a silence, which a lost wake-up would not end. */
static void *waker_main(void *opaque)
{
	waker *w = opaque;
	int64_t deadline_us = kp_time_mono_us() + PATIENCE_MS * MS;
	for (uint32_t n = 1; n <= N_WAKES; n++) {
		atomic_store_explicit(&w->in->posted[w->index], n, memory_order_relaxed);
		kp_task_wake(w->in->task);
		if (n % 61 != 0)
			continue;
		while (atomic_load_explicit(&w->in->seen[w->index], memory_order_relaxed) < n) {
			if (kp_time_mono_us() > deadline_us)
				return NULL;
			sched_yield();
		}
	}
	return NULL;
}

static void every_item_posted_by_four_threads_is_seen(void **state)
{
	(void)state;
	inbox in = {.loop = kp_loop_new()};
	waker w[N_WAKERS];
	in.task = kp_task_new(in.loop, inbox_step, &in);
	for (int i = 0; i < N_WAKERS; i++) {
		w[i] = (waker){.in = &in, .index = i};
		assert_int_equal(pthread_create(&w[i].thread, NULL, waker_main, &w[i]), 0);
	}
	bool is_in_time = run_loop(in.loop, PATIENCE_MS);
	for (int i = 0; i < N_WAKERS; i++)
		pthread_join(w[i].thread, NULL);
	assert_true(is_in_time);
	kp_task_free(in.task);
	kp_loop_free(in.loop);
}

static int64_t count_step(void *opaque, int64_t now_us)
{
	(void)now_us;
	++*(int *)opaque;
	return KP_TIME_NEVER;
}

static int64_t stop_step(void *opaque, int64_t now_us)
{
	(void)now_us;
	kp_loop_stop(opaque);
	return KP_TIME_NEVER;
}

static void wakes_before_a_step_are_one_step(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	int n = 0;
	kp_task *counted = kp_task_new(l, count_step, &n), *last = kp_task_new(l, stop_step, l);
	kp_task_wake(counted);
	kp_task_wake(counted);
	kp_task_wake(last);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(n, 1);
	kp_task_free(counted);
	kp_task_free(last);
	kp_loop_free(l);
}

typedef struct restless {
	kp_task *task;
	int n;
} restless;

static int64_t restless_step(void *opaque, int64_t now_us)
{
	restless *r = opaque;
	r->n++;
	kp_task_wake(r->task);
	return now_us; /* due at once, too */
}

static void task_that_wakes_itself_does_not_starve_sockets(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	restless r = {0};
	server s = {0};
	probe client = {0};
	r.task = kp_task_new(l, restless_step, &r);
	kp_task_wake(r.task);
	open_pair(l, &s, &client, NULL);
	s.peer.stop_in = PROBE_DATA;
	for (int i = 0; i < 10; i++) {
		struct iovec v = {(void *)"ping", 4};
		assert_int_equal(kp_conn_write(client.conn, &v, 1), 4);
		assert_true(run_loop(l, PATIENCE_MS));
	}
	assert_int_equal(s.peer.n_bytes, 40);
	assert_true(r.n >= 10);
	probe_close(&client);
	server_stop(&s);
	kp_task_free(r.task);
	kp_loop_free(l);
}

/* frees */

typedef struct killer {
	kp_loop *loop;
	kp_task *self, *other;
} killer;

static int64_t killer_step(void *opaque, int64_t now_us)
{
	killer *k = opaque;
	kp_task_free(k->other);
	kp_task_free(k->self);
	kp_loop_stop(k->loop);
	return now_us;
}

static void task_may_free_itself_and_another_that_is_woken(void **state)
{
	(void)state;
	killer k = {.loop = kp_loop_new()};
	int n = 0;
	k.self = kp_task_new(k.loop, killer_step, &k);
	k.other = kp_task_new(k.loop, count_step, &n);
	kp_task_wake(k.self);
	kp_task_wake(k.other);
	assert_true(run_loop(k.loop, PATIENCE_MS));
	assert_int_equal(n, 0);
	kp_loop_free(k.loop);
}

static void woken_task_may_be_freed_without_a_run(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	int n = 0;
	kp_task *t = kp_task_new(l, count_step, &n);
	kp_task_wake(t);
	kp_task_free(t);
	kp_loop_free(l);
	assert_int_equal(n, 0);
}

/* starting and stopping */

static void *stopper_main(void *opaque)
{
	kp_loop_stop(opaque);
	return NULL;
}

static void loop_is_stopped_by_another_thread_and_runs_again(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, stopper_main, l), 0);
		assert_true(run_loop(l, PATIENCE_MS));
		pthread_join(thread, NULL);
	}
	kp_loop_free(l);
}

static void loop_without_descriptors_is_not_made(void **state)
{
	(void)state;
	rlim_t before = exhaust_descriptors();
	kp_loop *l = kp_loop_new();
	restore_descriptors(before);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(task_is_stepped_at_its_deadline_and_never_before),
		cmocka_unit_test(earlier_deadline_set_later_is_kept),
		cmocka_unit_test(every_item_posted_by_four_threads_is_seen),
		cmocka_unit_test(wakes_before_a_step_are_one_step),
		cmocka_unit_test(task_that_wakes_itself_does_not_starve_sockets),
		cmocka_unit_test(task_may_free_itself_and_another_that_is_woken),
		cmocka_unit_test(woken_task_may_be_freed_without_a_run),
		cmocka_unit_test(loop_is_stopped_by_another_thread_and_runs_again),
		cmocka_unit_test(loop_without_descriptors_is_not_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
