/*
 * reports SERVERS TOPIC callback|queue: N records, each with exactly one report, in order of sending within a partition, with
 * offsets that rise by one.
 */
#include <poll.h>

#include "check.h"

#define N 20000

static char was_reported[N];
static long long next_offset[16], last_sent[16];
static size_t n_reports;

static void take(const kp_report *report)
{
	size_t i = (size_t)(uintptr_t)report->opaque - 1;
	CHECK(report->outcome == KP_PERSISTED && report->error == 0);
	CHECK(i < N && !was_reported[i] && report->partition >= 0 && report->partition < 16);
	CHECK(report->offset == next_offset[report->partition] && (long long)i >= last_sent[report->partition]);
	was_reported[i] = 1;
	next_offset[report->partition] = report->offset + 1;
	last_sent[report->partition] = (long long)i;
	n_reports++;
}

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	CHECK(producer && opaque == was_reported);
	for (size_t i = 0; i < n; i++)
		take(kp_report_at(reports, i));
}

static void send_all(kp_topic *topic)
{
	for (size_t i = 0; i < N; i++) {
		char value[32];
		snprintf(value, sizeof(value), "%zu", i);
		kp_record record = text_record(value, (void *)(uintptr_t)(i + 1));
		CHECK_OK(kp_send(topic, &record));
	}
}

static void drain_queue(kp_producer *producer)
{
	kp_report reports[100] = {{.struct_size = sizeof(kp_report)}};
	struct pollfd fd = {.fd = kp_reports_fd(producer), .events = POLLIN};
	while (n_reports < N) {
		CHECK(poll(&fd, 1, 10000) == 1);
		size_t n = kp_reports_poll(producer, reports, 100, 0);
		for (size_t i = 0; i < n; i++)
			take(&reports[i]);
	}
	CHECK(kp_reports_poll(producer, reports, 100, 0) == 0 && poll(&fd, 1, 0) == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc == 4);
	int is_queue = !strcmp(argv[3], "queue");
	kp_config *config = config_for(argv[1], NULL);
	if (is_queue)
		kp_config_use_report_queue(config);
	else
		kp_config_set_report_cb(config, on_reports, was_reported);
	kp_producer *producer = producer_for(config, NULL);
	CHECK((kp_reports_fd(producer) >= 0) == is_queue);
	send_all(kp_topic_open(producer, argv[2]));
	if (is_queue)
		drain_queue(producer);
	uint64_t left = 1;
	CHECK_OK(kp_close(producer, 10000, &left));
	kp_counters counters = counters_of(producer);
	CHECK(left == 0 && n_reports == N && counters.accepted == N && counters.persisted == N && counters.queued_records == 0);
	kp_record late = text_record("late", NULL);
	CHECK(kp_send(kp_topic_open(producer, argv[2]), &late) == KP_ERR_CLOSED);
	kp_producer_free(producer);
	return 0;
}
