/*
 * errors_only.c - hear only of records that failed, and keep what is safe to send again.
 *
 *   errors_only HOST:PORT TOPIC <FILE >FAILED
 *
 * delivery.reports=errors costs nothing for records that are persisted. The report of a failed one carries its content while the
 * callback runs: here the lines that are certainly in no log go to the standard output, ready to be sent once more.
 */
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

static void on_failures(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *report = kp_report_at(reports, i);
		if (report->outcome == KP_NOT_PERSISTED) {
			fwrite(report->value, 1, report->value_len, stdout);
			fputc('\n', stdout);
		}
	}
}

static int send_lines(kp_topic *topic, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;
	for (ssize_t n; !err && (n = getline(&line, &room, in)) > 0;) {
		kp_record record = KP_RECORD_INIT;
		record.value = line;
		record.value_len = (size_t)n - (line[n - 1] == '\n');
		err = kp_send(topic, &record);
	}
	free(line);
	return err;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: errors_only HOST:PORT TOPIC <FILE >FAILED";
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	if (config && argc == 3 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)) &&
	    !kp_config_set(config, "delivery.reports", "errors", err, sizeof(err))) {
		kp_config_set_report_cb(config, on_failures, NULL);
		producer = kp_producer_new(config, NULL, err, sizeof(err));
	}
	kp_config_free(config);
	kp_topic *topic = producer ? kp_topic_open(producer, argv[2]) : NULL;
	if (!topic) {
		fprintf(stderr, "%s\n", producer ? "this is no topic name" : err);
		kp_producer_free(producer);
		return 2;
	}
	int failed = send_lines(topic, stdin);
	kp_close(producer, 30000, NULL);
	kp_counters sum = {.struct_size = sizeof(sum)};
	kp_counters_get(producer, &sum);
	kp_producer_free(producer);
	fprintf(stderr, "%llu persisted, %llu not, %llu unknown\n", (unsigned long long)sum.persisted,
	        (unsigned long long)sum.not_persisted, (unsigned long long)sum.unknown);
	return failed || sum.not_persisted || sum.unknown ? 1 : 0;
}
