/*
 * async_callback.c - send without waiting; a callback gets every record's end, an array of reports at a time.
 *
 *   async_callback HOST:PORT TOPIC <FILE
 *
 * The callback runs on the producer's thread and must not block. `opaque` carries whatever belongs to the record: here its line number.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

struct totals {
	size_t persisted, failed; /* touched by the callback only; read after kp_close */
};

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	struct totals *totals = opaque;
	(void)producer;
	for (size_t i = 0; i < n; i++) {
		const kp_report *report = kp_report_at(reports, i);
		if (report->outcome == KP_PERSISTED) {
			totals->persisted++;
			continue;
		}
		totals->failed++;
		fprintf(stderr, "line %zu: %s%s after %d attempts\n", (size_t)(uintptr_t)report->opaque,
		        kp_error_name(report->error), report->outcome == KP_UNKNOWN ? " (it may be in the log)" : "",
		        (int)report->attempts);
	}
}

static int send_lines(kp_topic *topic, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;
	uintptr_t number = 0;
	for (ssize_t n; !err && (n = getline(&line, &room, in)) > 0;) {
		kp_record record = KP_RECORD_INIT;
		record.value = line;
		record.value_len = (size_t)n - (line[n - 1] == '\n');
		record.opaque = (void *)++number;
		err = kp_send(topic, &record); /* waits for room in buffer.memory up to max.block.ms */
	}
	free(line);
	return err;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: async_callback HOST:PORT TOPIC <FILE";
	struct totals totals = {0, 0};
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	if (config && argc == 3 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err))) {
		kp_config_set_report_cb(config, on_reports, &totals);
		producer = kp_producer_new(config, NULL, err, sizeof(err));
	}
	kp_config_free(config);
	if (!producer) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	int failed = topic ? send_lines(topic, stdin) : KP_ERR_INVALID_TOPIC_EXCEPTION;
	if (failed)
		fprintf(stderr, "%s\n", kp_error_text(failed));
	kp_close(producer, 30000, NULL); /* every report has come when this returns */
	kp_producer_free(producer);
	printf("%zu persisted, %zu failed\n", totals.persisted, totals.failed);
	return failed || totals.failed ? 1 : 0;
}
