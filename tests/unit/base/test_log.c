/* test_log.c - levels, rate limit, the shape of a line. */
#include "base/log.h"

#include "unit.h"

typedef struct sunk {
	int n, level;
	char line[4096];
} sunk;

static void sink(int level, const char *line, void *opaque)
{
	sunk *s = opaque;
	s->n++;
	s->level = level;
	assert_true(strlen(line) < sizeof(s->line));
	memcpy(s->line, line, strlen(line) + 1);
}

static void log_drops_lines_above_its_level(void **state)
{
	(void)state;
	kp_logger l;
	sunk s = {.n = 0};
	int formatted = 0;
	kp_logger_init(&l, KP_LOG_WARN, sink, &s, "");
	KP_LOG(&l, KP_LOG_INFO, 0, "info n=%d", ++formatted);
	kp_log_write(&l, KP_LOG_DEBUG, 0, "debug");
	assert_int_equal(s.n, 0);
	assert_int_equal(formatted, 0);
	KP_LOG(&l, KP_LOG_WARN, 0, "warned n=%d", ++formatted);
	assert_int_equal(s.level, KP_LOG_WARN);
	assert_string_equal(s.line, "warned n=1");
	KP_LOG(&l, KP_LOG_ERROR, 0, "failed code=%d", 7);
	assert_int_equal(s.level, KP_LOG_ERROR);
	assert_int_equal(s.n, 2);
}

static void log_puts_the_client_id_in_front(void **state)
{
	(void)state;
	kp_logger l;
	sunk s = {.n = 0};
	kp_logger_init(&l, KP_LOG_INFO, sink, &s, "orders");
	kp_log_write(&l, KP_LOG_INFO, 0, "connected node=%d", 3);
	assert_string_equal(s.line, "client=orders connected node=3");
	kp_logger_init(&l, KP_LOG_INFO, sink, &s, NULL);
	kp_log_write(&l, KP_LOG_INFO, 0, "connected");
	assert_string_equal(s.line, "connected");
}

static void log_limits_the_rate_and_says_what_it_dropped(void **state)
{
	(void)state;
	kp_logger l;
	sunk s = {.n = 0};
	int64_t now = 5000000;
	kp_logger_init(&l, KP_LOG_INFO, sink, &s, "");
	for (int i = 0; i < 1000; i++)
		kp_log_write(&l, KP_LOG_INFO, now, "line i=%d", i);
	assert_int_equal(s.n, KP_LOG_BURST);
	assert_string_equal(s.line, "line i=59");
	now += 1000000 / KP_LOG_RATE;
	kp_log_write(&l, KP_LOG_INFO, now, "later");
	assert_string_equal(s.line, "later dropped_lines=940");
	kp_log_write(&l, KP_LOG_INFO, now, "again");
	assert_int_equal(s.n, KP_LOG_BURST + 1);
	now += 3600 * (int64_t)1000000; /* an hour saves up a burst, not more */
	for (int i = 0; i < 1000; i++)
		kp_log_write(&l, KP_LOG_INFO, now, "line i=%d", i);
	assert_int_equal(s.n, 2 * KP_LOG_BURST + 1);
}

static void log_survives_a_clock_that_steps_back(void **state)
{
	(void)state;
	kp_logger l;
	sunk s = {.n = 0};
	kp_logger_init(&l, KP_LOG_INFO, sink, &s, "");
	for (int i = 0; i < 200; i++)
		kp_log_write(&l, KP_LOG_INFO, i % 2 ? 1000000 : 2000000, "line"); /* each step forward would refill */
	assert_int_equal(s.n, KP_LOG_BURST);
}

static void log_cuts_long_lines_and_blanks_control_characters(void **state)
{
	(void)state;
	kp_logger l;
	sunk s = {.n = 0};
	kp_logger_init(&l, KP_LOG_INFO, sink, &s,
	               "a name that is much longer than the sixty-three bytes that the logger keeps of it");
	assert_int_equal(strlen(l.name), sizeof(l.name) - 1);
	kp_log_write(&l, KP_LOG_INFO, 0, "refused message=\"%05000d\"", 1);
	assert_int_equal(strlen(s.line), 2047);
	assert_string_equal(s.line + 2043, "0...");
	kp_logger_init(&l, KP_LOG_INFO, sink, &s, "");
	kp_log_write(&l, KP_LOG_INFO, 0, "refused message=\"%s\"", "a\nforged\x1b[2J\x7f");
	assert_string_equal(s.line, "refused message=\"a forged [2J \"");
	for (int i = 0; i < 100; i++)
		kp_log_write(&l, KP_LOG_INFO, 0, "fill");
	kp_log_write(&l, KP_LOG_INFO, 1000000, "%05000d", 1);
	assert_non_null(strstr(s.line, "0... dropped_lines=41"));
	assert_int_equal(strlen(s.line), 2047);
}

static void log_names_its_levels(void **state)
{
	(void)state;
	assert_string_equal(kp_log_level_name(0), "error");
	assert_string_equal(kp_log_level_name(KP_LOG_ERROR), "error");
	assert_string_equal(kp_log_level_name(KP_LOG_WARN), "warn");
	assert_string_equal(kp_log_level_name(5), "info");
	assert_string_equal(kp_log_level_name(KP_LOG_INFO), "info");
	assert_string_equal(kp_log_level_name(KP_LOG_DEBUG), "debug");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_drops_lines_above_its_level),
		cmocka_unit_test(log_puts_the_client_id_in_front),
		cmocka_unit_test(log_limits_the_rate_and_says_what_it_dropped),
		cmocka_unit_test(log_survives_a_clock_that_steps_back),
		cmocka_unit_test(log_cuts_long_lines_and_blanks_control_characters),
		cmocka_unit_test(log_names_its_levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
