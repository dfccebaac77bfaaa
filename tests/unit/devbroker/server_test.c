/*
 * server_test.c - see server_test.h.
 */
#include "server_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/reader.h"

kp_devbroker *broker;
static pthread_t thread;
db_test *t;

static void *run(void *arg)
{
	kp_devbroker_run(arg);
	return NULL;
}

void server_start(kp_devbroker_options *o)
{
	char err[300];
	o->port = 0;
	broker = kp_devbroker_new(o, err, sizeof(err));
	assert_non_null(broker);
	assert_int_equal(0, pthread_create(&thread, NULL, run, broker));
}

void server_stop(void)
{
	kp_devbroker_stop(broker);
	pthread_join(thread, NULL);
}

int server_dial(int32_t node)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_port = htons(kp_devbroker_port(broker, node)),
	                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval limit = {20, 0};
	assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	assert_int_equal(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

void server_put(int fd, const void *p, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, (const char *)p + done, len - done, MSG_NOSIGNAL);
		assert_true(n > 0);
		done += (size_t)n;
	}
}

/* The frame with its length in front. */
kp_slice server_frame(kp_slice frame)
{
	uint8_t length[4];
	kp_store_be32(length, (uint32_t)frame.len);
	return db_join(t, kp_slice_of(length, 4), frame);
}

static void server_get(int fd, void *p, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = recv(fd, (char *)p + done, len - done, 0);
		assert_true(n > 0);
		done += (size_t)n;
	}
}

/* The next answer, decoded. */
void server_take(int fd, int32_t correlation, int16_t key, int16_t version, void *response)
{
	uint8_t length[4];
	int32_t got;
	size_t used;
	server_get(fd, length, 4);
	size_t len = kp_load_be32(length);
	uint8_t *p = kp_arena_alloc(&t->arena, len);
	assert_non_null(p);
	server_get(fd, p, len);
	kp_slice in = kp_slice_of(p, len);
	assert_int_equal(0, kp_wire_read_response_header(in, key, version, &got, &used));
	assert_int_equal(correlation, got);
	assert_int_equal(
		0, kp_wire_read(kp_wire_find(key, true), version, kp_slice_of(p + used, len - used), &t->arena, response, NULL));
}

void server_assert_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

kp_slice server_api_versions(void)
{
	kp_api_versions_request q;
	kp_wire_init(&kp_api_versions_request_schema, &q, 1);
	return server_frame(db_frame(t, KP_API_API_VERSIONS, 0, &q));
}

/* Creates the topic as a side effect. */
kp_metadata_response server_metadata(int fd, const char *topic)
{
	kp_metadata_request_topic qt;
	kp_metadata_request q;
	kp_metadata_response r;
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	kp_wire_init(&kp_metadata_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(topic);
	q.topics.items = &qt;
	q.topics.n = 1;
	q.allow_auto_topic_creation = true;
	kp_slice f = server_frame(db_frame(t, KP_API_METADATA, 12, &q));
	server_put(fd, f.ptr, f.len);
	server_take(fd, t->correlation, KP_API_METADATA, 12, &r);
	return r;
}

kp_slice server_produce(const char *topic, int32_t n, size_t value_size)
{
	kp_produce_request q;
	kp_slice b = db_make_batch(t, &(db_batch){.n = n, .value_size = value_size});
	db_produce_request(t, "t", 0, -1, b, &q);
	q.topic_data.items[0].name = kp_slice_cstr(topic);
	return server_frame(db_frame(t, KP_API_PRODUCE, 8, &q));
}
