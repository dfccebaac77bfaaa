/*
 * check.h - what the programs of the conformance tests share. They use the public header alone, are compiled against the installed tree,
 * and exit with 0 when every CHECK held.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kproducer/kproducer.h>

#define CHECK(condition) check(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_OK(call) check_ok(call, #call, __FILE__, __LINE__)

static inline void check(int is_true, const char *text, const char *file, int line)
{
	if (is_true)
		return;
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, text);
	exit(1);
}

static inline void check_ok(int error, const char *text, const char *file, int line)
{
	if (!error)
		return;
	fprintf(stderr, "%s:%d: %s gives %s: %s\n", file, line, text, kp_error_name(error), kp_error_text(error));
	exit(1);
}

static inline long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A configuration for these servers; more properties as name, value, …, NULL (NULL: none). */
static inline kp_config *config_for(const char *servers, const char *const *more)
{
	char err[256] = "";
	kp_config *config = kp_config_new();
	int failed = kp_config_set(config, "bootstrap.servers", servers, err, sizeof(err));
	for (; !failed && more && *more; more += 2)
		failed = kp_config_set(config, more[0], more[1], err, sizeof(err));
	if (failed)
		fprintf(stderr, "%s\n", err);
	CHECK(!failed);
	return config;
}

/* Takes the configuration. */
static inline kp_producer *producer_for(kp_config *config, kp_runtime *runtime)
{
	char err[256] = "";
	kp_producer *producer = kp_producer_new(config, runtime, err, sizeof(err));
	if (!producer)
		fprintf(stderr, "%s\n", err);
	CHECK(producer);
	kp_config_free(config);
	return producer;
}

static inline kp_record text_record(const char *value, void *opaque)
{
	kp_record record = KP_RECORD_INIT;
	record.value = value;
	record.value_len = strlen(value);
	record.opaque = opaque;
	return record;
}

static inline kp_counters counters_of(kp_producer *producer)
{
	kp_counters counters = {.struct_size = sizeof(counters)};
	kp_counters_get(producer, &counters);
	return counters;
}

#endif
