/*
 * test_report_size.c - programs of an older or a newer header: reports are written as large as the program's kp_report is, and read so.
 */
#include "fixture.h"

#define OLDER offsetof(kp_report, no_metadata_us) /* as if it ended there */
#define NEWER (sizeof(kp_report) + 64)
#define UNTOUCHED 0xee

/* Memory of a program whose kp_report has that size. */
typedef struct room {
	_Alignas(kp_report) unsigned char bytes[64 * NEWER];
} room;

static kp_report *room_for(room *m, size_t struct_size)
{
	kp_report *first = (kp_report *)(void *)m->bytes;
	memset(m->bytes, UNTOUCHED, sizeof(m->bytes));
	first->struct_size = struct_size;
	return first;
}

static void assert_untouched_from(const room *m, size_t at)
{
	for (; at < sizeof(m->bytes); at++)
		assert_int_equal(m->bytes[at], UNTOUCHED);
}

/* Under the size of the first: the fields that every size has, and those behind ours. */
static void assert_report(const kp_report *out, size_t i, size_t struct_size, int number)
{
	const kp_report *r = kp_report_at(out, i);
	assert_int_equal(r->struct_size, struct_size);
	assert_ptr_equal(r->opaque, (void *)(intptr_t)number);
	assert_int_equal(r->error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_memory_equal(r->value, "value", 5);
	assert_int_equal(r->n_headers, 1);
	assert_string_equal(r->headers[0].name, "h");
	for (size_t at = sizeof(*r); at < struct_size; at++)
		assert_int_equal(((const unsigned char *)r)[at], 0);
}

static void refuse_next_batch(void)
{
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
}

/* Numbers 1 .. n, which fail together. */
static void fail_batch(kp_producer *p, int n)
{
	kp_topic *t = kp_topic_open(p, "sizes");
	kp_header h = {"h", "hv", 2};
	refuse_next_batch();
	for (int i = 1; i <= n; i++) {
		kp_record r = record_of("key", "value");
		r.headers = &h;
		r.n_headers = 1;
		r.partition = 0;
		r.opaque = (void *)(intptr_t)i;
		assert_int_equal(kp_send(t, &r), 0);
	}
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
}

typedef size_t poll_fn(kp_producer *p, kp_report *out, size_t max, int timeout_ms);

static void polls_write_reports_of_the_size_that_the_program_knows(void **state)
{
	static const size_t sizes[] = {OLDER, NEWER};
	static poll_fn *const polls[] = {kp_reports_poll, kp_failures_poll};
	static room m;
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(sizes); i++) {
		kp_producer *p = producer_with_failures(broker_servers(the_broker), NULL,
		                                        PAIRS("linger.ms", "1000", QUEUE_MODE, ""));
		fail_batch(p, 40);
		for (size_t k = 0; k < KP_ARRAY_LEN(polls); k++) {
			int n_taken = 0;
			while (n_taken < 40) {
				kp_report *out = room_for(&m, sizes[i]);
				size_t n = polls[k](p, out, 30, 0);
				assert_in_range(n, 1, 30);
				for (size_t j = 0; j < n; j++)
					assert_report(out, j, sizes[i], ++n_taken);
				assert_untouched_from(&m, n * sizes[i]);
			}
			assert_int_equal(polls[k](p, room_for(&m, sizes[i]), 30, 0), 0);
			assert_untouched_from(&m, sizeof(size_t));
		}
		assert_int_equal(counters_of(p).queued_bytes, 0);
		close_and_free(p);
	}
}

static void resender_takes_and_gives_reports_of_the_size_that_the_program_knows(void **state)
{
	static const size_t sizes[] = {OLDER, NEWER};
	static room m;
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(sizes); i++) {
		kp_producer *p = producer_with_failures(broker_servers(the_broker), NULL, PAIRS("linger.ms", "1000"));
		kp_resend_options o = KP_RESEND_OPTIONS_INIT;
		o.max_attempts = 1;
		o.delay_ms = 1;
		kp_resender *r = kp_resender_new(p, &o, NULL, 0);
		fail_batch(p, 1);
		kp_report *out = room_for(&m, sizes[i]);
		assert_int_equal(kp_failures_poll(p, out, 1, 0), 1);
		refuse_next_batch();
		assert_int_equal(kp_resender_offer(r, out), 0);
		out = room_for(&m, sizes[i]);
		assert_int_equal(kp_resender_poll(r, out, 30, PATIENCE_MS), 1);
		assert_report(out, 0, sizes[i], 1);
		assert_int_equal(out->resends, 1);
		assert_untouched_from(&m, sizes[i]);
		kp_resender_free(r);
		close_and_free(p);
	}
}

static void synchronous_send_writes_the_report_of_the_size_that_the_program_knows(void **state)
{
	static room m;
	kp_record r = record_of("k", "v");
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_report *out = room_for(&m, OLDER);
	assert_int_equal(kp_send_sync(kp_topic_open(p, "sync"), &r, PATIENCE_MS, out), 0);
	assert_int_equal(out->struct_size, OLDER);
	assert_int_equal(out->outcome, KP_PERSISTED);
	assert_int_equal(out->offset, 0);
	assert_null(out->value);
	assert_untouched_from(&m, OLDER);
	close_and_free(p);
}

/* The fields that it does not have are none of its memory. */
static void line_of_an_older_report_reads_no_more_than_there_is(void **state)
{
	static room m;
	char text[512], whole[512];
	kp_report full = {.struct_size = OLDER, .topic = "events", .error = KP_ERR_DELIVERY_TIMEOUT, .outcome = KP_NOT_PERSISTED};
	(void)state;
	kp_report *older = room_for(&m, OLDER);
	memcpy(older, &full, OLDER);
	full.struct_size = sizeof(full);
	(void)kp_report_text(older, text, sizeof(text));
	(void)kp_report_text(&full, whole, sizeof(whole));
	assert_string_equal(text, whole);
}

/* ------------------------------------------------------------------ never set */

static char said[1024];

static void keep_line(int level, const char *line, void *opaque)
{
	(void)opaque;
	if (level == 3)
		snprintf(said, sizeof(said), "%s", line);
}

static kp_producer *producer_that_says(void)
{
	kp_config *c = config_of(broker_servers(the_broker), PAIRS("linger.ms", "1000", QUEUE_MODE, ""));
	kp_config_use_failure_queue(c);
	kp_config_set_log_cb(c, keep_line, NULL);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	assert_non_null(p);
	return p;
}

static const size_t never_set[] = {0, sizeof(size_t) - 1, OLDER + 1, 1 << 20, SIZE_MAX};

static void poll_into_room_of_no_size_gives_nothing_and_says_so(void **state)
{
	static room m;
	(void)state;
	kp_producer *p = producer_that_says();
	kp_resender *r = kp_resender_new(p, NULL, NULL, 0);
	fail_batch(p, 3);
	for (size_t i = 0; i < KP_ARRAY_LEN(never_set); i++) {
		said[0] = 0;
		assert_int_equal(kp_reports_poll(p, room_for(&m, never_set[i]), 30, KP_FOREVER), 0);
		assert_non_null(strstr(said, "kp_reports_poll"));
		assert_non_null(strstr(said, "sizeof(kp_report)"));
		assert_int_equal(kp_failures_poll(p, room_for(&m, never_set[i]), 30, KP_FOREVER), 0);
		assert_non_null(strstr(said, "kp_failures_poll"));
		assert_int_equal(kp_resender_poll(r, room_for(&m, never_set[i]), 30, KP_FOREVER), 0);
		assert_non_null(strstr(said, "kp_resender_poll"));
		assert_untouched_from(&m, sizeof(size_t));
		assert_int_equal(kp_resender_offer(r, room_for(&m, never_set[i])), KP_ERR_BAD_ARGUMENT);
	}
	kp_report *out = room_for(&m, sizeof(kp_report));
	assert_int_equal(kp_reports_poll(p, out, 30, 0), 3);
	assert_int_equal(kp_failures_poll(p, out, 30, 0), 3);
	assert_report(out, 2, sizeof(kp_report), 3);
	kp_resender_free(r);
	close_and_free(p);
}

static void synchronous_send_into_room_of_no_size_sends_nothing(void **state)
{
	static room m;
	kp_record r = record_of("k", "v");
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	for (size_t i = 0; i < KP_ARRAY_LEN(never_set); i++) {
		kp_report *out = room_for(&m, never_set[i]);
		assert_int_equal(kp_send_sync(kp_topic_open(p, "unset"), &r, PATIENCE_MS, out), KP_ERR_BAD_ARGUMENT);
		assert_untouched_from(&m, sizeof(size_t));
	}
	assert_int_equal(counters_of(p).accepted, 0);
	close_and_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls_write_reports_of_the_size_that_the_program_knows),
		cmocka_unit_test(resender_takes_and_gives_reports_of_the_size_that_the_program_knows),
		cmocka_unit_test(synchronous_send_writes_the_report_of_the_size_that_the_program_knows),
		cmocka_unit_test(line_of_an_older_report_reads_no_more_than_there_is),
		cmocka_unit_test(poll_into_room_of_no_size_gives_nothing_and_says_so),
		cmocka_unit_test(synchronous_send_into_room_of_no_size_sends_nothing),
	};
	return RUN_WITH_BROKER(tests, 1, 2);
}
