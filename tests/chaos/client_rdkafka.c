/*
 * client_rdkafka.c - librdkafka under the driver, with the partitioner that Java and kproducer have.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define POLL_MS 10
/* As many records as kproducer's buffer.memory holds of the driver's. */
#define QUEUE_RECORDS "250000"

static rd_kafka_t *producer;
static rd_kafka_topic_t *topic;
static pthread_t poller;
static atomic_bool is_closing;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk, (void)opaque;
	rd_kafka_msg_status_t status = rd_kafka_message_status(m);
	enum outcome outcome = status == RD_KAFKA_MSG_STATUS_PERSISTED            ? PERSISTED
	                       : status == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED ? (m->err ? UNKNOWN : WRITTEN)
	                                                                          : NOT_PERSISTED;
	driver_end((uint64_t)(uintptr_t)m->_private, outcome, m->err ? rd_kafka_err2name(m->err) : NULL, m->partition, m->offset);
}

static void *poll_reports(void *unused)
{
	while (!atomic_load(&is_closing))
		rd_kafka_poll(producer, POLL_MS);
	return unused;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char err[256];
	if (rd_kafka_conf_set(conf, name, value, err, sizeof(err)) == RD_KAFKA_CONF_OK)
		return;
	fprintf(stderr, "librdkafka: %s\n", err);
	exit(1);
}

void client_open(const char *servers, const char *name, const char *const *properties, size_t n)
{
	char err[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", servers);
	set(conf, "enable.idempotence", "true");
	set(conf, "partitioner", "murmur2_random");
	set(conf, "queue.buffering.max.messages", QUEUE_RECORDS);
	set(conf, "delivery.timeout.ms", "120000"); /* kproducer's */
	for (size_t i = 0; i < n; i++) {
		char property[256];
		snprintf(property, sizeof(property), "%s", properties[i]);
		char *value = strchr(property, '=');
		if (!value) {
			fprintf(stderr, "librdkafka: %s\n", properties[i]);
			exit(1);
		}
		*value++ = '\0';
		set(conf, property, value);
	}
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	topic = producer ? rd_kafka_topic_new(producer, name, NULL) : NULL;
	if (!topic || pthread_create(&poller, NULL, poll_reports, NULL) != 0) {
		fprintf(stderr, "librdkafka: %s\n", producer ? "no topic, or no thread" : err);
		exit(1);
	}
}

int client_send(const void *key, size_t key_len, const void *value, size_t value_len, uint64_t seq)
{
	int how = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK;
	return rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, how, (void *)value, value_len, key, key_len, (void *)(uintptr_t)seq);
}

void client_close(int timeout_ms)
{
	atomic_store(&is_closing, true);
	pthread_join(poller, NULL);
	rd_kafka_flush(producer, timeout_ms); /* calls back on this thread */
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(producer);
}

const char *client_name(void)
{
	static char name[64];
	snprintf(name, sizeof(name), "librdkafka %s", rd_kafka_version_str());
	return name;
}

int64_t client_throttle_ms(void)
{
	return -1;
}
