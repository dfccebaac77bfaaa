/*
 * topics_show.c - `topics list` and `topics describe`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/talk.h"
#include "cli/topics.h"

static void print_id(const uint8_t id[16], char out[37])
{
	size_t at = 0;
	for (int i = 0; i < 16; i++)
		at += (size_t)snprintf(out + at, 37 - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

int topics_list(topics *t)
{
	char err[512] = "";
	kp_topic_info *infos;
	size_t n;
	int error = kp_topics_list(t->session.producer, t->timeout_ms, &infos, &n, err, sizeof(err));
	if (error)
		return cli_session_failed(&t->session, "cannot list the topics", error, err);
	for (size_t i = 0; i < n; i++) {
		const kp_topic_info *info = &infos[i];
		if (info->is_internal && !t->options->internal)
			continue;
		int32_t replicas = info->n_partitions ? info->partitions[0].n_replicas : 0;
		if (!t->options->common.json) {
			printf("%s\t%zu\t%" PRId32 "\n", info->name, info->n_partitions, replicas);
			continue;
		}
		cli_json_open(&t->json, NULL, '{');
		cli_json_text(&t->json, "topic", info->name);
		cli_json_uint(&t->json, "partitions", info->n_partitions);
		cli_json_int(&t->json, "replicas", replicas);
		cli_json_bool(&t->json, "is_internal", info->is_internal);
		cli_json_close(&t->json, '}');
	}
	kp_topic_infos_free(infos, n);
	return CLI_OK;
}

static void print_partitions(topics *t, const kp_topic_info *info)
{
	char leader[16];
	for (size_t i = 0; i < info->n_partitions; i++) {
		const kp_partition_info *p = &info->partitions[i];
		if (!t->options->common.json) {
			snprintf(leader, sizeof(leader), p->leader < 0 ? "none" : "%" PRId32, p->leader);
			printf("  partition %" PRId32 ": leader %s, epoch %" PRId32 ", replicas %" PRId32 ", in sync %" PRId32 "\n",
			       p->partition, leader, p->leader_epoch, p->n_replicas, p->n_in_sync);
			continue;
		}
		cli_json_open(&t->json, NULL, '{');
		cli_json_int(&t->json, "partition", p->partition);
		cli_json_int(&t->json, "leader", p->leader);
		cli_json_int(&t->json, "leader_epoch", p->leader_epoch);
		cli_json_int(&t->json, "replicas", p->n_replicas);
		cli_json_int(&t->json, "in_sync", p->n_in_sync);
		cli_json_close(&t->json, '}');
	}
}

static void print_configs(topics *t, const kp_config_entry *configs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (t->options->common.json)
			cli_json_text(&t->json, configs[i].name, configs[i].value);
		else if (!configs[i].is_default)
			printf("  %s=%s\n", configs[i].name, configs[i].value ? configs[i].value : "(sensitive)");
	}
}

static void print_topic(topics *t, const kp_topic_info *info, const kp_config_entry *configs, size_t n_configs)
{
	char id[37];
	print_id(info->id, id);
	if (!t->options->common.json) {
		printf("%s: %zu partition%s, id %s%s\n", info->name, info->n_partitions, info->n_partitions == 1 ? "" : "s", id,
		       info->is_internal ? ", internal" : "");
		print_partitions(t, info);
		print_configs(t, configs, n_configs);
		return;
	}
	cli_json_open(&t->json, NULL, '{');
	cli_json_text(&t->json, "topic", info->name);
	cli_json_text(&t->json, "id", id);
	cli_json_bool(&t->json, "is_internal", info->is_internal);
	cli_json_open(&t->json, "partitions", '[');
	print_partitions(t, info);
	cli_json_close(&t->json, ']');
	cli_json_open(&t->json, "configs", '{');
	print_configs(t, configs, n_configs);
	cli_json_close(&t->json, '}');
	cli_json_close(&t->json, '}');
}

int topics_describe(topics *t, const char *topic)
{
	char err[512] = "";
	kp_topic_info *info;
	kp_config_entry *configs = NULL;
	size_t n = 0;
	int error = kp_partitions_for(t->session.producer, topic, t->timeout_ms, &info, err, sizeof(err));
	if (error)
		return topics_done(t, topic, NULL, error, err);
	/* Who may not read the configuration still sees the partitions. */
	error = kp_topic_configs(t->session.producer, topic, t->timeout_ms, &configs, &n, err, sizeof(err));
	if (error)
		cli_error("%s: cannot read its configuration: %s (%s)", topic, kp_error_name(error),
		          *err ? err : kp_error_text(error));
	print_topic(t, info, configs, error ? 0 : n);
	if (!error)
		kp_config_entries_free(configs, n);
	kp_topic_infos_free(info, 1);
	return CLI_OK;
}

int topics_describe_all(topics *t)
{
	char err[512] = "";
	kp_topic_info *infos;
	size_t n;
	int rc = CLI_OK, error = kp_topics_list(t->session.producer, t->timeout_ms, &infos, &n, err, sizeof(err));
	if (error)
		return cli_session_failed(&t->session, "cannot list the topics", error, err);
	for (size_t i = 0; i < n && rc != CLI_UNREACHABLE; i++) {
		if (infos[i].is_internal && !t->options->internal)
			continue;
		int one = topics_describe(t, infos[i].name);
		rc = one == CLI_OK ? rc : one;
	}
	kp_topic_infos_free(infos, n);
	return rc;
}
