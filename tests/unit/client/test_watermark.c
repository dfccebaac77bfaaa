/*
 * test_watermark.c - who asked is told when buffer.memory is high and when it is low again, in turn.
 */
#include <stdatomic.h>

#include "fixture.h"

static char value[1000];

typedef struct marks {
	_Atomic int n_high, n_low;
	_Atomic bool is_out_of_turn, is_wrong; /* told twice, or with a figure on the wrong side */
	uint64_t high, low;                    /* what the figure must be at */
} marks;

static void on_watermark(kp_producer *p, int is_high, uint64_t used_bytes, void *opaque)
{
	marks *m = opaque;
	(void)p;
	if (is_high != (m->n_high == m->n_low))
		m->is_out_of_turn = true;
	if (is_high ? used_bytes < m->high : used_bytes > m->low)
		m->is_wrong = true;
	if (is_high)
		m->n_high++;
	else
		m->n_low++;
}

static kp_producer *producer_marked(const char *servers, marks *m, const char *const *pairs)
{
	char err[256] = "";
	kp_config *c = config_of(servers, pairs);
	kp_config_set_watermark_cb(c, on_watermark, m);
	kp_producer *p = kp_producer_new(c, NULL, err, sizeof(err));
	kp_config_free(c);
	assert_non_null(p);
	return p;
}

static marks *watched; /* of the test that runs */

static bool is_told_high(void *opaque)
{
	int *n = opaque;
	return watched->n_high == *n;
}

static bool is_told_low(void *opaque)
{
	int *n = opaque;
	return watched->n_low == *n;
}

static uint64_t fill(kp_topic *t, uint64_t most)
{
	kp_record r = record_of(NULL, NULL);
	uint64_t n = 0;
	r.value = value;
	r.value_len = sizeof(value);
	while (n < most && kp_try_send(t, &r) == 0)
		n++;
	return n;
}

static void high_and_low_are_told_in_turn(void **state)
{
	(void)state;
	marks m = {.high = 300000, .low = 100000};
	watched = &m;
	broker *b = broker_start(1, 1);
	kp_producer *p = producer_marked(broker_servers(b), &m,
	                                 PAIRS("buffer.memory", "1000000", "batch.size", "10000", "buffer.high.watermark.percent",
	                                       "30", "buffer.low.watermark.percent", "10"));
	kp_topic *t = kp_topic_open(p, "t");
	for (int round = 1; round <= 3; round++) {
		broker_hold_answers(b, true);
		assert_true(fill(t, 100000) > 150); /* full for a partition, which is far above the mark */
		assert_true(eventually(is_told_high, &round));
		assert_int_equal(m.n_low, round - 1);
		broker_hold_answers(b, false);
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
		assert_true(eventually(is_told_low, &round));
		assert_int_equal(m.n_high, round);
	}
	close_and_free(p);
	assert_true(m.n_high == 3 && m.n_low == 3 && !m.is_out_of_turn && !m.is_wrong);
	broker_stop(b);
}

static void a_record_without_room_makes_the_buffer_high(void **state)
{
	int once = 1;
	(void)state;
	marks m = {.high = 25000, .low = 25000};
	watched = &m;
	peer *silent = peer_start(PEER_SILENT);
	/* one partition may hold half, which never comes to the high mark */
	kp_producer *p = producer_marked(
		peer_servers(silent), &m,
		PAIRS("buffer.memory", "50000", "batch.size", "10000", "buffer.high.watermark.percent", "100"));
	kp_topic *t = kp_topic_open(p, "t");
	assert_true(fill(t, 1000) < 100);
	assert_true(eventually(is_told_high, &once));
	(void)kp_close(p, 0, NULL);
	/* the close gave everything up, and says that too */
	assert_true(m.n_high == 1 && m.n_low == 1 && !m.is_out_of_turn && !m.is_wrong);
	kp_producer_free(p);
	peer_stop(silent);
}

static void room_that_a_poll_gives_back_is_told(void **state)
{
	int once = 1;
	kp_report out[64] = {{.struct_size = sizeof(kp_report)}};
	(void)state;
	marks m = {.high = 30000, .low = 2000};
	watched = &m;
	broker *b = broker_start(1, 1);
	kp_producer *p = producer_marked(broker_servers(b), &m,
	                                 PAIRS("buffer.memory", "100000", "batch.size", "4000", "buffer.high.watermark.percent",
	                                       "30", "buffer.low.watermark.percent", "2", QUEUE_MODE, ""));
	kp_topic *t = kp_topic_open(p, "t");
	uint64_t n = fill(t, 1000), polled = 0;
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0); /* all ended, but unpolled reports hold the memory */
	assert_true(eventually(is_told_high, &once));
	assert_int_equal(m.n_low, 0);
	while (polled < n)
		polled += kp_reports_poll(p, out, 64, PATIENCE_MS);
	assert_int_equal(kp_reports_poll(p, out, 64, 0), 0); /* the last poll's reports are given back with the next */
	assert_true(eventually(is_told_low, &once));
	close_and_free(p);
	assert_true(!m.is_out_of_turn && !m.is_wrong);
	broker_stop(b);
}

static void nothing_is_told_when_the_marks_are_off(void **state)
{
	(void)state;
	marks m = {0};
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_marked(
		peer_servers(silent), &m,
		PAIRS("buffer.memory", "50000", "batch.size", "10000", "buffer.high.watermark.percent", "0"));
	assert_true(fill(kp_topic_open(p, "t"), 1000) > 0);
	(void)kp_close(p, 0, NULL);
	assert_true(m.n_high == 0 && m.n_low == 0);
	kp_producer_free(p);
	peer_stop(silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(high_and_low_are_told_in_turn),
		cmocka_unit_test(a_record_without_room_makes_the_buffer_high),
		cmocka_unit_test(room_that_a_poll_gives_back_is_told),
		cmocka_unit_test(nothing_is_told_when_the_marks_are_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
