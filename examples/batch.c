/*
 * batch.c - send a group of records with one call and get one report for all of them.
 *
 *   batch HOST:PORT TOPIC COUNT
 *
 * The records' memory is free again when kp_produce_batch returns; the callback runs later, on the producer's thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

#define GROUP 100

struct group {
	size_t persisted, failed; /* written by the callback, read after kp_close */
};

static void on_batch(kp_producer *producer, const kp_batch_report *report, void *opaque)
{
	struct group *sum = opaque;
	(void)producer;
	sum->persisted += report->n_persisted;
	sum->failed += report->n_not_persisted + report->n_unknown;
	if (report->first_error)
		fprintf(stderr, "a group lost records: %s\n", kp_error_text(report->first_error));
}

/* 0, or why not every record was accepted. */
static int send_group(kp_topic *topic, size_t first, size_t n, struct group *sum)
{
	char values[GROUP][32];
	kp_record records[GROUP];
	int err = 0;
	for (size_t i = 0; i < n; i++) {
		records[i] = KP_RECORD_INIT;
		records[i].value = values[i];
		records[i].value_len = (size_t)snprintf(values[i], sizeof(values[i]), "record %zu", first + i);
	}
	kp_produce_batch(topic, records, n, on_batch, sum, &err);
	return err;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: batch HOST:PORT TOPIC COUNT";
	struct group sum = {0, 0};
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	if (config && argc == 4 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)))
		producer = kp_producer_new(config, NULL, err, sizeof(err));
	kp_config_free(config);
	kp_topic *topic = producer ? kp_topic_open(producer, argv[2]) : NULL;
	if (!topic) {
		fprintf(stderr, "%s\n", producer ? "this is no topic name" : err);
		kp_producer_free(producer);
		return 2;
	}
	size_t count = strtoul(argv[3], NULL, 10);
	int failed = 0;
	for (size_t first = 0; first < count && !failed; first += GROUP)
		failed = send_group(topic, first, count - first < GROUP ? count - first : GROUP, &sum);
	if (failed)
		fprintf(stderr, "%s\n", kp_error_text(failed));
	kp_close(producer, 30000, NULL);
	kp_producer_free(producer);
	printf("%zu persisted, %zu failed\n", sum.persisted, sum.failed);
	return failed || sum.failed ? 1 : 0;
}
