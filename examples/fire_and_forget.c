/*
 * fire_and_forget.c - records that may get lost: no report, no waiting. The counters still tell how many did.
 *
 *   fire_and_forget HOST:PORT TOPIC COUNT
 *
 * kp_try_send never waits: when buffer.memory is full the record is dropped here, and we count it ourselves.
 */
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

static kp_producer *open_producer(const char *servers, char *err, size_t err_size)
{
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	if (config && !kp_config_set(config, "bootstrap.servers", servers, err, err_size) &&
	    !kp_config_set(config, "delivery.reports", "none", err, err_size) &&
	    !kp_config_set(config, "acks", "1", err, err_size) &&
	    !kp_config_set(config, "enable.idempotence", "false", err, err_size))
		producer = kp_producer_new(config, NULL, err, err_size);
	kp_config_free(config);
	return producer;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: fire_and_forget HOST:PORT TOPIC COUNT";
	kp_producer *producer = argc == 4 ? open_producer(argv[1], err, sizeof(err)) : NULL;
	kp_topic *topic = producer ? kp_topic_open(producer, argv[2]) : NULL;
	if (!topic) {
		fprintf(stderr, "%s\n", producer ? "this is no topic name" : err);
		kp_producer_free(producer);
		return 2;
	}
	unsigned long count = strtoul(argv[3], NULL, 10), dropped = 0;
	for (unsigned long i = 0; i < count; i++) {
		char value[32];
		kp_record record = KP_RECORD_INIT;
		record.value = value;
		record.value_len = (size_t)snprintf(value, sizeof(value), "measure %lu", i);
		dropped += kp_try_send(topic, &record) != 0;
	}
	kp_close(producer, 5000, NULL);
	kp_counters sum = {.struct_size = sizeof(sum)};
	kp_counters_get(producer, &sum);
	kp_producer_free(producer);
	printf("%llu persisted, %llu not, %llu unknown, %lu never accepted\n", (unsigned long long)sum.persisted,
	       (unsigned long long)sum.not_persisted, (unsigned long long)sum.unknown, dropped);
	return 0;
}
