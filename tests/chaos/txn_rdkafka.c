/*
 * txn_rdkafka.c - librdkafka under the driver of transactions.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn_driver.h"

static rd_kafka_t *producer;
static rd_kafka_topic_t *topics[TXN_MAX_TOPICS];
static char last[600];

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char err[256];
	if (rd_kafka_conf_set(conf, name, value, err, sizeof(err)) == RD_KAFKA_CONF_OK)
		return;
	fprintf(stderr, "librdkafka: %s\n", err);
	exit(1);
}

void txn_open(const char *servers, const char *id, const char *const *names, size_t n_topics, const char *const *properties,
              size_t n)
{
	char err[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", servers);
	set(conf, "transactional.id", id);
	set(conf, "partitioner", "murmur2_random");
	set(conf, "log_level", "0");
	for (size_t i = 0; i < n; i++) {
		char property[256];
		snprintf(property, sizeof(property), "%s", properties[i]);
		char *value = strchr(property, '=');
		if (!value)
			fprintf(stderr, "librdkafka: %s\n", properties[i]), exit(1);
		*value++ = '\0';
		set(conf, property, value);
	}
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	if (!producer)
		fprintf(stderr, "librdkafka: %s\n", err), exit(1);
	for (size_t i = 0; i < n_topics; i++)
		topics[i] = rd_kafka_topic_new(producer, names[i], NULL);
}

void txn_close(void)
{
	for (size_t i = 0; i < TXN_MAX_TOPICS; i++)
		if (topics[i])
			rd_kafka_topic_destroy(topics[i]);
	rd_kafka_destroy(producer);
}

static enum next told(rd_kafka_error_t *error)
{
	enum next next = !error                                     ? GO_ON
	                 : rd_kafka_error_is_fatal(error)           ? FENCED
	                 : rd_kafka_error_txn_requires_abort(error) ? ABORT
	                 : rd_kafka_error_is_retriable(error)       ? AGAIN
	                                                            : BROKEN;
	snprintf(last, sizeof(last), "%s", error ? rd_kafka_error_string(error) : "");
	if (error)
		rd_kafka_error_destroy(error);
	return next;
}

enum next txn_init(int timeout_ms)
{
	return told(rd_kafka_init_transactions(producer, timeout_ms));
}

enum next txn_begin(int timeout_ms)
{
	(void)timeout_ms;
	return told(rd_kafka_begin_transaction(producer));
}

enum next txn_send(size_t topic, const void *key, size_t key_len, const void *value, size_t value_len)
{
	int how = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK;
	if (rd_kafka_produce(topics[topic], RD_KAFKA_PARTITION_UA, how, (void *)value, value_len, key, key_len, NULL) == 0)
		return GO_ON;
	rd_kafka_resp_err_t err = rd_kafka_last_error();
	snprintf(last, sizeof(last), "rd_kafka_produce: %s", rd_kafka_err2name(err));
	return err == RD_KAFKA_RESP_ERR__FATAL ? FENCED : ABORT;
}

enum next txn_commit(int timeout_ms)
{
	return told(rd_kafka_commit_transaction(producer, timeout_ms));
}

enum next txn_abort(int timeout_ms)
{
	/* An abort before its partitions were added ends the instance: EndTxn is answered INVALID_TXN_STATE, which it takes for fatal. */
	rd_kafka_flush(producer, timeout_ms);
	return told(rd_kafka_abort_transaction(producer, timeout_ms));
}

const char *txn_error(void)
{
	return last;
}

const char *txn_client_name(void)
{
	static char name[64];
	snprintf(name, sizeof(name), "librdkafka %s", rd_kafka_version_str());
	return name;
}
