/*
 * api_delete_topics.c - DeleteTopics, by name or by id. Codes and texts are ControllerApis' of Apache Kafka 4.3.1.
 */
#include "devbroker/group_offsets.h"
#include "devbroker/names.h"
#include "kproducer/error.h"
#include "wire/msg_delete_topics.h"

typedef struct doomed {
	kp_slice name; /* null: by id */
	kp_uuid id;
	kp_slice id_only; /* the id's bytes, null when there is a name or no id */
} doomed;

/* What the request names, and how often. */
typedef struct doomed_list {
	doomed *all;
	int32_t n;
	kp_db_names names, ids;
} doomed_list;

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
	kp_db_offsets_forget_topic(ctx->db, t);
	return (int16_t)kp_db_topic_delete(c, t);
}

/* The request's topics in one form, whatever the version. */
static int collect(kp_db_ctx *ctx, const kp_delete_topics_request *q, doomed_list *l)
{
	bool has_names = ctx->to.api_version < 6;
	l->n = has_names ? q->topic_names.n : q->topics.n;
	l->all = kp_arena_alloc(&ctx->db->arena, (size_t)l->n * sizeof(*l->all));
	for (int32_t i = 0; l->all && i < l->n; i++) {
		doomed *d = &l->all[i];
		d->name = has_names ? q->topic_names.items[i] : q->topics.items[i].name;
		d->id = has_names ? no_id : q->topics.items[i].topic_id;
		d->id_only = !d->name.ptr && has_id(d) ? kp_slice_of(d->id.bytes, sizeof(d->id.bytes)) : kp_slice_null();
	}
	kp_arena *arena = &ctx->db->arena;
	if (!l->all || kp_db_names_init(&l->names, arena, l->all, l->n, sizeof(*l->all), offsetof(doomed, name)))
		return KP_ERR_NO_MEMORY;
	if (!kp_db_names_init(&l->ids, arena, l->all, l->n, sizeof(*l->all), offsetof(doomed, id_only)))
		return 0;
	kp_db_names_deinit(&l->names);
	return KP_ERR_NO_MEMORY;
}

/* One topic of the request; false: it is answered elsewhere. */
static bool answer_topic(kp_db_ctx *ctx, doomed_list *l, const doomed *d, kp_delete_topics_response_topic *a)
{
	kp_db_cluster *c = &ctx->db->cluster;
	kp_db_mention by_name = kp_db_names_take(&l->names, d->name), by_id = kp_db_names_take(&l->ids, d->id_only);
	const kp_db_topic *t = d->name.ptr ? kp_db_topic_by_name(c, d->name) : kp_db_topic_by_id(c, &d->id);
	const char *why = NULL;
	if (by_name == KP_DB_ANSWERED || by_id == KP_DB_ANSWERED)
		return false;
	if (t && d->id_only.ptr && kp_db_names_has(&l->names, kp_slice_cstr(t->name)))
		return false;
	a->name = d->name;
	a->topic_id = d->id;
	a->error_code = KP_ERR_INVALID_REQUEST;
	if (by_name == KP_DB_REPEATED) {
		why = "Duplicate topic name.";
	} else if (by_id == KP_DB_REPEATED) {
		why = "Duplicate topic id.";
	} else if (t && d->name.ptr && !has_id(d) && kp_db_names_has(&l->ids, kp_slice_of(t->id.bytes, sizeof(t->id.bytes)))) {
		a->topic_id = t->id;
		why = "The provided topic name maps to an ID that was already supplied.";
	} else {
		a->error_code = remove_topic(ctx, d, a, &why);
	}
	a->error_message = kp_slice_cstr(why);
	return true;
}

int kp_db_api_delete_topics(kp_db_ctx *ctx, const void *request)
{
	kp_delete_topics_response r;
	doomed_list l;
	if (collect(ctx, request, &l))
		return KP_ERR_NO_MEMORY;
	kp_wire_init(&kp_delete_topics_response_schema, &r, 1);
	r.responses.items = kp_db_items(ctx, &kp_delete_topics_response_topic_schema, (size_t)l.n);
	for (int32_t i = 0; r.responses.items && i < l.n; i++)
		r.responses.n += answer_topic(ctx, &l, &l.all[i], &r.responses.items[r.responses.n]);
	kp_db_names_deinit(&l.names);
	kp_db_names_deinit(&l.ids);
	return r.responses.items ? kp_db_reply(ctx, &r) : KP_ERR_NO_MEMORY;
}
