/*
 * api_offset_commit.c - OffsetCommit, by whoever is no member of a group: here nobody is.
 */
#include "devbroker/offset_items.h"
#include "kproducer/error.h"
#include "wire/msg_offset_commit.h"

#define BY_ID_SINCE 10
#define GROUP_NOT_FOUND_SINCE 9

typedef kp_offset_commit_request request_t;

static int collect(kp_db_ctx *ctx, const request_t *q, kp_db_offset_items *l)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	bool by_id = ctx->to.api_version >= BY_ID_SINCE;
	size_t n = 0;
	for (int32_t i = 0; i < q->topics.n; i++)
		n += (size_t)q->topics.items[i].partitions.n;
	if (kp_db_offset_items_init(l, ctx, n))
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_offset_commit_request_topic *t = &q->topics.items[i];
		const kp_db_topic *topic = by_id ? kp_db_topic_by_id(c, &t->topic_id) : kp_db_topic_by_name(c, t->name);
		for (int32_t j = 0; j < t->partitions.n; j++) {
			const kp_offset_commit_request_partition *p = &t->partitions.items[j];
			kp_db_offset_item item = {.topic = i, .index = p->partition_index};
			item.topic_name = by_id && topic ? kp_slice_cstr(topic->name) : t->name;
			item.value = (kp_db_offset_value){
				.offset = p->committed_offset,
				.leader_epoch = ctx->to.api_version >= 6 ? p->committed_leader_epoch : -1,
				.metadata = p->committed_metadata,
			};
			kp_db_offset_item_add(l, topic, &item, by_id ? KP_ERR_UNKNOWN_TOPIC_ID : KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
		}
	}
	return 0;
}

static int16_t commit(kp_db_offset_items *l, const request_t *q)
{
	kp_db_ctx *ctx = l->ctx;
	if (!kp_db_is_coordinator(ctx, KP_DB_COORDINATOR_GROUP, q->group_id))
		return KP_ERR_NOT_COORDINATOR;
	kp_db_group *g = kp_db_group_find(ctx->db, q->group_id);
	if (q->generation_id_or_member_epoch >= 0 && g)
		return KP_ERR_UNKNOWN_MEMBER_ID;
	if (q->generation_id_or_member_epoch >= 0)
		return ctx->to.api_version >= GROUP_NOT_FOUND_SINCE ? KP_ERR_GROUP_ID_NOT_FOUND : KP_ERR_ILLEGAL_GENERATION;
	g = kp_db_group_get(ctx->db, q->group_id);
	return g ? kp_db_offset_items_commit(l, g, NULL) : KP_ERR_INVALID_COMMIT_OFFSET_SIZE;
}

/* Into the answer of the topic that the item belongs to, which begins with its first one. `places`: of the request's topics, or -1. */
static int answer_item(kp_db_ctx *ctx, const request_t *q, const kp_db_offset_item *i, int32_t *places,
                       kp_offset_commit_response *r)
{
	int32_t *place = &places[i->topic];
	if (*place < 0) {
		size_t n = (size_t)q->topics.items[i->topic].partitions.n;
		*place = r->topics.n++;
		kp_offset_commit_response_topic *t = &r->topics.items[*place];
		t->name = i->topic_name;
		t->topic_id = q->topics.items[i->topic].topic_id;
		t->partitions.items = kp_db_items(ctx, &kp_offset_commit_response_partition_schema, n);
		if (!t->partitions.items)
			return KP_ERR_NO_MEMORY;
	}
	kp_offset_commit_response_topic *t = &r->topics.items[*place];
	t->partitions.items[t->partitions.n++] = (kp_offset_commit_response_partition){i->index, i->code};
	return 0;
}

static int answer(const kp_db_offset_items *l, const request_t *q, kp_offset_commit_response *r)
{
	size_t n = (size_t)q->topics.n;
	int32_t *places = kp_arena_alloc(&l->ctx->db->arena, n * sizeof(*places));
	r->topics.items = kp_db_items(l->ctx, &kp_offset_commit_response_topic_schema, n);
	if (!places || !r->topics.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		places[i] = -1;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < l->n; i++)
			if (l->all[i].is_refused == (pass == 0) && answer_item(l->ctx, q, &l->all[i], places, r))
				return KP_ERR_NO_MEMORY;
	return kp_db_reply(l->ctx, r);
}

int kp_db_api_offset_commit(kp_db_ctx *ctx, const void *request)
{
	kp_offset_commit_response r;
	kp_db_offset_items l;
	kp_wire_init(&kp_offset_commit_response_schema, &r, 1);
	if (collect(ctx, request, &l))
		return KP_ERR_NO_MEMORY;
	int16_t code = l.n_open ? commit(&l, request) : 0;
	if (code)
		kp_db_offset_items_fail(&l, code);
	return answer(&l, request, &r);
}
