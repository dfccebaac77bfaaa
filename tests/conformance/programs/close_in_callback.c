/* close_in_callback SERVERS TOPIC: kp_close in a callback stops the producer, returns at once, and every report still comes. */
#include "check.h"

#define N 1000

static size_t n_reports;

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	uint64_t left;
	int is_first = n_reports == 0;
	(void)reports, (void)opaque;
	n_reports += n;
	long long start = now_ms();
	if (is_first)
		(void)kp_close(producer, 30000, &left);
	CHECK(now_ms() - start < 5000);
}

int main(int argc, char **argv)
{
	size_t n_accepted = 0;
	int error = 0;
	CHECK(argc == 3);
	kp_config *config = config_for(argv[1], (const char *[]){"linger.ms", "0", "batch.size", "100", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	while (n_accepted < N && !error) {
		kp_record record = text_record("value", NULL);
		error = kp_send(topic, &record);
		n_accepted += !error;
	}
	CHECK(error == 0 || error == KP_ERR_CLOSED);
	(void)kp_close(producer, 10000, NULL);
	kp_counters c = counters_of(producer);
	CHECK(n_reports == n_accepted && c.accepted == n_accepted && c.persisted + c.not_persisted + c.unknown == n_accepted);
	kp_producer_free(producer);
	return 0;
}
