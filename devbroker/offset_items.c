/*
 * offset_items.c - see offset_items.h.
 */
#include "devbroker/offset_items.h"

#include "kproducer/error.h"

int kp_db_offset_items_init(kp_db_offset_items *l, kp_db_ctx *ctx, size_t n)
{
	*l = (kp_db_offset_items){.ctx = ctx};
	l->all = n > KP_DB_ARENA_MAX / sizeof(*l->all) ? NULL : kp_arena_alloc(&ctx->db->arena, n * sizeof(*l->all));
	return l->all ? 0 : KP_ERR_NO_MEMORY;
}

void kp_db_offset_item_add(kp_db_offset_items *l, const kp_db_topic *topic, const kp_db_offset_item *item, int16_t unknown)
{
	kp_db_offset_item *i = &l->all[l->n++];
	*i = *item;
	i->partition = topic ? kp_db_partition_of(topic, i->index) : NULL;
	i->code = kp_db_error_for(l->ctx, i->topic_name, i->index);
	if (!i->code && !i->partition)
		i->code = topic ? KP_ERR_UNKNOWN_TOPIC_OR_PARTITION : unknown;
	i->is_refused = i->code != 0;
	l->n_open += !i->is_refused;
}

void kp_db_offset_items_fail(kp_db_offset_items *l, int16_t code)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->all[i].is_refused)
			l->all[i].code = code;
}

static int store(kp_db *db, kp_db_offset_item *i, kp_db_group *g, kp_db_txn *t)
{
	if (i->value.metadata.len > KP_DB_OFFSET_METADATA_MAX) {
		i->code = KP_ERR_OFFSET_METADATA_TOO_LARGE;
		return 0;
	}
	return t ? kp_db_offset_pend(db, t, g, i->partition, &i->value) : kp_db_offset_commit(db, g, i->partition, &i->value);
}

int16_t kp_db_offset_items_commit(kp_db_offset_items *l, kp_db_group *g, kp_db_txn *t)
{
	kp_db *db = l->ctx->db;
	int err = 0;
	for (size_t i = 0; !err && i < l->n; i++)
		if (!l->all[i].is_refused)
			err = store(db, &l->all[i], g, t);
	if (t)
		err = kp_db_offsets_settle(db, t, err);
	for (size_t i = 0; !err && i < l->n; i++)
		if (!l->all[i].code)
			l->all[i].code = kp_db_error_after(l->ctx, l->all[i].topic_name, l->all[i].index);
	if (err)
		return err == KP_ERR_INVALID_COMMIT_OFFSET_SIZE ? KP_ERR_INVALID_COMMIT_OFFSET_SIZE
		                                                : KP_ERR_COORDINATOR_NOT_AVAILABLE;
	return 0;
}
