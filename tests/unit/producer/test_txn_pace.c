/*
 * test_txn_pace.c - the pause behind an EndTxn, against a model of a broker that keeps what comes too early for 20 ms.
 */
#include "producer/txn_pace.h"

#include "base/random.h"
#include "unit/base/unit.h"

#define KEPT_US 20000

typedef struct model {
	kp_txn_pace pace;
	kp_random random;
	int64_t markers_us, produce_us, late_us; /* how long they take; a Produce that is late for another reason */
	uint32_t late_per_cent;
	int64_t now_us, paused_us;
	int n_early;
} model;

static void transaction(model *m)
{
	int64_t paused_us = m->pace.until_us > m->now_us ? m->pace.until_us - m->now_us : 0;
	bool is_early = m->now_us > 0 && paused_us < m->markers_us;
	bool is_late = kp_random_below(&m->random, 100) < m->late_per_cent;
	int64_t took_us = m->produce_us + (is_early ? KEPT_US : 0) + (is_late ? m->late_us : 0);
	m->n_early += is_early;
	m->paused_us += paused_us;
	m->now_us += paused_us + took_us;
	kp_txn_pace_produced(&m->pace, took_us);
	m->now_us += 1000;
	kp_txn_pace_ended(&m->pace, m->now_us);
}

/* 1000 transactions, once it has learnt; what they lost to it, in us a transaction. */
static int64_t lost_us(model m)
{
	kp_txn_pace_init(&m.pace);
	kp_random_init(&m.random, 1);
	for (int i = 0; i < 1000; i++)
		transaction(&m);
	m.n_early = 0;
	m.paused_us = 0;
	for (int i = 0; i < 1000; i++)
		transaction(&m);
	return (m.paused_us + (int64_t)m.n_early * KEPT_US) / 1000;
}

static void pause_is_little_more_than_the_markers_take(void **state)
{
	(void)state;
	for (int64_t markers_us = 500; markers_us <= 8000; markers_us *= 2)
		for (int64_t produce_us = 500; produce_us <= 50000; produce_us *= 10)
			assert_in_range(lost_us((model){.markers_us = markers_us, .produce_us = produce_us}), markers_us,
			                2 * markers_us + 1300);
}

static void far_cluster_is_not_waited_for(void **state)
{
	(void)state;
	/* the markers are written while the answer is on its way; one in 32 looks */
	assert_in_range(lost_us((model){.markers_us = 0, .produce_us = 100000}), 0, 1000);
	assert_in_range(lost_us((model){.markers_us = 0, .produce_us = 2000}), 0, 20);
}

static void cluster_that_is_late_for_other_reasons_is_not_waited_for_much(void **state)
{
	(void)state;
	assert_in_range(lost_us((model){.produce_us = 2000, .late_us = 20000, .late_per_cent = 5}), 0, 5000);
	assert_in_range(lost_us((model){.produce_us = 2000, .late_us = 300000, .late_per_cent = 40}), 0, 100);
}

static void first_produce_that_was_slow_hides_nothing(void **state)
{
	model m = {.markers_us = 3000, .produce_us = 80000};
	(void)state;
	kp_random_init(&m.random, 1);
	kp_txn_pace_init(&m.pace);
	transaction(&m);
	m.produce_us = 2000;
	for (int i = 0; i < 200; i++)
		transaction(&m);
	m.n_early = 0;
	for (int i = 0; i < 100; i++)
		transaction(&m);
	assert_in_range(m.n_early, 0, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pause_is_little_more_than_the_markers_take),
		cmocka_unit_test(far_cluster_is_not_waited_for),
		cmocka_unit_test(cluster_that_is_late_for_other_reasons_is_not_waited_for_much),
		cmocka_unit_test(first_produce_that_was_slow_hides_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
