/*
 * config_support.h - what the tests of the configuration share. Each test file is its own program, so all is static.
 */
#ifndef KP_TEST_CLIENT_CONFIG_SUPPORT_H
#define KP_TEST_CLIENT_CONFIG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <kproducer/kproducer.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "client/settings.h"

#define ERR_SIZE 512

/* Set, which must work. */
static inline void must_set(kp_config *c, const char *name, const char *value)
{
	char err[ERR_SIZE] = "";
	if (kp_config_set(c, name, value, err, sizeof err) != 0)
		fail_msg("%s=%s: %s", name, value, err);
	assert_string_equal(err, "");
}

/* Set, which must be refused with exactly this text, and change nothing. */
static inline void must_refuse(kp_config *c, const char *name, const char *value, const char *text)
{
	char err[ERR_SIZE] = "", before[ERR_SIZE] = "", after[ERR_SIZE] = "";
	(void)kp_config_get(c, name, before, sizeof before, NULL);
	assert_int_equal(kp_config_set(c, name, value, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_string_equal(err, text);
	(void)kp_config_get(c, name, after, sizeof after, NULL);
	assert_string_equal(before, after);
}

static inline void must_get(const kp_config *c, const char *name, const char *value)
{
	char got[ERR_SIZE];
	size_t needed = 0;
	assert_int_equal(kp_config_get(c, name, got, sizeof got, &needed), 0);
	assert_string_equal(got, value);
	assert_int_equal(needed, strlen(value) + 1);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#endif
