/* fields SERVERS TOPIC: every field of a record, null and empty kept apart. The reports are printed: partition offset timestamp. */
#include "check.h"

static void send(kp_topic *topic, kp_record record)
{
	kp_report report = {.struct_size = sizeof(report)};
	CHECK_OK(kp_send_sync(topic, &record, 10000, &report));
	CHECK(report.outcome == KP_PERSISTED && report.stage == KP_STAGE_DONE && report.attempts >= 1);
	CHECK(report.opaque == record.opaque && !strcmp(report.topic, kp_topic_name(topic)));
	printf("%d %lld %lld\n", (int)report.partition, (long long)report.offset, (long long)report.timestamp_ms);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	kp_producer *producer = producer_for(config_for(argv[1], NULL), NULL);
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	const kp_header headers[] = {{"trace", "\0\1\2", 3}, {"empty", "", 0}, {"null", NULL, 0}, {"trace", "again", 5}};
	kp_record all = text_record("value", &all);
	all.key = "key\0with nul";
	all.key_len = 12;
	all.headers = headers;
	all.n_headers = 4;
	all.timestamp_ms = 1234567890123;
	all.partition = 1;
	send(topic, all);

	kp_record null_value = text_record("", NULL);
	null_value.key = "k";
	null_value.key_len = 1;
	null_value.value = NULL;
	null_value.partition = 0;
	send(topic, null_value);

	kp_record empty = text_record("", NULL);
	empty.key = "";
	empty.partition = 0;
	send(topic, empty);

	kp_record nothing = text_record("", NULL);
	nothing.value = NULL;
	nothing.timestamp_ms = 0;
	nothing.partition = 0;
	send(topic, nothing);
	kp_producer_free(producer);
	return 0;
}
