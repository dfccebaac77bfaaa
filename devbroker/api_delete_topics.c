/*
 * api_delete_topics.c - DeleteTopics, by name or by id. Codes and texts are ControllerApis' of Apache Kafka 4.3.1.
 */
#include "devbroker/internal.h"
#include "devbroker/names.h"
#include "kproducer/error.h"
#include "wire/msg_delete_topics.h"

typedef struct doomed {
	kp_slice name; /* null: by id */
	kp_uuid id;
} doomed;

static const kp_uuid no_id;

static bool has_id(const doomed *d)
{
	return memcmp(&d->id, &no_id, sizeof(no_id)) != 0;
}

static int16_t remove_topic(kp_db_ctx *ctx, const doomed *d, kp_delete_topics_response_topic *a, const char **why)
{
	kp_db_cluster *c = &ctx->db->cluster;
	if (d->name.ptr && has_id(d)) {
		*why = "You may not specify both topic name and topic id.";
		return KP_ERR_INVALID_REQUEST;
	}
	if (!d->name.ptr && !has_id(d)) {
		*why = "Neither topic name nor id were specified.";
		return KP_ERR_INVALID_REQUEST;
	}
	kp_db_topic *t = d->name.ptr ? kp_db_topic_by_name(c, d->name) : kp_db_topic_by_id(c, &d->id);
	int16_t fault = kp_db_error_for(ctx, t ? kp_slice_cstr(t->name) : d->name, -1);
	if (fault)
		return fault;
	if (!t) {
		*why = d->name.ptr ? "This server does not host this topic-partition." : "This server does not host this topic ID.";
		return d->name.ptr ? KP_ERR_UNKNOWN_TOPIC_OR_PARTITION : KP_ERR_UNKNOWN_TOPIC_ID;
	}
	a->name = kp_db_copy(ctx, kp_slice_cstr(t->name));
	a->topic_id = t->id;
	return (int16_t)kp_db_topic_delete(c, t);
}

/* The request's topics in one form, whatever the version. NULL when memory is out. */
static doomed *collect(kp_db_ctx *ctx, const kp_delete_topics_request *q, int32_t *n)
{
	bool has_names = ctx->to.api_version < 6;
	*n = has_names ? q->topic_names.n : q->topics.n;
	doomed *all = kp_arena_alloc(&ctx->db->arena, (size_t)*n * sizeof(*all));
	for (int32_t i = 0; all && i < *n; i++) {
		all[i].name = has_names ? q->topic_names.items[i] : q->topics.items[i].name;
		all[i].id = has_names ? no_id : q->topics.items[i].topic_id;
	}
	return all;
}

int kp_db_api_delete_topics(kp_db_ctx *ctx, const void *request)
{
	kp_delete_topics_response r;
	kp_db_names names;
	int32_t n;
	const doomed *all = collect(ctx, request, &n);
	if (!all)
		return KP_ERR_NO_MEMORY;
	kp_wire_init(&kp_delete_topics_response_schema, &r, 1);
	r.responses.items = kp_db_items(ctx, &kp_delete_topics_response_topic_schema, (size_t)n);
	if (!r.responses.items || kp_db_names_init(&names, &ctx->db->arena, all, n, sizeof(*all), offsetof(doomed, name)))
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < n; i++) {
		kp_db_mention mention = kp_db_names_take(&names, all[i].name);
		if (mention == KP_DB_ANSWERED)
			continue;
		kp_delete_topics_response_topic *a = &r.responses.items[r.responses.n++];
		const char *why = NULL;
		a->name = all[i].name;
		a->topic_id = all[i].id;
		if (mention == KP_DB_REPEATED) {
			why = "Duplicate topic name.";
			a->error_code = KP_ERR_INVALID_REQUEST;
		} else {
			a->error_code = remove_topic(ctx, &all[i], a, &why);
		}
		a->error_message = kp_slice_cstr(why);
	}
	kp_db_names_deinit(&names);
	return kp_db_reply(ctx, &r);
}
