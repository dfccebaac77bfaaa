/*
 * test_server_bounds.c - clients that take too much, over real sockets: those longest unused are closed, the others are served.
 */
#include "server_test.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/time.h"

#define MIB ((size_t)1 << 20)

static kp_devbroker_options options;
static atomic_int n_said; /* relaxed: a count, read when an answer has shown that the broker is past it */
static char last_said[400];

static void say(const char *line, void *opaque)
{
	(void)opaque;
	snprintf(last_said, sizeof(last_said), "%s", line);
	atomic_fetch_add(&n_said, 1);
}

static int setup(void **state)
{
	(void)state;
	kp_devbroker_options_init(&options);
	options.say = say;
	atomic_store(&n_said, 0);
	t = db_test_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_stop();
	kp_devbroker_free(broker);
	db_test_free(t);
	return 0;
}

static void ask(int fd)
{
	kp_api_versions_response r;
	kp_slice v = server_api_versions();
	server_put(fd, v.ptr, v.len);
	server_take(fd, t->correlation, KP_API_API_VERSIONS, 0, &r);
}

static bool is_closed_now(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void begun_requests_past_the_bound_close_the_longest_unused(void **state)
{
	(void)state;
	static uint8_t begin[MIB];
	options.frame_bytes_max = 3 * MIB;
	server_start(&options);
	kp_store_be32(begin, 2 * MIB - 4);
	int fd[4];
	for (int i = 0; i < 4; i++) {
		fd[i] = server_dial(1);
		ask(fd[i]);
		if (i == 1)
			ask(fd[0]); /* now the second is the one longest unused */
	}
	for (int i = 0; i < 4; i++)
		server_put(fd[i], begin, sizeof(begin));
	server_assert_closed(fd[1]);
	assert_int_equal(1, atomic_load(&n_said)); /* once a minute of a kind */
	assert_non_null(strstr(last_said, "3145728"));
	int good = server_dial(1);
	ask(good);
	close(good);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			close(fd[i]);
}

static void unread_answers_past_the_bound_close_the_longest_unused(void **state)
{
	(void)state;
	kp_produce_response pr;
	options.answer_bytes_max = 6 * MIB;
	server_start(&options);
	int good = server_dial(1);
	server_metadata(good, "a");
	kp_slice p = server_produce("a", 1, 900000);
	server_put(good, p.ptr, p.len);
	server_take(good, t->correlation, KP_API_PRODUCE, 8, &pr);
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	q->topics.items[0].topic = kp_slice_cstr("a");
	kp_slice f = server_frame(db_frame(t, KP_API_FETCH, 4, q));
	int bad = server_dial(1);
	struct pollfd hup = {bad, POLLRDHUP | POLLHUP, 0};
	for (int i = 0; i < 400 && !(hup.revents & (POLLRDHUP | POLLHUP | POLLERR)); i++) { /* far more than the kernel takes */
		(void)!send(bad, f.ptr, f.len, MSG_NOSIGNAL);
		ask(good);
		assert_true(poll(&hup, 1, 0) >= 0);
	}
	assert_true(hup.revents & (POLLRDHUP | POLLHUP | POLLERR));
	ask(good);
	assert_int_equal(1, atomic_load(&n_said));
	close(good);
	close(bad);
}

/* A connection that goes on being read after a wait is given room, and there may be nothing to read. */
static void connections_that_have_waited_hold_no_room(void **state)
{
	enum { N = 40 };
	(void)state;
	kp_fetch_response fr;
	options.frame_bytes_max = 8 * 65536; /* that of eight */
	server_start(&options);
	int fd[N], good = server_dial(1);
	server_metadata(good, "a");
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 1);
	q->topics.items[0].topic = kp_slice_cstr("a");
	q->min_bytes = 1;
	for (int i = 0; i < N; i++) {
		fd[i] = server_dial(1);
		kp_slice f = server_frame(db_frame(t, KP_API_FETCH, 4, q));
		server_put(fd[i], f.ptr, f.len);
		server_take(fd[i], t->correlation, KP_API_FETCH, 4, &fr);
	}
	for (int i = 0; i < N; i++) {
		ask(good);
		assert_false(is_closed_now(fd[i]));
	}
	assert_int_equal(0, atomic_load(&n_said));
	for (int i = 0; i < N; i++)
		close(fd[i]);
	close(good);
}

static void new_connection_takes_the_place_of_the_longest_unused(void **state)
{
	(void)state;
	options.connections_max = 10;
	server_start(&options);
	int fd[12];
	for (int i = 0; i < 10; i++) {
		fd[i] = server_dial(1);
		ask(fd[i]);
	}
	ask(fd[0]);
	for (int i = 10; i < 12; i++) {
		fd[i] = server_dial(1);
		ask(fd[i]);
	}
	server_assert_closed(fd[1]);
	server_assert_closed(fd[2]);
	assert_int_equal(1, atomic_load(&n_said));
	for (int i = 0; i < 12; i++)
		if (i != 1 && i != 2) {
			ask(fd[i]);
			close(fd[i]);
		}
}

static void unused_connection_is_closed_and_a_used_one_stays(void **state)
{
	(void)state;
	options.connections_max_idle_ms = 200;
	server_start(&options);
	int used = server_dial(1), silent = server_dial(1), drips = server_dial(1);
	int64_t begin_us = kp_time_mono_us(), end_us = begin_us;
	bool is_over[2] = {false, false};
	kp_slice v = server_api_versions();
	for (size_t i = 0; !is_over[0] || !is_over[1];) {
		ask(used);
		if (!is_over[1] && i < v.len - 1)
			(void)!send(drips, v.ptr + i++, 1, MSG_NOSIGNAL);
		is_over[0] = is_over[0] || is_closed_now(silent);
		is_over[1] = is_over[1] || is_closed_now(drips);
		kp_arena_reset(&t->arena);
		v = server_api_versions();
		end_us = kp_time_mono_us();
		assert_true(end_us - begin_us < 20000000);
	}
	assert_true(end_us - begin_us >= 200000);
	ask(used);
	close(used);
	close(silent);
	close(drips);
}

static void request_that_is_sent_in_any_pieces_is_carried_out(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 4000, 65500, 65536, 65600, 300000, 900000};
	kp_produce_response r;
	server_start(&options);
	int fd = server_dial(1), other = server_dial(1);
	server_metadata(fd, "a");
	int64_t n = 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t first = 1; first < sizes[i] + 100; first = first * 3 + 1) {
			kp_slice p = server_produce("a", 1, sizes[i]);
			int32_t correlation = t->correlation;
			if (first >= p.len)
				break;
			server_put(fd, p.ptr, first);
			ask(other); /* by then the server has most likely read the first piece */
			server_put(fd, p.ptr + first, p.len - first);
			server_take(fd, correlation, KP_API_PRODUCE, 8, &r);
			assert_code(NONE, db_produced_of(&r));
			assert_int_equal(n++, db_produced_of(&r).base_offset);
			kp_arena_reset(&t->arena);
		}
	close(fd);
	close(other);
}

static void thousand_nodes_are_served_and_a_port_in_use_is_named(void **state)
{
	(void)state;
	char err[300] = "", expected[60];
	options.n_nodes = KP_DEVBROKER_NODES_MAX;
	server_start(&options);
	int fd = server_dial(KP_DEVBROKER_NODES_MAX);
	kp_metadata_response r = server_metadata(fd, "a");
	assert_int_equal(KP_DEVBROKER_NODES_MAX, r.brokers.n);
	assert_int_equal(kp_devbroker_port(broker, 1000), r.brokers.items[999].port);
	close(fd);
	kp_devbroker_options o = options;
	o.n_nodes = 2;
	o.port = (uint16_t)(kp_devbroker_port(broker, 500) - 1);
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	snprintf(expected, sizeof(expected), "node 2 cannot listen on 127.0.0.1:%d", o.port + 1);
	char *has_first = strstr(err, "node 1 cannot listen on"); /* the port in front may be taken as well */
	assert_true(has_first || strstr(err, expected));
}

static void addresses_of_this_machine_alone_are_told_from_others(void **state)
{
	(void)state;
	static const char *const own[] = {"127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1", "no-such-host.invalid"};
	static const char *const open[] = {"0.0.0.0", "::", "", "10.0.0.1", "192.0.2.1", "128.0.0.1", "fe80::1", "::ffff:10.0.0.1"};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_int_equal(1, kp_devbroker_is_loopback(own[i]));
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		assert_int_equal(0, kp_devbroker_is_loopback(open[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begun_requests_past_the_bound_close_the_longest_unused),
		TEST(unread_answers_past_the_bound_close_the_longest_unused),
		TEST(connections_that_have_waited_hold_no_room),
		TEST(new_connection_takes_the_place_of_the_longest_unused),
		TEST(unused_connection_is_closed_and_a_used_one_stays),
		TEST(request_that_is_sent_in_any_pieces_is_carried_out),
		TEST(thousand_nodes_are_served_and_a_port_in_use_is_named),
		cmocka_unit_test(addresses_of_this_machine_alone_are_told_from_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
