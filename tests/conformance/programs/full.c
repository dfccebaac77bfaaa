/* full SERVERS TOPIC: nobody answers, so buffer.memory fills up: what kp_send does then, by queue.full.policy and max.block.ms. */
#include "check.h"

static char value[1000];
static size_t n_evicted, n_reports;

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		CHECK(kp_report_at(reports, i)->outcome == KP_NOT_PERSISTED);
		n_evicted += kp_report_at(reports, i)->error == KP_ERR_QUEUE_EVICTED;
	}
	n_reports += n;
}

/* Sends until one is refused, at most n; how many were accepted. */
static size_t fill(kp_topic *topic, size_t n, int *error, long long *last_ms)
{
	for (size_t i = 0; i < n; i++) {
		kp_record record = KP_RECORD_INIT;
		record.value = value;
		record.value_len = sizeof(value);
		long long start = now_ms();
		*error = kp_send(topic, &record);
		*last_ms = now_ms() - start;
		if (*error)
			return i;
	}
	return n;
}

static void try_policy(const char *servers, const char *name, const char *policy, const char *property, const char *bound)
{
	int error;
	long long last_ms;
	n_reports = n_evicted = 0;
	const char *block_ms = !strcmp(policy, "block") ? "300" : "60000";
	kp_config *config = config_for(servers, (const char *[]){"queue.full.policy", policy, "max.block.ms", block_ms,
	                                                         "batch.size", "10000", property, bound, "log_level", "0", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	size_t n = fill(kp_topic_open(producer, name), 1000, &error, &last_ms);
	if (!strcmp(policy, "drop_oldest")) {
		CHECK(n == 1000 && !error);
	} else {
		CHECK(n > 10 && n < 200 && error == KP_ERR_QUEUE_FULL);
		CHECK(last_ms < 5000 && (last_ms >= 290 || strcmp(policy, "block")));
	}
	kp_counters c = counters_of(producer);
	CHECK(c.accepted == n && c.queued_bytes <= 300000);
	(void)kp_close(producer, 0, NULL);
	CHECK(n_reports == n && (n_evicted > 700) == !strcmp(policy, "drop_oldest"));
	kp_producer_free(producer);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	const char *const policies[] = {"block", "refuse", "drop_oldest"};
	for (int i = 0; i < 3; i++)
		try_policy(argv[1], argv[2], policies[i], "buffer.memory", "200000");
	try_policy(argv[1], argv[2], "refuse", "queue.buffering.max.messages", "100");
	return 0;
}
