/*
 * client_kproducer.c - kproducer under the driver, by its public interface.
 */
#include <kproducer/kproducer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static kp_producer *producer;
static kp_topic *topic;
static int64_t throttle_ms;

static void on_reports(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		enum outcome outcome = r->outcome == KP_PERSISTED       ? PERSISTED
		                       : r->outcome == KP_NOT_PERSISTED ? NOT_PERSISTED
		                       : r->error == 0                  ? WRITTEN
		                                                        : UNKNOWN;
		driver_end((uint64_t)(uintptr_t)r->opaque, outcome, r->error ? kp_error_name(r->error) : NULL, r->partition,
		           r->offset);
	}
}

static void must(int code, const char *err)
{
	if (code == 0)
		return;
	fprintf(stderr, "kproducer: %s\n", err);
	exit(1);
}

void client_open(const char *servers, const char *name, const char *const *properties, size_t n)
{
	char err[256] = "out of memory";
	kp_config *config = kp_config_new();
	must(!config, err);
	must(kp_config_set(config, "bootstrap.servers", servers, err, sizeof(err)), err);
	for (size_t i = 0; i < n; i++) {
		char property[256];
		snprintf(property, sizeof(property), "%s", properties[i]);
		char *value = strchr(property, '=');
		must(!value, properties[i]);
		*value++ = '\0';
		must(kp_config_set(config, property, value, err, sizeof(err)), err);
	}
	kp_config_set_report_cb(config, on_reports, NULL);
	producer = kp_producer_new(config, NULL, err, sizeof(err));
	must(!producer, err);
	kp_config_free(config);
	topic = kp_topic_open(producer, name);
	must(!topic, "no topic name");
}

int client_send(const void *key, size_t key_len, const void *value, size_t value_len, uint64_t seq)
{
	kp_record r = KP_RECORD_INIT;
	r.key = key, r.key_len = key_len;
	r.value = value, r.value_len = value_len;
	r.opaque = (void *)(uintptr_t)seq;
	return kp_send(topic, &r);
}

void client_close(int timeout_ms)
{
	kp_counters counters = {.struct_size = sizeof(counters)};
	kp_close(producer, timeout_ms, NULL);
	kp_counters_get(producer, &counters);
	throttle_ms = (int64_t)counters.throttle_ms;
	kp_producer_free(producer);
}

const char *client_name(void)
{
	static char name[64];
	snprintf(name, sizeof(name), "kproducer %s", kp_version());
	return name;
}

int64_t client_throttle_ms(void)
{
	return throttle_ms;
}
