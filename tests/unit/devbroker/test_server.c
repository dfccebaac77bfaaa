/*
 * test_server.c - the broker over real sockets: frames in pieces and in bunches, back-pressure, bad peers, start and stop.
 */
#include "server_test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devbroker/server.h"

static int setup(void **state)
{
	kp_devbroker_options o;
	(void)state;
	kp_devbroker_options_init(&o);
	o.n_nodes = 2;
	o.max_message_bytes = 20 << 20;
	server_start(&o);
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

static void metadata_names_the_ports(void **state)
{
	(void)state;
	int fd = server_dial(2);
	kp_metadata_response r = server_metadata(fd, "a");
	assert_int_equal(2, r.brokers.n);
	assert_int_equal(kp_devbroker_port(broker, 1), r.brokers.items[0].port);
	assert_int_equal(kp_devbroker_port(broker, 2), r.brokers.items[1].port);
	assert_int_not_equal(r.brokers.items[0].port, r.brokers.items[1].port);
	assert_int_equal(0, kp_devbroker_port(broker, 3));
	close(fd);
}

static void frame_may_come_byte_by_byte(void **state)
{
	(void)state;
	kp_api_versions_response r;
	int fd = server_dial(1);
	for (int round = 0; round < 2; round++) {
		kp_slice f = server_api_versions();
		for (size_t i = 0; i < f.len; i++)
			server_put(fd, f.ptr + i, 1);
		server_take(fd, t->correlation, KP_API_API_VERSIONS, 0, &r);
		assert_int_equal(18, r.api_keys.n);
	}
	close(fd);
}

static void frames_in_one_piece_are_answered_in_order(void **state)
{
	(void)state;
	kp_produce_response r;
	int fd = server_dial(1);
	server_metadata(fd, "a");
	kp_slice all = kp_slice_of("", 0);
	int32_t first = 0;
	for (int i = 0; i < 50; i++) {
		kp_slice f = server_produce("a", 2, 10);
		if (i == 0)
			first = t->correlation;
		all = db_join(t, all, f);
	}
	int32_t step = (t->correlation - first) / 49;
	server_put(fd, all.ptr, all.len);
	for (int i = 0; i < 50; i++) {
		server_take(fd, first + i * step, KP_API_PRODUCE, 8, &r);
		assert_int_equal(2 * i, db_produced_of(&r).base_offset);
	}
	close(fd);
}

static void large_frames_and_borders_anywhere(void **state)
{
	(void)state;
	kp_produce_response r;
	int fd = server_dial(1);
	server_metadata(fd, "a");
	static const size_t sizes[] = {1, 131000, 131072, 3 << 20, 15 << 20, 100};
	static const size_t pieces[] = {1000003, 131072, 65537};
	int64_t n = 0;
	for (size_t p = 0; p < 3; p++) {
		kp_slice all = kp_slice_of("", 0);
		int32_t correlations[6];
		for (size_t i = 0; i < 6; i++) {
			all = db_join(t, all, server_produce("a", 1, sizes[i]));
			correlations[i] = t->correlation;
		}
		for (size_t at = 0; at < all.len; at += pieces[p])
			server_put(fd, all.ptr + at, all.len - at < pieces[p] ? all.len - at : pieces[p]);
		for (size_t i = 0; i < 6; i++) {
			server_take(fd, correlations[i], KP_API_PRODUCE, 8, &r);
			assert_code(NONE, db_produced_of(&r));
			assert_int_equal(n++, db_produced_of(&r).base_offset);
		}
	}
	close(fd);
}

static void peers_that_are_no_clients_are_closed(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{"GET / HTTP/1.1\r\n\r\n", 18}, {"\xff\xff\xff\xff", 4}, {"\x80\0\0\0zzz", 7},
		{"\x06\x40\x00\x01", 4},        {"\0\0\0\0", 4},         {"\0\0\0\x07garbage", 11},
		{"\x16\x03\x01\x02\0\x01", 6},
	};
	kp_api_versions_response r;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = server_dial(1);
		server_put(fd, bad[i].bytes, bad[i].len);
		server_assert_closed(fd);
		fd = server_dial(1);
		kp_slice f = server_api_versions();
		kp_slice both = db_join(t, f, kp_slice_of(bad[i].bytes, bad[i].len));
		server_put(fd, both.ptr, both.len);
		server_take(fd, t->correlation, KP_API_API_VERSIONS, 0, &r); /* what came before is answered */
		server_assert_closed(fd);
	}
}

/* A client that asks and does not read: the server stops reading it, then goes on where it was. */
static void slow_reader_is_not_read(void **state)
{
	(void)state;
	kp_produce_response pr;
	kp_fetch_response fr;
	int fd = server_dial(1);
	server_metadata(fd, "a");
	for (int i = 0; i < 4; i++) {
		kp_slice f = server_produce("a", 1, 1 << 20);
		server_put(fd, f.ptr, f.len);
		server_take(fd, t->correlation, KP_API_PRODUCE, 8, &pr);
	}
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	q->topics.items[0].topic = kp_slice_cstr("a");
	kp_slice f = server_frame(db_frame(t, KP_API_FETCH, 4, q));
	int32_t correlation = t->correlation, n_sent = 0;
	size_t part = 0;
	assert_int_equal(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	for (;;) { /* until the server has not read for half a second */
		ssize_t n = send(fd, f.ptr + part, f.len - part, MSG_NOSIGNAL);
		struct pollfd p = {fd, POLLOUT, 0};
		if (n < 0 && poll(&p, 1, 500) == 0)
			break;
		part += n > 0 ? (size_t)n : 0;
		if (part == f.len) {
			part = 0;
			n_sent++;
		}
		assert_true(n_sent < 3000000); /* far more than the kernel takes (tcp_rmem may be 32 MiB): the server swallows it */
	}
	assert_int_equal(0, fcntl(fd, F_SETFL, 0));
	for (int32_t i = 0; i < 60; i++) {
		server_take(fd, correlation, KP_API_FETCH, 4, &fr);
		assert_int_equal(4, fr.responses.items[0].partitions.items[0].high_watermark);
		assert_true(fr.responses.items[0].partitions.items[0].records.len > 1 << 20);
		kp_arena_reset(&t->arena);
	}
	close(fd);
	fd = server_dial(1); /* the others were never in its way */
	kp_slice v = server_api_versions();
	kp_api_versions_response r;
	server_put(fd, v.ptr, v.len);
	server_take(fd, t->correlation, KP_API_API_VERSIONS, 0, &r);
	close(fd);
}

static void held_fetch_ends_with_its_connection_or_with_records(void **state)
{
	(void)state;
	kp_fetch_response fr;
	kp_produce_response pr;
	kp_api_versions_response vr;
	int gone = server_dial(1), waits = server_dial(1), writes = server_dial(1);
	server_metadata(gone, "a");
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 15000);
	q->topics.items[0].topic = kp_slice_cstr("a");
	kp_slice f = server_frame(db_frame(t, KP_API_FETCH, 4, q));
	int32_t fetch = t->correlation;
	kp_slice v = server_api_versions(); /* comes behind the held one */
	int32_t version = t->correlation;
	server_put(gone, f.ptr, f.len);
	server_put(waits, f.ptr, f.len);
	server_put(waits, v.ptr, v.len);
	server_metadata(writes,
	                "a"); /* the others are surely held when this is answered, or will be soon: either way the same comes out */
	close(gone);
	kp_slice p = server_produce("a", 1, 10);
	server_put(writes, p.ptr, p.len);
	server_take(writes, t->correlation, KP_API_PRODUCE, 8, &pr);
	server_take(waits, fetch, KP_API_FETCH, 4, &fr);
	assert_int_equal(1, fr.responses.items[0].partitions.items[0].high_watermark);
	server_take(waits, version, KP_API_API_VERSIONS, 0, &vr);
	close(waits);
	close(writes);
}

static void held_fetch_ends_with_its_time(void **state)
{
	(void)state;
	kp_fetch_response fr;
	int fd = server_dial(1);
	server_metadata(fd, "a");
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 30);
	q->topics.items[0].topic = kp_slice_cstr("a");
	kp_slice f = server_frame(db_frame(t, KP_API_FETCH, 4, q));
	server_put(fd, f.ptr, f.len);
	server_take(fd, t->correlation, KP_API_FETCH, 4, &fr);
	assert_int_equal(0, fr.responses.items[0].partitions.items[0].records.len);
	close(fd);
}

static void starting_tells_what_is_wrong(void **state)
{
	(void)state;
	kp_devbroker_options o;
	char err[300] = "";
	kp_devbroker_options_init(&o);
	o.port = kp_devbroker_port(broker, 1);
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, "in use"));
	o.port = 0;
	o.host = "no-such-host.invalid";
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, "no-such-host.invalid"));
	o.host = "127.0.0.1";
	o.n_nodes = 0;
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, "nodes"));
	o.n_nodes = 10;
	o.port = 65530;
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, "65539"));
	o.port = 0;
	o.default_partitions = 0;
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, "partitions"));
}

static void stop_before_run_ends_it_at_once(void **state)
{
	(void)state;
	kp_devbroker_options o;
	char err[300];
	kp_devbroker_options_init(&o);
	o.port = 0;
	kp_devbroker *b = kp_devbroker_new(&o, err, sizeof(err));
	assert_non_null(b);
	kp_devbroker_stop(b);
	assert_int_equal(0, kp_devbroker_run(b));
	kp_devbroker_stats stats;
	kp_devbroker_get_stats(b, &stats);
	assert_int_equal(0, stats.n_connections);
	kp_devbroker_free(b);
}

static void stop_with_connections_open(void **state)
{
	(void)state;
	int fd[20];
	for (int i = 0; i < 20; i++) {
		fd[i] = server_dial(1);
		server_put(fd[i], "\0\0\1\0half a frame", 16);
	}
	int last = server_dial(1);
	server_metadata(last, "a");
	server_stop();
	kp_devbroker_stats stats;
	kp_devbroker_get_stats(broker, &stats);
	assert_int_equal(21, stats.n_connections);
	assert_int_equal(1, stats.n_requests);
	kp_devbroker_free(broker);
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	close(last);
	kp_devbroker_options o;
	kp_devbroker_options_init(&o);
	server_start(&o); /* for teardown */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata_names_the_ports),
		TEST(frame_may_come_byte_by_byte),
		TEST(frames_in_one_piece_are_answered_in_order),
		TEST(large_frames_and_borders_anywhere),
		TEST(peers_that_are_no_clients_are_closed),
		TEST(slow_reader_is_not_read),
		TEST(held_fetch_ends_with_its_connection_or_with_records),
		TEST(held_fetch_ends_with_its_time),
		TEST(starting_tells_what_is_wrong),
		TEST(stop_before_run_ends_it_at_once),
		TEST(stop_with_connections_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
