/*
 * fixture.h - what the tests of the client share: the development broker on a thread of its own, peers that are no brokers, a producer
 * made of property pairs, and a collector of reports.
 *
 * cmocka's assertions jump out of the function: they may be used on the test's thread only.
 */
#ifndef KP_TEST_CLIENT_FIXTURE_H
#define KP_TEST_CLIENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include <kproducer/kproducer.h>

#include "base/compiler.h"
#include "base/time.h"
#include "client/settings.h"
#include "devbroker/server.h"

#define PATIENCE_MS 30000 /* far beyond what any test needs, also under a sanitizer */

/* ------------------------------------------------------------------ the broker */

typedef struct broker broker;

/* n_nodes nodes; topics are made on first use with n_partitions partitions, or not at all when that is 0. */
broker *broker_start(int n_nodes, int n_partitions);
void broker_stop(broker *b);
/* The broker of all tests of a program; from main: run them with one of so many nodes and partitions. */
extern broker *the_broker;
int the_broker_starts(void **state);
int the_broker_stops(void **state);
extern int the_broker_size[2]; /* nodes, partitions */
#define RUN_WITH_BROKER(tests, n_nodes, n_partitions)                         \
	(the_broker_size[0] = (n_nodes), the_broker_size[1] = (n_partitions), \
	 cmocka_run_group_tests(tests, the_broker_starts, the_broker_stops))
const char *broker_servers(const broker *b); /* node 1's */
/* Run `job` on the broker's thread, and wait for it. */
void broker_do(broker *b, void (*job)(kp_db *db, void *arg), void *arg);
/* What the tests do with it most. */
void broker_create_topic(broker *b, const char *topic, int n_partitions);
void broker_delete_topic(broker *b, const char *topic);
void broker_hold_answers(broker *b, bool hold); /* acks=all is not answered */
void broker_inject(broker *b, int16_t api_key, int16_t error, int count);
int64_t broker_end_offset(broker *b, const char *topic, int partition);
int64_t broker_count(broker *b, const char *topic); /* records of all partitions */

/* ------------------------------------------------------------------ peers that are no brokers */

typedef enum peer_kind {
	PEER_SILENT,    /* accepts, and says nothing */
	PEER_CLOSES,    /* accepts, and closes */
	PEER_HTTP,      /* answers as a web server does */
	PEER_TLS_ALERT, /* answers as a TLS server does to plain text */
	PEER_GARBAGE,
	PEER_HUGE_LENGTH,   /* a frame of 2 GB */
	PEER_CLOSES_HALFWAY /* closes after half of an answer */
} peer_kind;

typedef struct peer peer;
peer *peer_start(peer_kind kind);
void peer_stop(peer *p);
const char *peer_servers(const peer *p);
int peer_accepted(peer *p);

/* ------------------------------------------------------------------ reports */

typedef struct taken_report {
	kp_report report;                                         /* its pointers but topic are dead */
	char *key, *value, *header_name, *header_value, *message; /* terminated copies, NULL for null; the first header's */
} taken_report;

/* Takes every report; zero it, and it is ready. */
typedef struct collector {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	taken_report *reports;
	size_t n, cap;
	size_t n_calls;
	int n_errors; /* calls of the error callback */
	int last_error;
	char error_text[512];
	pthread_t thread; /* of the last call */
} collector;

void collector_init(collector *c);
void collector_deinit(collector *c);
void collector_forget(collector *c); /* the reports; the rest stays */
size_t collector_count(collector *c);
/* Wait until there are n; false when that took too long. */
bool collector_wait(collector *c, size_t n);
bool collector_wait_error(collector *c, const char *part); /* until the error text contains it */
void collector_on_report(kp_producer *p, const kp_report *reports, size_t n, void *opaque);
void collector_on_error(kp_producer *p, int error, const char *text, void *opaque);
void collector_add(collector *c, const kp_report *r); /* for reports that were polled */
/* How many ended so, and with that error (0: any). */
size_t collector_count_outcome(collector *c, kp_outcome outcome, int error);

/* ------------------------------------------------------------------ producers */

/* A configuration of name, value pairs up to NULL, logging nowhere. */
kp_config *config_of(const char *servers, const char *const *pairs);
/* The same with c as the receiver of reports and errors (unless NULL), as a producer. */
kp_producer *producer_of(const char *servers, collector *c, kp_runtime *r, const char *const *pairs);
/* ... with a failure queue beside them. */
kp_producer *producer_with_failures(const char *servers, collector *c, const char *const *pairs);
#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_PAIRS ((const char *const[]){NULL})
#define QUEUE_MODE "report.queue" /* a pair of the fixture's own: use the report queue */

kp_record record_of(const char *key, const char *value); /* NULL for null */
void close_and_free(kp_producer *p);                     /* within PATIENCE_MS, with nothing left */
kp_counters counters_of(kp_producer *p);

/* ------------------------------------------------------------------ waiting and counting */

/* Wait until the condition holds, looking every millisecond; false when that took too long. */
bool eventually(bool (*condition)(void *arg), void *arg);
int64_t now_ms(void);
int count_threads(void); /* of this process */
int count_descriptors(void);
/* As many as before, waiting for the kernel to catch up with threads that were joined. */
bool threads_are_back_to(int n);
/* Some thread waits inside kp_send for room. */
bool is_sender_blocked(void *producer);

/* A time-out of expected_ms was kept, on a machine that has other things to do too. */
#define assert_on_time(start_ms, expected_ms) assert_in_range(now_ms() - (start_ms) + 1, (expected_ms), (expected_ms) + 250)

#endif
