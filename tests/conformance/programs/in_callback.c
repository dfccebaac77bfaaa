/*
 * in_callback SERVERS TOPIC: what a callback may call. Nothing blocks there: sending works or says that the buffer is full, whatever
 * would have to wait is refused.
 */
#include "check.h"

#define FOLLOWERS 500

static kp_topic *topic;
static const char *name;
static size_t n_first, n_followers, n_sent;
static int was_full;

static void call_what_blocks(kp_producer *producer)
{
	char err[256];
	kp_topic_info *info;
	kp_config_entry *entries;
	size_t n;
	kp_record record = text_record("never", NULL);
	CHECK(kp_flush(producer, 1000) == KP_ERR_IN_CALLBACK);
	CHECK(kp_send_sync(topic, &record, 1000, NULL) == KP_ERR_IN_CALLBACK);
	CHECK(kp_partitions_for(producer, name, 1000, &info, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
	CHECK(kp_topics_list(producer, 1000, &info, &n, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
	CHECK(kp_topic_create(producer, "never", 1, 1, NULL, 1000, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
	CHECK(kp_topic_add_partitions(producer, name, 9, 1000, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
	CHECK(kp_topic_delete(producer, name, 1000, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
	CHECK(kp_topic_configs(producer, name, 1000, &entries, &n, err, sizeof(err)) == KP_ERR_IN_CALLBACK);
}

static void call_transactions(kp_producer *producer)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	kp_group_metadata group = KP_GROUP_METADATA_INIT;
	group.group_id = "never";
	CHECK(kp_init_transactions(producer, 1000, &err) == KP_ERR_IN_CALLBACK);
	CHECK(kp_begin_transaction(producer, &err) == KP_ERR_IN_CALLBACK);
	CHECK(kp_send_offsets_to_transaction(producer, &group, NULL, 0, 1000, &err) == KP_ERR_IN_CALLBACK);
	CHECK(kp_commit_transaction(producer, 1000, &err) == KP_ERR_IN_CALLBACK);
	CHECK(kp_abort_transaction(producer, 1000, &err) == KP_ERR_IN_CALLBACK);
	CHECK(err.error == KP_ERR_IN_CALLBACK && err.next == KP_TXN_NEXT_OTHER_CALL && strstr(err.text, "another thread"));
}

/* More than buffer.memory holds: kp_send must say so instead of waiting for the thread that it stands on. */
static void send_followers(void)
{
	static char value[1000];
	for (int i = 0; i < FOLLOWERS && !was_full; i++) {
		kp_record record = KP_RECORD_INIT;
		record.value = value;
		record.value_len = sizeof(value);
		int error = kp_send(topic, &record);
		CHECK(error == 0 || error == KP_ERR_QUEUE_FULL);
		was_full = error == KP_ERR_QUEUE_FULL;
		n_sent += !error;
	}
}

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)opaque;
	for (size_t i = 0; i < n; i++) {
		CHECK(kp_report_at(reports, i)->outcome == KP_PERSISTED);
		n_followers += !kp_report_at(reports, i)->opaque;
		if (!kp_report_at(reports, i)->opaque)
			continue;
		n_first++;
		call_what_blocks(producer);
		call_transactions(producer);
		long long start = now_ms();
		send_followers();
		CHECK(now_ms() - start < 5000); /* max.block.ms is a minute */
	}
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	kp_config *config = config_for(argv[1], (const char *[]){"buffer.memory", "100000", "batch.size", "10000", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	name = argv[2];
	topic = kp_topic_open(producer, name);
	kp_record first = text_record("first", producer);
	CHECK_OK(kp_send(topic, &first));
	CHECK_OK(kp_flush(producer, 10000)); /* its report, which sends the others */
	CHECK_OK(kp_close(producer, 10000, NULL));
	CHECK(n_first == 1 && was_full && n_sent > 10 && n_followers == n_sent);
	kp_producer_free(producer);
	return 0;
}
