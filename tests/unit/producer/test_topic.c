/*
 * test_topic.c - the array of partitions grows under readers that hold no lock.
 */
#include "producer/topic.h"

#include "kproducer/error.h"
#include "unit/base/unit.h"

static void topic_keeps_its_partitions_while_their_array_grows(void **state)
{
	kp_partition *first[100];
	(void)state;
	kp_topic *t = kp_topic_new(NULL, "events", 1, 1);
	assert_non_null(t);
	assert_int_equal(kp_topic_n_partitions(t), 0);
	for (int32_t n = 1; n <= 100; n++) {
		kp_partition **before = atomic_load(&t->shared.partitions);
		assert_int_equal(kp_topic_set_partitions(t, n), 0);
		first[n - 1] = kp_topic_partition(t, n - 1);
		assert_int_equal(first[n - 1]->index, n - 1);
		for (int32_t i = 0; i < n; i++)
			assert_ptr_equal(kp_topic_partition(t, i), first[i]);
		for (int32_t i = 0; before && i < n - 1; i++) /* the outgrown array is as good as before */
			assert_ptr_equal(before[i], first[i]);
	}
	assert_int_equal(kp_topic_set_partitions(t, 5), 0);
	assert_int_equal(t->loop.n_made, 100);
	assert_int_equal(kp_topic_set_partitions(t, 1000), 0);
	kp_topic_free(t);
}

static void topic_keeps_what_it_has_when_memory_is_out(void **state)
{
	bool done = false;
	(void)state;
	for (int fail_at = 1; !done; fail_at++) {
		unit_allocator u;
		unit_allocator_install(&u, fail_at);
		kp_topic *t = kp_topic_new(NULL, "events", 1, 1);
		int err = t ? kp_topic_set_partitions(t, 10) : KP_ERR_NO_MEMORY;
		if (!err)
			err = kp_topic_set_partitions(t, 40);
		if (t)
			for (int32_t i = 0; i < t->loop.n_made; i++)
				assert_int_equal(kp_topic_partition(t, i)->index, i);
		if (t)
			kp_topic_free(t);
		unit_allocator_remove(&u);
		done = !err;
		assert_true(fail_at < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topic_keeps_its_partitions_while_their_array_grows),
		cmocka_unit_test(topic_keeps_what_it_has_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
