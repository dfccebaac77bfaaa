/*
 * topic_info.c - Metadata's topics become the application's, in an order of our own.
 */
#include "client/topic_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kproducer/error.h>

#include "base/mem.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const kp_topic_info *)a)->name, ((const kp_topic_info *)b)->name);
}

static int by_number(const void *a, const void *b)
{
	int32_t left = ((const kp_partition_info *)a)->partition, right = ((const kp_partition_info *)b)->partition;
	return (left > right) - (left < right);
}

static int take_info(kp_topic_info *out, const kp_metadata_response_topic *t)
{
	out->struct_size = sizeof(*out);
	snprintf(out->name, sizeof(out->name), "%.*s", (int)t->name.len, t->name.ptr ? (const char *)t->name.ptr : "");
	memcpy(out->id, t->topic_id.bytes, sizeof(out->id));
	out->error = t->error_code;
	out->is_internal = t->is_internal;
	int32_t n = t->partitions.n > 0 ? t->partitions.n : 0;
	out->partitions = kp_mem_calloc((size_t)n + 1, sizeof(*out->partitions));
	if (!out->partitions)
		return KP_ERR_NO_MEMORY;
	out->n_partitions = (size_t)n;
	for (int32_t i = 0; i < n; i++) {
		const kp_metadata_response_partition *p = &t->partitions.items[i];
		out->partitions[i] = (kp_partition_info){.partition = p->partition_index,
		                                         .leader = p->leader_id,
		                                         .leader_epoch = p->leader_epoch,
		                                         .n_replicas = p->replica_nodes.n,
		                                         .n_in_sync = p->isr_nodes.n};
	}
	qsort(out->partitions, out->n_partitions, sizeof(*out->partitions), by_number);
	return KP_OK;
}

int kp_topic_infos_take(kp_topic_infos *out, const kp_metadata_response *answer)
{
	size_t n = answer->topics.n > 0 ? (size_t)answer->topics.n : 0;
	*out = (kp_topic_infos){.items = kp_mem_calloc(n + 1, sizeof(*out->items))};
	if (!out->items)
		return KP_ERR_NO_MEMORY;
	while (out->n < n) {
		size_t i = out->n++;
		int err = take_info(&out->items[i], &answer->topics.items[i]);
		if (err)
			return err;
	}
	qsort(out->items, n, sizeof(*out->items), by_name);
	return KP_OK;
}

void kp_topic_infos_free(kp_topic_info *infos, size_t n)
{
	for (size_t i = 0; infos && i < n; i++)
		kp_mem_free(infos[i].partitions);
	kp_mem_free(infos);
}
