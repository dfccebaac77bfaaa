/*
 * api_offset_fetch.c - OffsetFetch: what groups have committed. require_stable: not while a transaction that is not decided holds an
 * offset of the partition (KIP-447).
 */
#include <limits.h>

#include "base/bytes.h"
#include "devbroker/group_offsets.h"
#include "kproducer/error.h"
#include "wire/msg_offset_fetch.h"

#define GROUPS_SINCE 8
#define BY_ID_SINCE 10
#define TOP_ERROR_SINCE 2 /* below, a group's error stands at each of its partitions */

typedef kp_offset_fetch_request_group request_group;
typedef kp_offset_fetch_response_group response_group;
typedef kp_offset_fetch_response_group_topic response_topic;
typedef kp_offset_fetch_response_group_partition response_partition;

/* One group of a request. */
typedef struct fetch {
	kp_db_ctx *ctx;
	const request_group *request;
	response_group *answer;
	const kp_db_group *group; /* or NULL */
	bool require_stable;
	int16_t code; /* of every partition, when the version has no place for it at the top */
} fetch;

static response_partition none(int32_t index, int16_t code)
{
	return (response_partition){index, -1, -1, kp_slice_of("", 0), code};
}

static response_partition partition_of(const fetch *f, int32_t index, const kp_db_offset *o)
{
	if (!o)
		return none(index, 0);
	if (f->require_stable && o->n_pending)
		return none(index, KP_ERR_UNSTABLE_OFFSET_COMMIT);
	if (!o->is_committed)
		return none(index, 0);
	kp_slice metadata = o->value.metadata.len ? kp_db_copy(f->ctx, o->value.metadata) : kp_slice_of("", 0);
	return (response_partition){index, o->value.offset, o->value.leader_epoch, metadata, 0};
}

static int named_topic(fetch *f, const kp_offset_fetch_request_group_topic *q, response_topic *a)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	bool by_id = f->ctx->to.api_version >= BY_ID_SINCE;
	const kp_db_topic *t = by_id ? kp_db_topic_by_id(c, &q->topic_id) : kp_db_topic_by_name(c, q->name);
	size_t n = (size_t)q->partition_indexes.n;
	a->name = q->name;
	a->topic_id = q->topic_id;
	a->partitions.items = kp_db_items(f->ctx, &kp_offset_fetch_response_group_partition_schema, n);
	if (!a->partitions.items)
		return KP_ERR_NO_MEMORY;
	a->partitions.n = q->partition_indexes.n;
	for (size_t i = 0; i < n; i++) {
		int32_t index = q->partition_indexes.items[i];
		const kp_db_partition *p = t ? kp_db_partition_of(t, index) : NULL;
		int16_t code = f->code;
		if (!code)
			code = kp_db_error_for(f->ctx, t ? kp_slice_cstr(t->name) : q->name, index);
		if (!code && by_id && !t)
			code = KP_ERR_UNKNOWN_TOPIC_ID;
		a->partitions.items[i] = code ? none(index, code)
		                              : partition_of(f, index, p && f->group ? kp_db_offset_find(f->group, p) : NULL);
	}
	return 0;
}

static int named_topics(fetch *f)
{
	size_t n = (size_t)f->request->topics.n;
	f->answer->topics.items = kp_db_items(f->ctx, &kp_offset_fetch_response_group_topic_schema, n);
	if (!f->answer->topics.items)
		return KP_ERR_NO_MEMORY;
	/* Topics that nobody knows by this id come last. */
	for (int is_unknown = 0; is_unknown < 2; is_unknown++)
		for (size_t i = 0; i < n; i++) {
			const kp_offset_fetch_request_group_topic *q = &f->request->topics.items[i];
			bool is_known = f->ctx->to.api_version < BY_ID_SINCE ||
			                kp_db_topic_by_id(&f->ctx->db->cluster, &q->topic_id);
			if (is_known == is_unknown)
				continue;
			if (named_topic(f, q, &f->answer->topics.items[f->answer->topics.n++]))
				return KP_ERR_NO_MEMORY;
		}
	return 0;
}

/* Everything that the group has committed, by topics and in their order. */
static int all_topics(fetch *f)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	if (!f->group)
		return 0;
	f->answer->topics.items = kp_db_items(f->ctx, &kp_offset_fetch_response_group_topic_schema, f->group->by_key.n);
	if (!f->answer->topics.items)
		return KP_ERR_NO_MEMORY;
	for (const kp_list *n = c->topics.next; f->group->by_key.n && n != &c->topics; n = n->next) {
		const kp_db_topic *t = KP_CONTAINER_OF(n, const kp_db_topic, in_order);
		response_topic *a = NULL;
		for (int32_t i = 0; i < t->n_partitions; i++) {
			const kp_db_offset *o = kp_db_offset_find(f->group, t->partitions[i]);
			if (!o || !o->is_committed)
				continue;
			if (!a) {
				a = &f->answer->topics.items[f->answer->topics.n++];
				a->name = kp_db_copy(f->ctx, kp_slice_cstr(t->name));
				a->topic_id = t->id;
				a->partitions.items = kp_db_items(f->ctx, &kp_offset_fetch_response_group_partition_schema,
				                                  (size_t)t->n_partitions);
				if (!a->name.ptr || !a->partitions.items)
					return KP_ERR_NO_MEMORY;
			}
			a->partitions.items[a->partitions.n++] = partition_of(f, i, o);
		}
	}
	return 0;
}

static int fetch_group(kp_db_ctx *ctx, const request_group *q, bool require_stable, response_group *a)
{
	fetch f = {ctx, q, a, kp_db_group_find(ctx->db, q->group_id), require_stable, 0};
	a->group_id = q->group_id;
	a->topics.n = 0;
	if (!kp_db_is_coordinator(ctx, KP_DB_COORDINATOR_GROUP, q->group_id)) {
		f.code = KP_ERR_NOT_COORDINATOR;
		if (ctx->to.api_version >= TOP_ERROR_SINCE) {
			a->error_code = f.code;
			return 0;
		}
	}
	return q->topics.n < 0 ? all_topics(&f) : named_topics(&f);
}

/* Versions with one group have it at the top. */
static int fetch_one(kp_db_ctx *ctx, const kp_offset_fetch_request *q, kp_offset_fetch_response *r)
{
	request_group group = {.group_id = q->group_id};
	response_group a;
	size_t n = q->topics.n < 0 ? 0 : (size_t)q->topics.n;
	kp_wire_init(&kp_offset_fetch_response_group_schema, &a, 1);
	group.topics.n = q->topics.n;
	group.topics.items = kp_db_items(ctx, &kp_offset_fetch_request_group_topic_schema, n);
	if (!group.topics.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		group.topics.items[i].name = q->topics.items[i].name;
		group.topics.items[i].partition_indexes.items = q->topics.items[i].partition_indexes.items;
		group.topics.items[i].partition_indexes.n = q->topics.items[i].partition_indexes.n;
	}
	if (fetch_group(ctx, &group, q->require_stable, &a))
		return KP_ERR_NO_MEMORY;
	r->error_code = a.error_code;
	r->topics.n = a.topics.n;
	r->topics.items = kp_db_items(ctx, &kp_offset_fetch_response_topic_schema, (size_t)a.topics.n);
	if (!r->topics.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < a.topics.n; i++) {
		const response_topic *from = &a.topics.items[i];
		kp_offset_fetch_response_topic *to = &r->topics.items[i];
		to->name = from->name;
		to->partitions.n = from->partitions.n;
		to->partitions.items = kp_db_items(ctx, &kp_offset_fetch_response_partition_schema, (size_t)from->partitions.n);
		if (!to->partitions.items)
			return KP_ERR_NO_MEMORY;
		for (int32_t j = 0; j < from->partitions.n; j++) {
			const response_partition *p = &from->partitions.items[j];
			to->partitions.items[j] = (kp_offset_fetch_response_partition){
				p->partition_index, p->committed_offset, p->committed_leader_epoch, p->metadata, p->error_code};
		}
	}
	return 0;
}

int kp_db_api_offset_fetch(kp_db_ctx *ctx, const void *request)
{
	const kp_offset_fetch_request *q = request;
	kp_offset_fetch_response r;
	kp_wire_init(&kp_offset_fetch_response_schema, &r, 1);
	if (ctx->to.api_version < GROUPS_SINCE)
		return fetch_one(ctx, q, &r) ? KP_ERR_NO_MEMORY : kp_db_reply(ctx, &r);
	r.groups.items = kp_db_items(ctx, &kp_offset_fetch_response_group_schema, (size_t)q->groups.n);
	if (!r.groups.items)
		return KP_ERR_NO_MEMORY;
	r.groups.n = q->groups.n;
	for (int32_t i = 0; i < q->groups.n; i++)
		if (fetch_group(ctx, &q->groups.items[i], q->require_stable, &r.groups.items[i]))
			return KP_ERR_NO_MEMORY;
	return kp_db_reply(ctx, &r);
}
