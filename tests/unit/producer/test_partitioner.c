/*
 * test_partitioner.c - keys go where Java's go; records without a key stay, then move on by weight (KIP-480, KIP-794).
 */
#include "engine_fixture.h"

static void murmur2_gives_the_values_of_kafkas_own_test(void **state)
{
	static const struct {
		const char *key;
		int32_t hash;
	} golden[] = {{"21", -973932308},
	              {"foobar", -790332482},
	              {"a-little-bit-long-string", -985981536},
	              {"a-little-bit-longer-string", -1486304829},
	              {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
	              {"abc", 479470107}};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(golden); i++)
		assert_int_equal((int32_t)kp_partitioner_murmur2((const uint8_t *)golden[i].key, strlen(golden[i].key)),
		                 golden[i].hash);
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	for (; hex[0] != '-' && hex[0]; hex += 2, n++) {
		unsigned v;
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		out[n] = (uint8_t)v;
	}
	return n;
}

/* Written by tests/golden/java/GoldenPartitions.java. */
static void keys_get_the_partitions_that_java_gives_them(void **state)
{
	static const int32_t counts[] = {1, 6, 7, 100, 65536};
	FILE *in = fopen(KP_SOURCE_DIR "/tests/golden/partitioner/murmur2.txt", "r");
	char hex[256];
	int32_t hash, partition;
	int n = 0;
	(void)state;
	assert_non_null(in);
	for (; fscanf(in, "%255s %d", hex, &hash) == 2; n++) {
		uint8_t key[64];
		size_t len = unhex(hex, key);
		assert_int_equal((int32_t)kp_partitioner_murmur2(key, len), hash);
		for (size_t i = 0; i < KP_ARRAY_LEN(counts); i++) {
			assert_int_equal(fscanf(in, "%d", &partition), 1);
			assert_int_equal(kp_partitioner_by_key(kp_slice_of(key, len), counts[i]), partition);
		}
	}
	assert_int_equal(n, 1000);
	fclose(in);
}

/* Draw `n` times; counts[i] gets how often partition i came. The clock runs on, so that weights are worked out again. */
static void draw(fx *f, int n, int32_t n_partitions, int *counts)
{
	kp_topic *t = kp_engine_topic(f->engine, "events");
	kp_sticky s = {.topic = t->serial};
	memset(counts, 0, (size_t)n_partitions * sizeof(*counts));
	for (int i = 0; i < n; i++) {
		s.bytes = 5;
		f->now_us += 100;
		kp_partitioner_switch(t, &s, n_partitions);
		assert_int_equal(s.bytes, 0);
		counts[s.partition]++;
	}
}

static void set_waiting(fx *f, int32_t index, int32_t n)
{
	atomic_store(&fx_partition(f, "events", index)->shared.n_waiting, n);
}

static void sticky_draws_all_partitions_alike_when_their_queues_are(void **state)
{
	int counts[6];
	(void)state;
	fx *f = fx_with_topic(NULL, 6);
	draw(f, 60000, 6, counts);
	for (int i = 0; i < 6; i++)
		assert_in_range(counts[i], 9600, 10400); /* 4 standard deviations */
	fx_free(f);
}

/* Weight: the longest queue + 1 - the own one. */
static void sticky_draws_short_queues_oftener(void **state)
{
	int counts[3];
	(void)state;
	fx *f = fx_with_topic(NULL, 3);
	set_waiting(f, 0, 0);
	set_waiting(f, 1, 2);
	set_waiting(f, 2, 4);
	draw(f, 90000, 3, counts); /* 5 : 3 : 1 */
	assert_in_range(counts[0], 49000, 51000);
	assert_in_range(counts[1], 29000, 31000);
	assert_in_range(counts[2], 9400, 10600);
	for (int i = 0; i < 3; i++)
		set_waiting(f, i, 0);
	fx_free(f);
}

static void sticky_ignores_queues_unless_it_is_adaptive(void **state)
{
	int counts[2];
	(void)state;
	kp_engine_config config = fx_config();
	config.adaptive = false;
	fx *f = fx_with_topic(&config, 2);
	set_waiting(f, 0, 100);
	draw(f, 20000, 2, counts);
	assert_in_range(counts[0], 9700, 10300);
	set_waiting(f, 0, 0);
	fx_free(f);
}

static void sticky_avoids_partitions_without_a_leader(void **state)
{
	int counts[4];
	(void)state;
	fx *f = fx_with_topic(NULL, 4);
	atomic_store(&fx_partition(f, "events", 1)->shared.is_available, false);
	f->now_us += FX_SECOND;
	draw(f, 3000, 4, counts);
	assert_int_equal(counts[1], 0);
	assert_true(counts[0] > 800 && counts[2] > 800 && counts[3] > 800);
	for (int i = 0; i < 4; i++)
		atomic_store(&fx_partition(f, "events", i)->shared.is_available, false);
	f->now_us += FX_SECOND;
	draw(f, 4000, 4, counts); /* none has one: any will do */
	for (int i = 0; i < 4; i++)
		assert_true(counts[i] > 800);
	fx_free(f);
}

/* partitioner.availability.timeout.ms */
static void sticky_avoids_partitions_whose_leader_takes_nothing(void **state)
{
	int counts[2];
	(void)state;
	kp_engine_config config = fx_config();
	config.availability_timeout_us = FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 2); /* led by node 1 and node 2 */
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 1);
	fx_run(f);
	atomic_store(&kp_broker_find(f->engine, 2)->unready_since_us, f->now_us);
	draw(f, 1000, 2, counts);
	assert_true(counts[1] > 400);
	f->now_us += FX_SECOND;
	draw(f, 1000, 2, counts);
	assert_int_equal(counts[1], 0);
	fx_free(f);
}

static void keys_and_explicit_partitions_ignore_availability(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 2);
	int32_t of_key = kp_partitioner_by_key(kp_slice_cstr("k"), 2);
	for (int i = 0; i < 2; i++)
		atomic_store(&fx_partition(f, "events", i)->shared.is_available, i != of_key);
	int by_key = fx_send(f, "events", KP_PARTITION_ANY, "k", 1);
	int explicit = fx_send(f, "events", of_key, NULL, 1);
	fx_run(f);
	assert_int_equal(fx_report_of(f, by_key)->partition, of_key);
	assert_int_equal(fx_report_of(f, explicit)->partition, of_key);
	fx_free(f);
}

static void an_empty_key_is_a_key_and_ignored_keys_are_none(void **state)
{
	int counts[6] = {0};
	(void)state;
	for (int ignore = 0; ignore < 2; ignore++) {
		kp_engine_config config = fx_config();
		config.ignore_keys = ignore;
		config.batch_size = 100;
		fx *f = fx_with_topic(&config, 6);
		for (int i = 0; i < 300; i++)
			fx_send(f, "events", KP_PARTITION_ANY, "", 90);
		fx_run(f);
		memset(counts, 0, sizeof(counts));
		for (int i = 1; i <= f->n_sent; i++)
			counts[fx_report_of(f, i)->partition]++;
		int32_t of_key = kp_partitioner_by_key(kp_slice_cstr(""), 6);
		assert_true(ignore ? counts[of_key] < 150 : counts[of_key] == 300);
		fx_free(f);
	}
}

/* How many records of `len` bytes a fresh sticky choice takes before it moves on. */
static int records_until_switch(fx *f, size_t len, bool flush_each)
{
	kp_topic *t = kp_engine_topic(f->engine, "events");
	kp_sticky *s = kp_partitioner_sticky(t, 16);
	int n = 0;
	kp_partitioner_switch(t, s, 16);
	uint32_t before;
	do {
		before = s->bytes;
		assert_true(fx_send(f, "events", KP_PARTITION_ANY, NULL, len) > 0);
		n++;
		if (flush_each)
			fx_advance(f, f->config.linger_us);
	} while (s->bytes > before);
	return n - 1;
}

static void sticky_stays_for_batch_size_bytes(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 200000;
	config.linger_us = 10 * FX_SECOND;
	fx *f = fx_with_topic(&config, 16);
	int n = records_until_switch(f, 992, false); /* 1,000 with 8 bytes for what stands around it */
	assert_in_range(n, 195, 200);
	fx_free(f);
}

/* At low rates batches are closed by linger, long before batch.size: then Java's 16 KiB are enough. */
static void sticky_moves_on_when_the_batch_is_closed_and_16_kib_went(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 200000;
	fx *f = fx_with_topic(&config, 16);
	int n = records_until_switch(f, 992, true);
	assert_in_range(n, 17, 17);
	fx_free(f);
}

static void sticky_is_drawn_anew_when_its_partition_is_gone(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 8);
	kp_topic *t = kp_engine_topic(f->engine, "events");
	kp_sticky *s = kp_partitioner_sticky(t, 8);
	s->partition = 7;
	assert_ptr_equal(kp_partitioner_sticky(t, 8), s);
	assert_int_equal(s->partition, 7);
	t->shared.n_candidates = 0; /* as if the weights had grown old */
	assert_true(kp_partitioner_sticky(t, 4)->partition < 4);
	fx_free(f);
}

static void partitioner_finds_some_partition_without_memory(void **state)
{
	unit_allocator u;
	(void)state;
	fx *f = fx_with_topic(NULL, 4);
	kp_topic *t = kp_engine_topic(f->engine, "events");
	kp_sticky s = {.topic = t->serial};
	unit_allocator_install(&u, 1);
	for (int i = 0; i < 100; i++) {
		kp_partitioner_switch(t, &s, 4);
		assert_in_range(s.partition, 0, 3);
	}
	unit_allocator_remove(&u);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(murmur2_gives_the_values_of_kafkas_own_test),
		cmocka_unit_test(keys_get_the_partitions_that_java_gives_them),
		cmocka_unit_test(sticky_draws_all_partitions_alike_when_their_queues_are),
		cmocka_unit_test(sticky_draws_short_queues_oftener),
		cmocka_unit_test(sticky_ignores_queues_unless_it_is_adaptive),
		cmocka_unit_test(sticky_avoids_partitions_without_a_leader),
		cmocka_unit_test(sticky_avoids_partitions_whose_leader_takes_nothing),
		cmocka_unit_test(keys_and_explicit_partitions_ignore_availability),
		cmocka_unit_test(an_empty_key_is_a_key_and_ignored_keys_are_none),
		cmocka_unit_test(sticky_stays_for_batch_size_bytes),
		cmocka_unit_test(sticky_moves_on_when_the_batch_is_closed_and_16_kib_went),
		cmocka_unit_test(sticky_is_drawn_anew_when_its_partition_is_gone),
		cmocka_unit_test(partitioner_finds_some_partition_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
