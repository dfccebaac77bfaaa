/*
 * txn_reader.c - a foreign consumer, for examples/copier.c and for who watches: partitions' committed records from the group's committed
 * offsets on, or from the beginning, for as long as somebody reads them.
 *
 *   txn_reader HOST:PORT GROUP TOPIC PARTITION...
 *
 * A line for each record: topic, partition, offset, value. It commits nothing.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define CALL_TIMEOUT_MS 10000
#define WAIT_MS 50
#define AT_ONCE 1000

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char err[256];
	if (rd_kafka_conf_set(conf, name, value, err, sizeof(err)) != RD_KAFKA_CONF_OK)
		fprintf(stderr, "txn_reader: %s\n", err), exit(1);
}

static rd_kafka_t *open_consumer(const char *servers, const char *group)
{
	char err[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", servers);
	set(conf, "group.id", group);
	set(conf, "enable.auto.commit", "false");
	set(conf, "auto.offset.reset", "earliest");
	set(conf, "isolation.level", "read_committed"); /* also: offsets of an open transaction are waited for */
	set(conf, "log_level", "0");
	rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, err, sizeof(err));
	if (!consumer)
		fprintf(stderr, "txn_reader: %s\n", err), exit(1);
	return consumer;
}

static void print(const rd_kafka_message_t *m)
{
	if (!m->err)
		printf("%s\t%d\t%lld\t%.*s\n", rd_kafka_topic_name(m->rkt), m->partition, (long long)m->offset, (int)m->len,
		       (const char *)m->payload);
}

static bool has_error(const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: txn_reader HOST:PORT GROUP TOPIC PARTITION...\n");
		return 2;
	}
	rd_kafka_t *consumer = open_consumer(argv[1], argv[2]);
	rd_kafka_topic_partition_list_t *from = rd_kafka_topic_partition_list_new(argc - 4);
	for (int i = 4; i < argc; i++)
		rd_kafka_topic_partition_list_add(from, argv[3], (int32_t)strtol(argv[i], NULL, 10));
	while (rd_kafka_committed(consumer, from, CALL_TIMEOUT_MS) != 0 || has_error(from))
		;
	rd_kafka_assign(consumer, from); /* without a committed offset: auto.offset.reset */
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
	rd_kafka_message_t *messages[AT_ONCE];
	while (!ferror(stdout)) {
		ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, AT_ONCE);
		for (ssize_t i = 0; i < n; i++) {
			print(messages[i]);
			rd_kafka_message_destroy(messages[i]);
		}
		fflush(stdout);
	}
	return 1;
}
