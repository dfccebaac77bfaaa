/* A socket's events are told once: what one of them tells of has to be taken whole. */
#include "net_test.h"

static void bytes_and_end_that_arrive_together_are_both_told(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	struct iovec words = {(void *)"last words", 10};
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	assert_int_equal(kp_conn_write(s.peer.conn, &words, 1), 10);
	probe_close(&s.peer); /* loopback: both have arrived when this returns */
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_bytes, 10);
	assert_string_equal(client.text, "connection closed by peer");
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* A listening socket of no loop's. */
static int listen_here(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void bytes_and_end_that_arrive_with_the_connect_are_told(void **state)
{
	(void)state;
	uint16_t port;
	int listening = listen_here(&port);
	kp_loop *l = kp_loop_new();
	probe client = {.stop_in = PROBE_CLOSE};
	probe_open(&client, l, "127.0.0.1", port, NULL);
	assert_int_equal(kp_tasks_run(l), 0); /* connects, and has more to do; the loop has not looked yet */
	int fd = accept(listening, NULL, NULL);
	assert_int_equal(write(fd, "go away", 7), 7);
	close(fd);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_open, 1);
	assert_int_equal(client.n_bytes, 7);
	assert_string_equal(client.text, "connection closed by peer");
	probe_close(&client);
	close(listening);
	kp_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_end_that_arrive_together_are_both_told),
		cmocka_unit_test(bytes_and_end_that_arrive_with_the_connect_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
