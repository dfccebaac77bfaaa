/*
 * sync.c - send records one by one and wait for each: simple, and slow, for a few records that matter.
 *
 *   sync HOST:PORT TOPIC VALUE...
 */
#include <stdio.h>
#include <string.h>

#include <kproducer/kproducer.h>

static int send_one(kp_topic *topic, const char *value)
{
	kp_record record = KP_RECORD_INIT;
	kp_report report = {.struct_size = sizeof(report)};
	record.value = value;
	record.value_len = strlen(value);
	int err = kp_send_sync(topic, &record, 10000, &report);
	if (err) {
		fprintf(stderr, "%s: %s\n  %s\n", value, kp_error_text(err), kp_error_advice(err));
		return 1;
	}
	printf("%s: partition %d, offset %lld\n", value, (int)report.partition, (long long)report.offset);
	return 0;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: sync HOST:PORT TOPIC VALUE...";
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	if (config && argc > 3 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)))
		producer = kp_producer_new(config, NULL, err, sizeof(err));
	kp_config_free(config);
	if (!producer) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	int failed = !topic;
	for (int i = 3; topic && i < argc; i++)
		failed += send_one(topic, argv[i]);
	kp_producer_free(producer);
	return failed ? 1 : 0;
}
