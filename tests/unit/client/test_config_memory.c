/* test_config_memory.c - each allocation fails in turn: a code, an explanation, nothing lost and nothing half done. */
#include "config_support.h"

#include <unistd.h>

/* Fails the allocation number fail_at, alone or with all behind it; counts what is alive. */
typedef struct failing_allocator {
	int n, fail_at, live;
	bool is_alone;
} failing_allocator;

static void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	failing_allocator *a = opaque;
	a->n++;
	if (a->n == a->fail_at || (a->n > a->fail_at && !a->is_alone))
		return NULL;
	a->live += ptr == NULL;
	return realloc(ptr, size);
}

static void failing_free(void *ptr, void *opaque)
{
	failing_allocator *a = opaque;
	a->live--;
	free(ptr);
}

/* A step with what is left of memory: true when it got all it wanted. It checks by itself that a failure changes nothing. */
typedef bool step(void);

/* Run the step until it has none to fail any more; it must want at least `least` allocations, and miss each. */
static void fail_each_allocation_with(step *s, int least, bool is_alone)
{
	bool was_enough = false;
	int fail_at = 0;
	while (!was_enough) {
		failing_allocator a = {.fail_at = ++fail_at, .is_alone = is_alone};
		assert_true(fail_at < 100);
		kp_mem_set_allocator(&(kp_allocator){failing_realloc, failing_free, &a});
		was_enough = s();
		kp_mem_set_allocator(NULL);
		assert_int_equal(a.live, 0);
		assert_true(was_enough == (a.n < fail_at));
	}
	assert_true(fail_at > least);
}

static void fail_each_allocation(step *s, int least)
{
	fail_each_allocation_with(s, least, false);
	fail_each_allocation_with(s, least, true);
}

static bool make(void)
{
	kp_config *c = kp_config_new();
	kp_config_free(c);
	return c != NULL;
}

static bool set_servers(void)
{
	char err[ERR_SIZE] = "";
	kp_config *c = kp_config_new();
	if (!c)
		return false;
	int r = kp_config_set(c, "bootstrap.servers", "a:1,b:2", err, sizeof err);
	if (r) {
		assert_int_equal(r, KP_ERR_NO_MEMORY);
		assert_string_equal(err, "bootstrap.servers: out of memory");
		must_get(c, "bootstrap.servers", "");
		assert_false(c->settings.is_set[KP_PROP_BOOTSTRAP_SERVERS]);
	}
	kp_config_free(c);
	return r == 0;
}

/* Everything but the server list is set in place. */
static bool set_all_else(void)
{
	kp_config *c = kp_config_new();
	if (!c)
		return false;
	for (size_t i = 0; i < KP_PROP_COUNT; i++)
		must_set(c, kp_property_rows[i].name, kp_property_rows[i].default_value);
	kp_config_free(c);
	return true;
}

/* A configuration with servers, or NULL. */
static kp_config *with_servers(void)
{
	kp_config *c = kp_config_new();
	if (c && kp_config_set(c, "bootstrap.servers", "a:1,b:2", NULL, 0) != 0) {
		kp_config_free(c);
		c = NULL;
	}
	return c;
}

static bool copy(void)
{
	kp_config *c = with_servers();
	kp_config *twin = c ? kp_config_copy(c) : NULL;
	kp_config_free(c);
	kp_config_free(twin);
	return twin != NULL;
}

static bool resolve(void)
{
	char err[ERR_SIZE] = "";
	kp_settings s;
	kp_config *c = with_servers();
	int r = c ? kp_settings_resolve(c, &s, err, sizeof err, NULL) : KP_ERR_NO_MEMORY;
	if (r)
		assert_int_equal(r, KP_ERR_NO_MEMORY);
	else
		kp_settings_deinit(&s);
	if (r && c)
		assert_string_equal(err, "out of memory");
	kp_config_free(c);
	return r == 0;
}

static char path[] = "/tmp/kp_test_config_XXXXXX";

static bool load_file(void)
{
	char err[ERR_SIZE] = "";
	kp_config *c = with_servers();
	int r = c ? kp_config_load_file(c, path, err, sizeof err) : KP_ERR_NO_MEMORY;
	if (r)
		assert_int_equal(r, KP_ERR_NO_MEMORY);
	if (c) {
		must_get(c, "bootstrap.servers", r ? "a:1,b:2" : "c:3");
		must_get(c, "linger.ms", r ? "5" : "7");
	}
	if (r && c)
		assert_contains(err, "out of memory");
	kp_config_free(c);
	return r == 0;
}

static void told_of_memory(const char *text, void *opaque)
{
	(void)opaque;
	assert_contains(text, "out of memory");
}

static bool check_file(void)
{
	kp_config *c = with_servers();
	int r = c ? kp_config_check_file(c, path, told_of_memory, NULL) : KP_ERR_NO_MEMORY;
	if (r)
		assert_int_equal(r, KP_ERR_NO_MEMORY);
	if (c)
		must_get(c, "bootstrap.servers", r ? "a:1,b:2" : "c:3");
	kp_config_free(c);
	return r == 0;
}

static bool load_env(void)
{
	char err[ERR_SIZE] = "";
	kp_config *c = with_servers();
	int r = c ? kp_config_load_env(c, err, sizeof err) : KP_ERR_NO_MEMORY;
	if (r)
		assert_int_equal(r, KP_ERR_NO_MEMORY);
	if (c)
		must_get(c, "bootstrap.servers", r ? "a:1,b:2" : "c:3");
	if (r && c)
		assert_contains(err, "out of memory");
	kp_config_free(c);
	return r == 0;
}

static void making_and_setting_survive_without_memory(void **state)
{
	(void)state;
	fail_each_allocation(make, 1);
	fail_each_allocation(set_servers, 2);
	fail_each_allocation(set_all_else, 1);
}

static void copying_and_resolving_survive_without_memory(void **state)
{
	(void)state;
	fail_each_allocation(copy, 4);
	fail_each_allocation(resolve, 3);
}

static void loading_survives_without_memory(void **state)
{
	(void)state;
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_true(fputs("linger.ms=\\\n 7\nbootstrap.servers=c:3\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	fail_each_allocation(load_file, 7);
	fail_each_allocation(check_file, 7);
	assert_int_equal(clearenv(), 0);
	assert_int_equal(setenv("KPRODUCER_BOOTSTRAP_SERVERS", "c:3", 1), 0);
	fail_each_allocation(load_env, 4);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_and_setting_survive_without_memory),
		cmocka_unit_test(copying_and_resolving_survive_without_memory),
		cmocka_unit_test(loading_survives_without_memory),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
