/* admin SERVERS TOPIC: topics from the library. */
#include "check.h"

#define MS 10000

static kp_producer *producer;
static char err[512];

/* 0: there is no such topic. */
static size_t n_partitions(const char *topic)
{
	kp_topic_info *info;
	int error = kp_partitions_for(producer, topic, MS, &info, err, sizeof(err));
	if (error == KP_ERR_UNKNOWN_TOPIC_OR_PARTITION)
		return 0;
	CHECK_OK(error);
	CHECK(!strcmp(info->name, topic) && !info->error);
	size_t n = info->n_partitions;
	for (size_t i = 0; i < n; i++)
		CHECK(info->partitions[i].n_replicas == 1);
	kp_topic_infos_free(info, 1);
	return n;
}

/* A broker may answer from metadata that is a moment old. */
static void await_partitions(const char *topic, size_t wanted)
{
	for (long long deadline = now_ms() + MS; n_partitions(topic) != wanted;)
		CHECK(now_ms() < deadline);
}

static int is_listed(const char *topic)
{
	kp_topic_info *infos;
	size_t n;
	int found = 0;
	CHECK_OK(kp_topics_list(producer, MS, &infos, &n, err, sizeof(err)));
	for (size_t i = 0; i < n; i++)
		found += !strcmp(infos[i].name, topic);
	kp_topic_infos_free(infos, n);
	return found;
}

static int has_config(const char *topic, const char *name, const char *value)
{
	kp_config_entry *entries;
	size_t n;
	int found = 0;
	CHECK_OK(kp_topic_configs(producer, topic, MS, &entries, &n, err, sizeof(err)));
	for (size_t i = 0; i < n; i++)
		found += !strcmp(entries[i].name, name) && entries[i].value && !strcmp(entries[i].value, value) &&
		         !entries[i].is_default;
	kp_config_entries_free(entries, n);
	return found;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	const char *topic = argv[2];
	producer = producer_for(config_for(argv[1], NULL), NULL);
	CHECK(n_partitions(topic) == 0 && !is_listed(topic));
	CHECK_OK(kp_topic_create(producer, topic, 3, 1, (const char *const[]){"retention.ms", "7654321", NULL}, MS, err,
	                         sizeof(err)));
	await_partitions(topic, 3);
	CHECK(is_listed(topic) == 1 && has_config(topic, "retention.ms", "7654321"));
	CHECK(kp_topic_create(producer, topic, 3, 1, NULL, MS, err, sizeof(err)) == KP_ERR_TOPIC_ALREADY_EXISTS && *err);
	CHECK_OK(kp_topic_add_partitions(producer, topic, 5, MS, err, sizeof(err)));
	await_partitions(topic, 5);
	CHECK(kp_topic_add_partitions(producer, topic, 4, MS, err, sizeof(err)) == KP_ERR_INVALID_PARTITIONS);
	CHECK_OK(kp_topic_delete(producer, topic, MS, err, sizeof(err)));
	await_partitions(topic, 0);
	CHECK(kp_topic_delete(producer, topic, MS, err, sizeof(err)) == KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	CHECK(kp_topic_create(producer, "no/name", 1, 1, NULL, MS, err, sizeof(err)) == KP_ERR_INVALID_TOPIC_EXCEPTION);
	CHECK(!kp_topic_open(producer, "no/name"));
	kp_producer_free(producer);
	return 0;
}
