/*
 * deadlines SERVERS TOPIC [PID]: no answer comes from SERVERS, or from the moment on at which the broker PID is stopped here. Every
 * call keeps its deadline, and every record gets its report.
 */
#include <signal.h>
#include <sys/types.h>

#include "check.h"

#define N 100
#define MS 400
#define SLACK_MS 5000 /* for a machine that has other work; what must not be waited for takes longer */

static size_t n_not_persisted, n_unknown;
static int last_error;

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *report = kp_report_at(reports, i);
		CHECK(report->outcome != KP_PERSISTED && report->error && report->value_len == 5 &&
		      !memcmp(report->value, "value", 5));
		*(report->outcome == KP_UNKNOWN ? &n_unknown : &n_not_persisted) += 1;
		last_error = report->error;
	}
}

static void send_some(kp_topic *topic)
{
	kp_record record = text_record("value", NULL);
	for (int i = 0; i < N; i++)
		CHECK_OK(kp_send(topic, &record));
}

static void took(long long start, long long ms)
{
	long long spent = now_ms() - start;
	if (spent < ms - 50 || spent > ms + SLACK_MS)
		fprintf(stderr, "took %lld ms instead of %lld\n", spent, ms);
	CHECK(spent >= ms - 50 && spent <= ms + SLACK_MS);
}

/* Waits until a request is on its way, whose answer will not come. */
static void await_request(kp_producer *producer)
{
	for (long long deadline = now_ms() + 10000; counters_of(producer).requests < 2;)
		CHECK(now_ms() < deadline);
}

int main(int argc, char **argv)
{
	char err[256];
	kp_topic_info *info;
	CHECK(argc >= 3);
	int is_stopped = argc == 4;
	kp_config *config = config_for(argv[1], (const char *[]){"log_level", "0", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	long long start = now_ms();
	kp_producer *producer = producer_for(config, NULL);
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	took(start, 0);
	if (is_stopped) {
		kp_record first = text_record("first", NULL);
		CHECK_OK(kp_send_sync(topic, &first, 10000, NULL));
		CHECK(!kill((pid_t)strtol(argv[3], NULL, 10), SIGSTOP));
	}

	send_some(topic);
	start = now_ms();
	CHECK(kp_flush(producer, MS) == KP_ERR_TIMED_OUT);
	took(start, MS);
	start = now_ms();
	CHECK(kp_partitions_for(producer, "other", MS, &info, err, sizeof(err)) != 0);
	CHECK(now_ms() - start < MS + SLACK_MS && *err);
	if (is_stopped)
		await_request(producer);

	/* What no request carries is certainly not in a log; what one carries may be. */
	CHECK_OK(kp_purge(producer, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT));
	CHECK_OK(kp_flush(producer, MS));
	CHECK(n_unknown + n_not_persisted == N && last_error == KP_ERR_PURGED && (n_unknown == N) == is_stopped);

	uint64_t left = 0;
	send_some(topic);
	start = now_ms();
	CHECK(kp_close(producer, MS, &left) == KP_ERR_TIMED_OUT);
	took(start, MS);
	CHECK(left == N && n_unknown + n_not_persisted == 2 * N && last_error == KP_ERR_CLOSED);
	start = now_ms();
	kp_producer_free(producer);
	took(start, 0);
	return 0;
}
