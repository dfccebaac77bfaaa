/* test_map.c - the map against a naive model: an array of all possible keys. */
#include "base/map.h"

#include <stdio.h>

#include "base/random.h"
#include "kproducer/error.h"
#include "unit.h"

#define N_KEYS 400

typedef struct item {
	char key[24];
	bool present;
} item;

static item items[N_KEYS];

static kp_slice key_of(int i)
{
	return kp_slice_cstr(items[i].key);
}

static int make_keys(void **state)
{
	(void)state;
	for (int i = 0; i < N_KEYS; i++) {
		snprintf(items[i].key, sizeof(items[i].key), "%.*s%d", i % 13, "topic-topic-topic", i);
		items[i].present = false;
	}
	return 0;
}

static void check_against_model(kp_map *m)
{
	size_t n = 0, it = 0, walked = 0;
	for (int i = 0; i < N_KEYS; i++) {
		assert_ptr_equal(kp_map_get(m, key_of(i)), items[i].present ? &items[i] : NULL);
		n += items[i].present;
	}
	assert_int_equal(m->n, n);
	for (item *x; (x = kp_map_next(m, &it)) != NULL; walked++)
		assert_true(x->present);
	assert_int_equal(walked, n);
}

static void map_agrees_with_a_naive_model_under_random_operations(void **state)
{
	(void)state;
	kp_map m;
	kp_random r;
	kp_map_init(&m);
	kp_random_init(&r, 42);
	for (int step = 0; step < 60000; step++) {
		int i = (int)kp_random_below(&r, N_KEYS);
		/* phases in which it mostly fills and mostly empties */
		bool put = kp_random_below(&r, 10) < (step / 3000 % 2 ? 2u : 8u);
		if (put) {
			assert_int_equal(kp_map_put(&m, key_of(i), &items[i]), 0);
			items[i].present = true;
		} else {
			assert_ptr_equal(kp_map_remove(&m, key_of(i)), items[i].present ? &items[i] : NULL);
			items[i].present = false;
		}
		if (step % 97 == 0)
			check_against_model(&m);
	}
	check_against_model(&m);
	kp_map_deinit(&m);
}

static void map_survives_removal_in_a_probe_chain(void **state)
{
	(void)state;
	/* A full small table has long chains, some of them around the end; remove each entry once and look at the others. */
	for (int gone = 0; gone < 12; gone++) {
		kp_map m;
		kp_map_init(&m);
		for (int i = 0; i < 12; i++)
			assert_int_equal(kp_map_put(&m, key_of(i), &items[i]), 0);
		assert_int_equal(m.cap, 16);
		assert_ptr_equal(kp_map_remove(&m, key_of(gone)), &items[gone]);
		for (int i = 0; i < 12; i++)
			assert_ptr_equal(kp_map_get(&m, key_of(i)), i == gone ? NULL : &items[i]);
		kp_map_deinit(&m);
	}
}

static void map_replacing_uses_the_new_key_too(void **state)
{
	(void)state;
	kp_map m;
	char *old_key = kp_mem_strdup("topic");
	int a = 1, b = 2;
	kp_map_init(&m);
	assert_int_equal(kp_map_put(&m, kp_slice_cstr(old_key), &a), 0);
	assert_int_equal(kp_map_put(&m, kp_slice_cstr("topic"), &b), 0);
	kp_mem_free(old_key);
	assert_ptr_equal(kp_map_get(&m, kp_slice_cstr("topic")), &b);
	assert_int_equal(m.n, 1);
	kp_map_deinit(&m);
}

static void map_tells_null_from_empty_and_prefixes_apart(void **state)
{
	(void)state;
	kp_map m;
	int v[4];
	const kp_slice keys[4] = {kp_slice_null(), kp_slice_cstr(""), kp_slice_of("\0", 1), kp_slice_of("\0\0\0\0\0\0\0\0\0", 9)};
	kp_map_init(&m);
	for (int i = 0; i < 4; i++) {
		assert_null(kp_map_get(&m, keys[i]));
		assert_null(kp_map_remove(&m, keys[i]));
		assert_int_equal(kp_map_put(&m, keys[i], &v[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(kp_map_get(&m, keys[i]), &v[i]);
	kp_map_deinit(&m);
}

static void map_is_unchanged_when_growth_finds_no_memory(void **state)
{
	(void)state;
	unit_allocator u;
	kp_map m;
	kp_map_init(&m);
	unit_allocator_install(&u, 2);
	for (int i = 0; i < 12; i++)
		assert_int_equal(kp_map_put(&m, key_of(i), &items[i]), 0);
	assert_int_equal(kp_map_put(&m, key_of(12), &items[12]), KP_ERR_NO_MEMORY);
	assert_int_equal(kp_map_put(&m, key_of(3), &items[4]), 0); /* a replacement needs none */
	assert_int_equal(m.n, 12);
	assert_null(kp_map_get(&m, key_of(12)));
	assert_ptr_equal(kp_map_get(&m, key_of(3)), &items[4]);
	kp_map_deinit(&m);
	unit_allocator_remove(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(map_agrees_with_a_naive_model_under_random_operations, make_keys),
		cmocka_unit_test_setup(map_survives_removal_in_a_probe_chain, make_keys),
		cmocka_unit_test(map_replacing_uses_the_new_key_too),
		cmocka_unit_test(map_tells_null_from_empty_and_prefixes_apart),
		cmocka_unit_test_setup(map_is_unchanged_when_growth_finds_no_memory, make_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
