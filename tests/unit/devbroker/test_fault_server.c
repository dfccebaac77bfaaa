/*
 * test_fault_server.c - faults over real sockets: nodes that are down, stuck and disconnected, answers cut off, the control socket.
 */
#include "db_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/time.h"
#include "devbroker/devbroker.h"
#include "wire/msg_api_versions.h"

#define PATIENCE_US 20000000

static kp_devbroker *broker;
static pthread_t thread;
static db_test *t; /* makes frames; its own core is not used */
static char folder[64], path[80];
static int control = -1;
static kp_buf answer;

static void *run(void *arg)
{
	kp_devbroker_run(arg);
	return NULL;
}

static void start(const char *script)
{
	char err[300];
	kp_devbroker_options o;
	kp_devbroker_options_init(&o);
	o.port = 0;
	o.n_nodes = 2;
	o.fault_script = script;
	o.control_path = path;
	broker = kp_devbroker_new(&o, err, sizeof(err));
	if (!broker)
		fail_msg("%s", err);
	assert_int_equal(0, pthread_create(&thread, NULL, run, broker));
}

static void stop(void)
{
	kp_devbroker_stop(broker);
	pthread_join(thread, NULL);
	kp_devbroker_free(broker);
	broker = NULL;
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/kp-fault-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/ctl", folder);
	kp_buf_init(&answer, 0);
	t = db_test_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (control >= 0)
		close(control);
	control = -1;
	if (broker)
		stop();
	kp_buf_deinit(&answer);
	db_test_free(t);
	unlink(path);
	assert_int_equal(0, rmdir(folder));
	return 0;
}

static int local(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {20, 0};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

/* The lines of an answer; the last one begins with "ok" or "error". */
static const char *read_answer(int fd)
{
	size_t line = 0;
	kp_buf_clear(&answer);
	for (;;) {
		char c;
		assert_int_equal(1, recv(fd, &c, 1, 0));
		kp_buf_append_u8(&answer, (uint8_t)c);
		if (c != '\n')
			continue;
		const char *text = kp_buf_cstr(&answer);
		if (!strncmp(text + line, "ok", 2) || !strncmp(text + line, "error", 5))
			return text;
		line = answer.len;
	}
}

static const char *command(const char *text)
{
	if (control < 0)
		control = local();
	assert_int_equal(strlen(text), send(control, text, strlen(text), MSG_NOSIGNAL));
	assert_int_equal(1, send(control, "\n", 1, MSG_NOSIGNAL));
	return read_answer(control);
}

/* A connection, or -1 when it is refused. */
static int dial(int32_t node)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_port = htons(kp_devbroker_port(broker, node)),
	                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval limit = {20, 0};
	assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	assert_int_equal(ECONNREFUSED, errno);
	close(fd);
	return -1;
}

static void ask(int fd)
{
	kp_api_versions_request q;
	uint8_t length[4];
	kp_wire_init(&kp_api_versions_request_schema, &q, 1);
	kp_slice frame = db_frame(t, KP_API_API_VERSIONS, 0, &q);
	kp_store_be32(length, (uint32_t)frame.len);
	assert_int_equal(4, send(fd, length, 4, MSG_NOSIGNAL));
	assert_int_equal(frame.len, send(fd, frame.ptr, frame.len, MSG_NOSIGNAL));
}

/* Bytes until the end of the stream or of one answer. */
static size_t take(int fd)
{
	uint8_t bytes[4096];
	size_t n = 0;
	while (n < 4 || n < 4 + kp_load_be32(bytes)) {
		ssize_t got = recv(fd, bytes + n, sizeof(bytes) - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return n;
}

static bool is_silent(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 100) == 0;
}

static void node_down_refuses_and_comes_back_on_its_port(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial(2);
	ask(fd);
	assert_true(take(fd) > 4);
	uint16_t port = kp_devbroker_port(broker, 2);
	for (int round = 0; round < 3; round++) {
		assert_string_equal("ok\n", command("do node 2 down"));
		if (!round)
			assert_int_equal(0, take(fd));
		assert_int_equal(-1, dial(2));
		assert_non_null(strstr(command("status"), ": down, 0 connections\n"));
		assert_string_equal("ok\n", command("do node 2 down"));
		assert_string_equal("error node 2 is down\n", command("do node 2 stuck"));
		assert_string_equal("ok\n", command("do node 2 up"));
		assert_string_equal("ok\n", command("do node 2 up"));
		assert_int_equal(port, kp_devbroker_port(broker, 2));
		int again = dial(2);
		assert_true(again >= 0);
		ask(again);
		assert_true(take(again) > 4);
		close(again);
	}
	close(fd);
	fd = dial(1);
	assert_true(fd >= 0);
	close(fd);
}

static void node_is_up_again_after_its_time(void **state)
{
	(void)state;
	start(NULL);
	int64_t begin = kp_time_mono_us();
	assert_string_equal("ok\n", command("do node 1 down for 50ms"));
	int fd;
	while ((fd = dial(1)) < 0)
		assert_true(kp_time_mono_us() - begin < PATIENCE_US);
	assert_true(kp_time_mono_us() - begin >= 50000);
	close(fd);
}

static void stuck_node_is_silent_until_it_is_up(void **state)
{
	(void)state;
	start(NULL);
	int old = dial(1);
	ask(old);
	assert_true(take(old) > 4);
	assert_string_equal("ok\n", command("do node 1 stuck"));
	int new = dial(1);
	assert_true(new >= 0);
	ask(old);
	ask(new);
	assert_true(is_silent(old) && is_silent(new));
	assert_non_null(strstr(command("status"), ": stuck, 2 connections\n"));
	int other = dial(2);
	ask(other);
	assert_true(take(other) > 4);
	assert_string_equal("ok\n", command("do node 1 up"));
	assert_true(take(old) > 4);
	assert_true(take(new) > 4);
	close(old);
	close(new);
	close(other);
}

static void client_may_leave_a_stuck_node(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial(1);
	ask(fd);
	assert_true(take(fd) > 4);
	assert_string_equal("ok\n", command("do node 1 stuck"));
	ask(fd);
	close(fd);
	assert_string_equal("ok\n", command("do node 1 down"));
	assert_int_equal(-1, dial(1));
}

static void disconnect_closes_what_is_open(void **state)
{
	(void)state;
	start(NULL);
	int one = dial(1), two = dial(2);
	ask(one);
	ask(two);
	assert_true(take(one) > 4 && take(two) > 4);
	assert_string_equal("ok\n", command("do node 1 disconnect"));
	assert_int_equal(0, take(one));
	ask(two);
	assert_true(take(two) > 4);
	close(one);
	close(two);
	one = dial(1);
	ask(one);
	assert_true(take(one) > 4);
	close(one);
}

static void answers_are_dropped_cut_off_dripped_and_delayed(void **state)
{
	(void)state;
	start("on api_versions nth=1: drop after; on api_versions nth=2: partial 7; on api_versions nth=3: drip 500/s;"
	      "on api_versions nth=4: delay 50ms; on api_versions nth=5: node 1 disconnect");
	int64_t begin = kp_time_mono_us();
	for (int i = 1; i <= 5; i++) {
		int fd = dial(1);
		ask(fd);
		size_t n = take(fd);
		int64_t took = kp_time_mono_us() - begin;
		assert_true(i == 1 || i == 5 ? n == 0 : i == 2 ? n == 7 : n > 50);
		assert_true(i == 3 ? took > 100000 : i == 4 ? took >= 50000 : true);
		if (i <= 2 || i == 5)
			assert_int_equal(0, take(fd));
		close(fd);
		begin = kp_time_mono_us();
	}
}

static void node_may_go_down_because_of_a_request(void **state)
{
	(void)state;
	start("on api_versions nth=2: node 1 down for 20ms");
	int fd = dial(1);
	ask(fd);
	assert_true(take(fd) > 4);
	ask(fd); /* both in one piece: the second is carried out, and answered no more */
	ask(fd);
	assert_int_equal(0, take(fd));
	close(fd);
	int64_t begin = kp_time_mono_us();
	while ((fd = dial(1)) < 0)
		assert_true(kp_time_mono_us() - begin < PATIENCE_US);
	close(fd);
}

static void commands_and_their_answers(void **state)
{
	(void)state;
	start("on fetch: delay 1ms");
	assert_string_equal("ok rule 2\n", command("add on produce first=3: error 6"));
	assert_string_equal("ok rules 3 to 4\n", command("  add at 1h: node 1 down; on any: drop after  \r"));
	assert_string_equal(
		"error line 1, column 9: expected an API that this broker offers (produce, fetch, metadata, ...) or any, found "
		"'prduce'; did you mean 'Produce'?; line 1, column 29: expected 'on' or 'at', with which a rule begins, found "
		"'foo'\n",
		command(" add on prduce: drop after; foo"));
	assert_string_equal("error line 1, column 4: expected a rule\n", command("add"));
	assert_string_equal("rule 1: matched 0, fired 0: on fetch: delay 1ms\n"
	                    "rule 2: matched 0, fired 0: on produce first=3: error 6\n"
	                    "rule 3: matched 0, fired 0: at 1h: node 1 down\n"
	                    "rule 4: matched 0, fired 0: on any: drop after\nok\n",
	                    command("list"));
	assert_string_equal("ok\n", command("remove 4"));
	assert_string_equal("error there is no rule 4\n", command("remove 4"));
	assert_string_equal("error line 1, column 8: expected the number of a rule, as list tells it\n", command("remove x"));
	assert_string_equal("error line 1, column 6: expected the end of the command\n", command("list all"));
	assert_string_equal("error line 1, column 1: expected a command (add, list, remove, clear, do, status, help); did you mean "
	                    "'status'?\n",
	                    command("statsu"));
	assert_string_equal("error line 1, column 1: expected a command (add, list, remove, clear, do, status, help)\n",
	                    command(""));
	assert_string_equal("error there is no topic t\n", command("do leader t/0 = 1"));
	assert_string_equal("error line 1, column 4: this acts on a request: add a rule that begins with 'on'\n",
	                    command("do drop after"));
	assert_string_equal("error line 1, column 9: expected a node from 1 to 2, found '3'\n", command("do node 3 up"));
	assert_string_equal(
		"{\"rules\":[{\"id\":1,\"matched\":0,\"fired\":0,\"text\":\"on fetch: delay 1ms\"},{\"id\":2,\"matched\":0,"
		"\"fired\":0,\"text\":\"on produce first=3: error 6\"},{\"id\":3,\"matched\":0,\"fired\":0,\"text\":\"at 1h: "
		"node 1 down\"}]}\nok\n",
		command("list json"));
	assert_string_equal("ok\n", command("clear"));
	assert_string_equal("ok\n", command("list"));
	assert_non_null(strstr(command("help"), "  do ACTION     at once"));
}

static void commands_in_pieces_and_in_bunches(void **state)
{
	(void)state;
	start(NULL);
	int fd = local();
	for (const char *c = "add on any: delay 1ms\n"; *c; c++)
		assert_int_equal(1, send(fd, c, 1, MSG_NOSIGNAL));
	assert_string_equal("ok rule 1\n", read_answer(fd));
	assert_int_equal(15, send(fd, "clear\nlist\nfoo\n", 15, MSG_NOSIGNAL));
	assert_string_equal("ok\n", read_answer(fd));
	assert_string_equal("ok\n", read_answer(fd));
	assert_non_null(strstr(read_answer(fd), "error line 1, column 1:"));
	close(fd);
}

static void endless_command_is_refused(void **state)
{
	(void)state;
	start(NULL);
	int fd = local();
	char block[4096];
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 17; i++)
		assert_int_equal(sizeof(block), send(fd, block, sizeof(block), MSG_NOSIGNAL));
	assert_string_equal("error line 1, column 65537: a command has at most 65536 bytes\n", read_answer(fd));
	char c;
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
	assert_string_equal("ok\n", command("list"));
}

static void control_socket_is_its_owners_and_goes_with_the_broker(void **state)
{
	(void)state;
	struct stat st;
	start(NULL);
	assert_int_equal(0, stat(path, &st));
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(0600, st.st_mode & 0777);
	stop();
	assert_int_not_equal(0, stat(path, &st));
}

static void refused(const char *expected)
{
	char err[300] = "";
	kp_devbroker_options o;
	kp_devbroker_options_init(&o);
	o.port = 0;
	o.control_path = path;
	assert_null(kp_devbroker_new(&o, err, sizeof(err)));
	assert_non_null(strstr(err, expected));
}

static void control_path_that_is_taken_is_refused_and_a_dead_one_replaced(void **state)
{
	(void)state;
	start(NULL);
	refused("another program listens there");
	assert_string_equal("ok\n", command("list")); /* it was left alone */
	stop();
	close(control);
	control = -1;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	close(fd);
	start(NULL);
	assert_string_equal("ok\n", command("list"));
	stop();
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	refused("there is a file that is no socket");
	assert_int_equal(0, access(path, F_OK));
	snprintf(path, sizeof(path), "%s/no/ctl", folder);
	refused("No such file or directory");
	snprintf(path, sizeof(path), "%s/ctl", folder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(node_down_refuses_and_comes_back_on_its_port),
		TEST(node_is_up_again_after_its_time),
		TEST(stuck_node_is_silent_until_it_is_up),
		TEST(client_may_leave_a_stuck_node),
		TEST(disconnect_closes_what_is_open),
		TEST(answers_are_dropped_cut_off_dripped_and_delayed),
		TEST(node_may_go_down_because_of_a_request),
		TEST(commands_and_their_answers),
		TEST(commands_in_pieces_and_in_bunches),
		TEST(endless_command_is_refused),
		TEST(control_socket_is_its_owners_and_goes_with_the_broker),
		TEST(control_path_that_is_taken_is_refused_and_a_dead_one_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
