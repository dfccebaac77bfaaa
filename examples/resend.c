/*
 * resend.c - records that fail are sent again, at most five times, after a delay that doubles from 100 ms.
 *
 *   resend HOST:PORT TOPIC <FILE
 *
 * Failures wait in a queue of their own, whatever the reports say; what could be doubled, or would fail again, is not taken. A record that
 * comes late because of that stands behind those that were sent meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

#define AT_ONCE 64

static size_t n_lost, n_mended;

static void lose(const kp_report *report, int why)
{
	n_lost++;
	fprintf(stderr, "%.*s: %s (%s)\n", (int)report->value_len, (const char *)report->value, kp_error_name(report->error),
	        kp_error_text(why));
}

/* Failures into the resender, what ended for good out of it. */
static void mend(kp_producer *producer, kp_resender *resender, int timeout_ms)
{
	kp_report out[AT_ONCE];
	int err;
	out[0].struct_size = sizeof(out[0]);
	size_t n = kp_failures_poll(producer, out, AT_ONCE, 0);
	for (size_t i = 0; i < n; i++)
		if ((err = kp_resender_offer(resender, &out[i])))
			lose(&out[i], err);
	n = kp_resender_poll(resender, out, AT_ONCE, timeout_ms);
	for (size_t i = 0; i < n; i++)
		if (out[i].outcome == KP_PERSISTED)
			n_mended++;
		else
			lose(&out[i], out[i].error);
}

static int send_lines(kp_producer *producer, kp_topic *topic, kp_resender *resender)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;
	for (ssize_t n; !err && (n = getline(&line, &room, stdin)) > 0;) {
		kp_record record = KP_RECORD_INIT;
		record.value = line;
		record.value_len = (size_t)n - (line[n - 1] == '\n');
		/* failures hold memory: make room while there is none */
		while ((err = kp_try_send(topic, &record)) == KP_ERR_QUEUE_FULL)
			mend(producer, resender, 10);
		mend(producer, resender, 0);
	}
	free(line);
	return err;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: resend HOST:PORT TOPIC <FILE";
	kp_config *config = kp_config_new();
	kp_producer *producer = NULL;
	kp_resend_options options = KP_RESEND_OPTIONS_INIT;
	kp_counters now = {.struct_size = sizeof(now)};
	options.max_attempts = 5;
	options.count_header = "retry_count";
	if (config && argc == 3 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)) &&
	    !kp_config_set(config, "delivery.reports", "none", err, sizeof(err))) {
		kp_config_use_failure_queue(config);
		producer = kp_producer_new(config, NULL, err, sizeof(err));
	}
	kp_config_free(config);
	kp_topic *topic = producer ? kp_topic_open(producer, argv[2]) : NULL;
	kp_resender *resender = topic ? kp_resender_new(producer, &options, err, sizeof(err)) : NULL;
	if (!resender) {
		fprintf(stderr, "%s\n", producer && !topic ? "this is no topic name" : err);
		kp_producer_free(producer);
		return 2;
	}
	int failed = send_lines(producer, topic, resender);
	do {
		kp_flush(producer, 100);
		mend(producer, resender, 100);
		kp_counters_get(producer, &now);
	} while (now.queued_records || now.failure_queue || kp_resender_pending(resender));
	kp_close(producer, 0, NULL);
	kp_resender_free(resender);
	kp_producer_free(producer);
	printf("%zu sent again with success, %zu lost\n", n_mended, n_lost);
	return failed || n_lost ? 1 : 0;
}
