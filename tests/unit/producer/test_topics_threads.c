/*
 * test_topics_threads.c - topics made by any thread at any moment: the loop meets their records before, while and after it meets them.
 */
#include "engine_fixture.h"

#include <pthread.h>
#include <sched.h>

#define N_THREADS 4
#define N_TOPICS 300 /* more than the engine reserves room for when it starts */

static void name_of(char *name, int i)
{
	snprintf(name, 32, "topic-%d", i);
}

/* The moment between another thread's making of the topic and its saying so. */
static void unsay(fx *f)
{
	atomic_store(&f->engine->shared.has_news, false);
}

static void engine_meets_records_of_topics_that_nobody_told_it_of_yet(void **state)
{
	char name[32];
	(void)state;
	fx *f = fx_new(NULL);
	assert_true(fx_start(f));
	for (int i = 0; i < N_TOPICS; i++) {
		name_of(name, i);
		assert_true(fx_send(f, name, KP_PARTITION_ANY, NULL, 10) > 0);
		unsay(f);
	}
	fx_turn(f);
	for (int i = 0; i < N_TOPICS; i++) {
		name_of(name, i);
		assert_non_null(kp_engine_topic(f->engine, name)->loop.meta);
	}
	fx_advance(f, 200 * (int64_t)FX_SECOND); /* nobody knows them: all expire */
	for (int i = 1; i <= N_TOPICS; i++)
		fx_check(f, i, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	fx_free(f);
}

static void engine_flush_waits_for_a_record_whose_topic_nobody_told_it_of_yet(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_run(f);
	fx_send(f, "events", 0, NULL, 10);
	unsay(f);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	assert_false(kp_engine_flushed(f->engine, serial));
	fx_advance(f, FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	fx_free(f);
}

/* ------------------------------------------------------------------ for real */

typedef struct opener {
	fx *f;
	int index;
	pthread_t thread;
	_Atomic int *n_running;
} opener;

static int append_one(kp_engine *e, const char *topic, int number)
{
	char value[16];
	snprintf(value, sizeof(value), "%-8d", number);
	kp_append_args a = {.partition = KP_PARTITION_ANY,
	                    .timestamp_ms = 1700000000000,
	                    .opaque = (void *)(intptr_t)number,
	                    .content = {.value = kp_slice_of(value, 8)}};
	kp_topic *t = kp_engine_topic(e, topic);
	return t ? kp_engine_append(t, &a) : KP_ERR_NO_MEMORY;
}

static void *open_and_send(void *opaque)
{
	opener *o = opaque;
	char name[32];
	for (int i = 0; i < N_TOPICS; i++) {
		name_of(name, i);
		if (append_one(o->f->engine, name, 1 + o->index * N_TOPICS + i))
			abort();
	}
	atomic_fetch_sub(o->n_running, 1);
	return NULL;
}

static void engine_adopts_topics_while_threads_make_them_and_send(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		opener openers[N_THREADS];
		_Atomic int n_running = N_THREADS;
		kp_engine_config config = fx_config();
		config.buffer_memory = 64 << 20;
		fx *f = fx_new(&config);
		assert_true(fx_start(f));
		for (int i = 0; i < N_THREADS; i++) {
			openers[i] = (opener){.f = f, .index = i, .n_running = &n_running};
			assert_int_equal(pthread_create(&openers[i].thread, NULL, open_and_send, &openers[i]), 0);
		}
		while (atomic_load(&n_running) > 0) {
			fx_turn(f);
			sched_yield();
		}
		for (int i = 0; i < N_THREADS; i++)
			pthread_join(openers[i].thread, NULL);
		f->n_sent = N_THREADS * N_TOPICS;
		fx_run(f);
		assert_int_equal(fx_count(f).accepted, f->n_sent);
		fx_free(f); /* each is reported once */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_meets_records_of_topics_that_nobody_told_it_of_yet),
		cmocka_unit_test(engine_flush_waits_for_a_record_whose_topic_nobody_told_it_of_yet),
		cmocka_unit_test(engine_adopts_topics_while_threads_make_them_and_send),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
