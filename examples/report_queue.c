/*
 * report_queue.c - for programs with an event loop of their own: reports wait in a queue, and a descriptor says when to look.
 *
 *   report_queue HOST:PORT TOPIC <FILE
 *
 * No call here ever waits but poll(): a line is read only when the last one was accepted.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <kproducer/kproducer.h>

#define AT_ONCE 64

struct state {
	kp_producer *producer;
	kp_topic *topic;
	size_t open, persisted, failed; /* open: accepted, report not seen yet */
	char *line;
	size_t room;
	ssize_t n; /* the line that waits to be accepted, <= 0 none */
	int at_end;
};

static void take_reports(struct state *s)
{
	kp_report reports[AT_ONCE];
	size_t n;
	reports[0].struct_size = sizeof(reports[0]);
	do {
		n = kp_reports_poll(s->producer, reports, AT_ONCE, 0);
		for (size_t i = 0; i < n; i++)
			*(reports[i].outcome == KP_PERSISTED ? &s->persisted : &s->failed) += 1;
		s->open -= n;
	} while (n == AT_ONCE);
}

/* Send lines until the input ends (0), the buffer is full (0) or something is wrong (a code). */
static int send_lines(struct state *s)
{
	for (;;) {
		kp_record record = KP_RECORD_INIT;
		if (s->n <= 0 && (s->n = getline(&s->line, &s->room, stdin)) <= 0) {
			s->at_end = 1;
			return 0;
		}
		record.value = s->line;
		record.value_len = (size_t)s->n - (s->line[s->n - 1] == '\n');
		int err = kp_try_send(s->topic, &record);
		if (err)
			return err == KP_ERR_QUEUE_FULL ? 0 : err;
		s->open++;
		s->n = 0;
	}
}

static int run(struct state *s)
{
	struct pollfd fd = {.fd = kp_reports_fd(s->producer), .events = POLLIN};
	int err = 0;
	while (!err && (!s->at_end || s->open)) {
		if (!s->at_end)
			err = send_lines(s);
		if (s->open && poll(&fd, 1, -1) > 0)
			take_reports(s);
	}
	return err;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: report_queue HOST:PORT TOPIC <FILE";
	struct state s = {0};
	kp_config *config = kp_config_new();
	if (config && argc == 3 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err))) {
		kp_config_use_report_queue(config);
		s.producer = kp_producer_new(config, NULL, err, sizeof(err));
	}
	kp_config_free(config);
	s.topic = s.producer ? kp_topic_open(s.producer, argv[2]) : NULL;
	if (!s.topic) {
		fprintf(stderr, "%s\n", s.producer ? "this is no topic name" : err);
		kp_producer_free(s.producer);
		return 2;
	}
	int failed = run(&s);
	if (failed)
		fprintf(stderr, "%s\n", kp_error_text(failed));
	kp_close(s.producer, 5000, NULL);
	take_reports(&s);
	kp_producer_free(s.producer);
	free(s.line);
	printf("%zu persisted, %zu failed\n", s.persisted, s.failed);
	return failed || s.failed ? 1 : 0;
}
