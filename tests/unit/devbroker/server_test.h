/*
 * server_test.h - a development broker on a thread of its own, and what a test says to it over real sockets.
 */
#ifndef KP_TESTS_SERVER_TEST_H
#define KP_TESTS_SERVER_TEST_H

#include "db_test.h"

#include "devbroker/devbroker.h"
#include "wire/msg_api_versions.h"

extern kp_devbroker *broker;
extern db_test *t; /* the test's own: makes frames; its core is not used */

/* On free ports. The one before must have been stopped and freed. */
void server_start(kp_devbroker_options *o);
void server_stop(void); /* kp_devbroker_free is the caller's */

/* Calls on the socket wait 20 s at most. */
int server_dial(int32_t node);
void server_put(int fd, const void *p, size_t len);
/* The next answer, decoded. */
void server_take(int fd, int32_t correlation, int16_t key, int16_t version, void *response);
void server_assert_closed(int fd); /* and close our end */

/* The frame with its length in front. */
kp_slice server_frame(kp_slice frame);
kp_slice server_api_versions(void);
kp_slice server_produce(const char *topic, int32_t n, size_t value_size);
/* Creates the topic as a side effect. */
kp_metadata_response server_metadata(int fd, const char *topic);

#endif
