/* What the loop costs in system calls: nothing is asked of the poll but to wait, and it returns only when there is something to do. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "net_test.h"

static atomic_int n_changes, n_polls;

/* Ahead of libc's, for this program. */
int epoll_ctl(int poll_fd, int op, int fd, struct epoll_event *e)
{
	atomic_fetch_add(&n_changes, 1);
	return (int)syscall(SYS_epoll_ctl, poll_fd, op, fd, e);
}

int epoll_wait(int poll_fd, struct epoll_event *events, int n, int timeout_ms)
{
	atomic_fetch_add(&n_polls, 1);
	return (int)syscall(SYS_epoll_pwait, poll_fd, events, n, timeout_ms, NULL, 0);
}

#define BLOCK_BYTES (1000 * 1000) /* of which a socket takes a part at a time */
#define N_BLOCKS 20

typedef struct stream {
	kp_loop *loop;
	kp_conn *to, *from;
	size_t n_sent, n_received;
	int n_partial, n_whole;
} stream;

static void send_blocks(void *opaque)
{
	static uint8_t block[BLOCK_BYTES];
	stream *s = opaque;
	while (s->n_sent < N_BLOCKS * BLOCK_BYTES) {
		struct iovec v = {block, BLOCK_BYTES - s->n_sent % BLOCK_BYTES};
		ptrdiff_t n = kp_conn_write(s->to, &v, 1);
		assert_true(n >= 0);
		s->n_sent += (size_t)n;
		if ((size_t)n < v.iov_len) {
			s->n_partial++;
			return;
		}
		s->n_whole++;
	}
}

static void count_bytes(void *opaque, const uint8_t *ptr, size_t len)
{
	stream *s = opaque;
	(void)ptr;
	s->n_received += len;
	if (s->n_received == N_BLOCKS * BLOCK_BYTES)
		kp_loop_stop(s->loop);
}

static void partial_and_whole_writes_change_no_watch(void **state)
{
	static const kp_conn_events sends = {.on_writable = send_blocks}, receives = {.on_data = count_bytes};
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	kp_conn_options o = default_options();
	o.send_buffer_bytes = 64 * 1024;
	open_pair(l, &s, &client, &o);
	stream st = {.loop = l, .to = client.conn, .from = s.peer.conn};
	kp_conn_accept_events(client.conn, &sends, &st);
	kp_conn_accept_events(s.peer.conn, &receives, &st);
	n_changes = 0;
	send_blocks(&st);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(st.n_whole, N_BLOCKS);
	assert_true(st.n_partial >= N_BLOCKS);
	assert_int_equal(n_changes, 0);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void peer_that_does_not_read_leaves_the_loop_asleep(void **state)
{
	static uint8_t block[BLOCK_BYTES];
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	struct iovec v = {block, sizeof(block)};
	open_pair(l, &s, &client, NULL);
	kp_conn_pause(s.peer.conn, true);
	while (kp_conn_write(client.conn, &v, 1) == (ptrdiff_t)v.iov_len)
		;
	n_polls = n_changes = 0;
	assert_false(run_loop(l, 100));
	assert_in_range(n_polls, 1, 20); /* those of the connection's last news, and the watchdog's */
	assert_int_equal(n_changes, 0);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void idle_connections_leave_the_loop_asleep(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	(void)run_loop(l, 1); /* what is left of the opening */
	n_polls = n_changes = 0;
	assert_false(run_loop(l, 100));
	assert_in_range(n_polls, 1, 3); /* the watchdog's deadline */
	assert_int_equal(n_changes, 0);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

#define N_RINGS 100

typedef struct ringer {
	kp_task *task;
	atomic_int n_seen;
} ringer;

static int64_t note_ring(void *opaque, int64_t now_us)
{
	ringer *r = opaque;
	(void)now_us;
	if (atomic_fetch_add(&r->n_seen, 1) == N_RINGS)
		kp_loop_stop(r->task->loop);
	return KP_TIME_NEVER;
}

static void *ring_one_by_one(void *opaque)
{
	ringer *r = opaque;
	for (int i = 0; i <= N_RINGS; i++) {
		kp_task_wake(r->task);
		while (atomic_load(&r->n_seen) == i)
			sched_yield();
	}
	return NULL;
}

static void a_wake_up_costs_a_ring_and_a_poll(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	ringer r = {.n_seen = 0};
	pthread_t thread;
	uint64_t n_rung = 0;
	r.task = kp_task_new(l, note_ring, &r);
	n_polls = n_changes = 0;
	assert_int_equal(pthread_create(&thread, NULL, ring_one_by_one, &r), 0);
	assert_true(run_loop(l, PATIENCE_MS));
	pthread_join(thread, NULL);
	assert_int_equal(r.n_seen, N_RINGS + 1);
	assert_in_range(n_polls, 1, N_RINGS + 5); /* beside the wakes: the watchdog's and the stop's */
	assert_int_equal(read(l->bell_fd, &n_rung, sizeof(n_rung)), sizeof(n_rung)); /* nobody has read it before */
	assert_in_range(n_rung, 1, N_RINGS + 3);
	kp_task_free(r.task);
	kp_loop_free(l);
}

static int64_t do_nothing(void *opaque, int64_t now_us)
{
	(void)opaque;
	(void)now_us;
	return KP_TIME_NEVER;
}

static void a_silent_wake_leaves_the_ring_to_its_caller(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	kp_task *first = kp_task_new(l, do_nothing, NULL), *second = kp_task_new(l, do_nothing, NULL);
	uint64_t n_rung = 0;
	assert_true(kp_task_wake_silently(first));
	assert_false(kp_task_wake_silently(first)); /* pending: who woke it first rings */
	assert_false(kp_task_wake_silently(second));
	assert_int_equal(read(l->bell_fd, &n_rung, sizeof(n_rung)), -1);
	kp_loop_ring(l);
	assert_int_equal(read(l->bell_fd, &n_rung, sizeof(n_rung)), sizeof(n_rung));
	assert_int_equal(n_rung, 1);
	kp_task_free(first);
	kp_task_free(second);
	kp_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial_and_whole_writes_change_no_watch),
		cmocka_unit_test(peer_that_does_not_read_leaves_the_loop_asleep),
		cmocka_unit_test(idle_connections_leave_the_loop_asleep),
		cmocka_unit_test(a_wake_up_costs_a_ring_and_a_poll),
		cmocka_unit_test(a_silent_wake_leaves_the_ring_to_its_caller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
