/*
 * every_deadline SERVERS TOPIC [PID]: no answer comes from SERVERS, or from the moment on at which the broker PID is stopped here. Flush,
 * synchronous send, report, blocked send and close each end within a second of their deadline, and each record is reported once.
 */
#include <signal.h>
#include <sys/types.h>

#include "check.h"

#define MAX_RECORDS 1000
#define N 20
#define BLOCK_MS 400
#define CALL_MS 300
#define DELIVERY_MS 1500
#define EARLY_MS 20
#define SLACK_MS 1000

typedef struct sent {
	long long sent_ms, reported_ms;
	int n_reports, error;
	kp_outcome outcome;
} sent;

/* Written by the runtime's thread; read when the counters, or the close, say that it is done with them. */
static sent records[MAX_RECORDS];
static char value[1000];
static size_t n_sent;

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *report = kp_report_at(reports, i);
		sent *record = report->opaque;
		record->reported_ms = now_ms();
		record->n_reports++;
		record->error = report->error;
		record->outcome = report->outcome;
	}
}

static int send_one(kp_topic *topic)
{
	kp_record record = KP_RECORD_INIT;
	CHECK(n_sent < MAX_RECORDS);
	record.value = value;
	record.value_len = sizeof(value);
	record.opaque = &records[n_sent];
	records[n_sent].sent_ms = now_ms();
	int error = kp_send(topic, &record);
	n_sent += !error;
	return error;
}

static void ends_in_time(const char *what, long long start, long long ms)
{
	long long spent = now_ms() - start;
	int is_in_time = spent >= ms - EARLY_MS && spent <= ms + SLACK_MS;
	if (!is_in_time)
		fprintf(stderr, "%s took %lld ms instead of %lld\n", what, spent, ms);
	CHECK(is_in_time);
}

static void await_all_ended(kp_producer *producer)
{
	struct timespec pause = {.tv_nsec = 1000000};
	for (long long deadline = now_ms() + 10000; counters_of(producer).queued_records; nanosleep(&pause, NULL))
		CHECK(now_ms() < deadline);
}

static void check_reported_by_delivery_timeout(void)
{
	for (size_t i = 0; i < n_sent; i++) {
		long long spent = records[i].reported_ms - records[i].sent_ms;
		CHECK(records[i].n_reports == 1 && records[i].error == KP_ERR_DELIVERY_TIMEOUT);
		CHECK(records[i].outcome == KP_NOT_PERSISTED || records[i].outcome == KP_UNKNOWN);
		CHECK(spent >= DELIVERY_MS - EARLY_MS && spent <= DELIVERY_MS + SLACK_MS);
	}
}

int main(int argc, char **argv)
{
	CHECK(argc == 3 || argc == 4);
	kp_config *config = config_for(argv[1], (const char *[]){"buffer.memory", "400000", "batch.size", "10000", "linger.ms", "0",
	                                                         "max.block.ms", "400", "request.timeout.ms", "1000",
	                                                         "delivery.timeout.ms", "1500", "log_level", "0", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	kp_record alone = text_record("alone", NULL);
	CHECK(topic);
	if (argc == 4) {
		int error;
		for (long long deadline = now_ms() + 20000; (error = kp_send_sync(topic, &alone, 10000, NULL));)
			CHECK(error == KP_ERR_DELIVERY_TIMEOUT && now_ms() < deadline); /* a topic that is being created */
		CHECK(!kill((pid_t)strtol(argv[3], NULL, 10), SIGSTOP));
	}

	for (int i = 0; i < N; i++)
		CHECK_OK(send_one(topic));
	long long start = now_ms();
	CHECK(kp_flush(producer, CALL_MS) == KP_ERR_TIMED_OUT);
	ends_in_time("kp_flush", start, CALL_MS);
	start = now_ms();
	CHECK(kp_send_sync(topic, &alone, CALL_MS, NULL) == KP_ERR_TIMED_OUT);
	ends_in_time("kp_send_sync", start, CALL_MS);
	await_all_ended(producer);
	check_reported_by_delivery_timeout();
	start = now_ms();
	CHECK(kp_send_sync(topic, &alone, 10000, NULL) == KP_ERR_DELIVERY_TIMEOUT);
	ends_in_time("kp_send_sync with time enough", start, DELIVERY_MS);

	size_t n_before = n_sent;
	int error = 0;
	while (!error) {
		start = now_ms();
		error = send_one(topic);
	}
	CHECK(error == KP_ERR_QUEUE_FULL && n_sent > n_before + 10);
	ends_in_time("kp_send", start, BLOCK_MS);

	uint64_t left = 0, n_closed = 0;
	start = now_ms();
	CHECK(kp_close(producer, CALL_MS, &left) == KP_ERR_TIMED_OUT);
	ends_in_time("kp_close", start, CALL_MS);
	for (size_t i = n_before; i < n_sent; i++) {
		CHECK(records[i].n_reports == 1 && records[i].outcome != KP_PERSISTED);
		n_closed += records[i].error == KP_ERR_CLOSED;
	}
	CHECK(left == n_closed && n_closed == n_sent - n_before);
	kp_producer_free(producer);
	return 0;
}
