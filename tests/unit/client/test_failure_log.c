/*
 * test_failure_log.c - failures in words: the line of a report, and the handful of lines that an outage leaves in the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <kproducer/error.h>

#include "base/time.h"
#include "client/failure_log.h"
#include "producer/topic.h"

#define SECOND INT64_C(1000000)

typedef struct lines {
	int n;
	char last[2048];
} lines;

static void keep(int level, const char *line, void *opaque)
{
	lines *l = opaque;
	(void)level;
	l->n++;
	snprintf(l->last, sizeof(l->last), "%s", line);
}

typedef struct fixture {
	lines said;
	kp_logger logger;
	kp_failure_log log;
	kp_topic topic;
	kp_partition partition;
	kp_batch batch;
} fixture;

static void init(fixture *f)
{
	static char name[] = "events";
	memset(f, 0, sizeof(*f));
	kp_logger_init(&f->logger, KP_LOG_WARN, keep, &f->said, "");
	kp_failure_log_init(&f->log, &f->logger);
	f->topic.name = name;
	f->partition = (kp_partition){.topic = &f->topic, .index = 3};
	f->batch.partition = &f->partition;
	f->batch.n_records = 10;
	f->batch.error = KP_ERR_DELIVERY_TIMEOUT;
	f->batch.outcome = KP_NOT_PERSISTED;
	f->batch.last_error = KP_ERR_CONNECT;
	f->batch.stage = KP_STAGE_QUEUED;
	f->batch.trail.queued_us = 30 * SECOND;
}

static void outage_leaves_a_handful_of_lines_and_a_count(void **state)
{
	fixture f;
	(void)state;
	init(&f);
	for (int i = 0; i < 10000; i++)
		kp_failure_log_add(&f.log, &f.batch, SECOND);
	assert_int_equal(f.said.n, KP_FAILURES_SAID);
	assert_non_null(
		strstr(f.said.last, "batch_failed topic=events partition=3 records=10 error=DELIVERY_TIMEOUT last_error=CONNECT"));
	int64_t due_us = kp_failure_log_step(&f.log, SECOND, false);
	assert_int_equal(due_us, SECOND + KP_FAILURES_WINDOW_US);
	assert_int_equal(kp_failure_log_step(&f.log, due_us, false), KP_TIME_NEVER);
	assert_int_equal(f.said.n, KP_FAILURES_SAID + 1);
	assert_non_null(strstr(f.said.last, "batches_failed_too batches=9995 records=99950 "));
	assert_int_equal(kp_failure_log_step(&f.log, due_us, true), KP_TIME_NEVER); /* said once */
	assert_int_equal(f.said.n, KP_FAILURES_SAID + 1);
}

static void first_of_another_kind_is_said_at_once(void **state)
{
	fixture f;
	(void)state;
	init(&f);
	for (int i = 0; i < 100; i++)
		kp_failure_log_add(&f.log, &f.batch, SECOND);
	f.batch.error = f.batch.last_error = KP_ERR_TOPIC_AUTHORIZATION_FAILED;
	for (int i = 0; i < 100; i++)
		kp_failure_log_add(&f.log, &f.batch, SECOND);
	assert_int_equal(f.said.n, KP_FAILURES_SAID + 1);
	assert_non_null(strstr(f.said.last, "error=TOPIC_AUTHORIZATION_FAILED"));
	assert_int_equal(kp_failure_log_step(&f.log, SECOND, true), KP_TIME_NEVER); /* the close */
	assert_non_null(strstr(f.said.last, "batches=194 "));
}

static void next_window_begins_anew_and_says_what_was_held_back(void **state)
{
	fixture f;
	(void)state;
	init(&f);
	for (int i = 0; i < 7; i++)
		kp_failure_log_add(&f.log, &f.batch, SECOND);
	kp_failure_log_add(&f.log, &f.batch, 2 * SECOND + KP_FAILURES_WINDOW_US);
	assert_int_equal(f.said.n, KP_FAILURES_SAID + 2);
	assert_non_null(strstr(f.said.last, "batch_failed "));
}

static void purge_and_close_are_no_failures_to_log(void **state)
{
	fixture f;
	(void)state;
	init(&f);
	f.batch.error = KP_ERR_PURGED;
	kp_failure_log_add(&f.log, &f.batch, SECOND);
	f.batch.error = KP_ERR_CLOSED;
	kp_failure_log_add(&f.log, &f.batch, SECOND);
	assert_int_equal(f.said.n, 0);
}

static void report_says_in_a_line_what_stood_in_the_way(void **state)
{
	char text[512], cut[20];
	kp_report r = {.struct_size = sizeof(r), .topic = "events", .partition = 3, .offset = -1, .error = KP_ERR_DELIVERY_TIMEOUT};
	(void)state;
	r.outcome = KP_NOT_PERSISTED;
	r.stage = KP_STAGE_QUEUED;
	r.last_error = KP_ERR_CONNECT;
	r.node_id = 1;
	r.attempts = 2;
	r.queued_us = 29500000;
	r.in_flight_us = 502000;
	r.cause = "node 1 (kafka1:9092) cannot be reached: Connection refused";
	size_t len = kp_report_text(&r, text, sizeof(text));
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(
		text, "NOT_PERSISTED DELIVERY_TIMEOUT (node 1 (kafka1:9092) cannot be reached: Connection refused; it was "
		      "waiting to be sent; partition 3 of events; 2 attempts, last at node 1; last error CONNECT; age 30.002 s: "
		      "no metadata 0.000, no leader 0.000, queued 29.500, in flight 0.502): "));
	assert_non_null(strstr(text, kp_error_advice(KP_ERR_CONNECT)));
	assert_int_equal(kp_report_text(&r, cut, sizeof(cut)), len);
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
	assert_int_equal(kp_report_text(&r, NULL, 0), len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outage_leaves_a_handful_of_lines_and_a_count),
		cmocka_unit_test(first_of_another_kind_is_said_at_once),
		cmocka_unit_test(next_window_begins_anew_and_says_what_was_held_back),
		cmocka_unit_test(purge_and_close_are_no_failures_to_log),
		cmocka_unit_test(report_says_in_a_line_what_stood_in_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
