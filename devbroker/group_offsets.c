/*
 * group_offsets.c - see group_offsets.h.
 */
#include "devbroker/group_offsets.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "kproducer/error.h"

void kp_db_groups_init(kp_db_groups *g)
{
	*g = (kp_db_groups){0};
	kp_map_init(&g->by_name);
}

kp_db_group *kp_db_group_find(const kp_db *db, kp_slice name)
{
	return kp_map_get(&db->groups.by_name, name);
}

/* One more thing with so much text. False: the bound is met. */
static bool take_room(kp_db_groups *g, size_t text)
{
	if (g->n >= KP_DB_OFFSETS_MAX || text > KP_DB_OFFSETS_TEXT_MAX - g->text)
		return false;
	g->n++;
	g->text += text;
	return true;
}

static void give_room(kp_db_groups *g, size_t text)
{
	g->n--;
	g->text -= text;
}

kp_db_group *kp_db_group_get(kp_db *db, kp_slice name)
{
	kp_db_group *g = kp_db_group_find(db, name);
	if (g)
		return g;
	if (!take_room(&db->groups, name.len))
		return NULL;
	g = kp_mem_calloc(1, sizeof(*g) + name.len);
	if (g) {
		kp_map_init(&g->by_key);
		kp_list_init(&g->offsets);
		kp_list_init(&g->pending);
		g->len = name.len;
		if (name.len)
			memcpy(g->name, name.ptr, name.len);
	}
	if (g && !kp_map_put(&db->groups.by_name, kp_slice_of(g->name, g->len), g))
		return g;
	kp_mem_free(g);
	give_room(&db->groups, name.len);
	return NULL;
}

static void make_key(uint8_t key[KP_DB_OFFSET_KEY_SIZE], const kp_db_partition *p)
{
	memcpy(key, p->topic->id.bytes, sizeof(p->topic->id.bytes));
	kp_store_be32(key + 16, (uint32_t)p->index);
}

static kp_slice key_of(const kp_db_offset *o)
{
	return kp_slice_of(o->key, sizeof(o->key));
}

kp_db_offset *kp_db_offset_find(const kp_db_group *g, const kp_db_partition *p)
{
	uint8_t key[KP_DB_OFFSET_KEY_SIZE];
	make_key(key, p);
	return kp_map_get(&g->by_key, kp_slice_of(key, sizeof(key)));
}

kp_db_partition *kp_db_offset_partition(const kp_db *db, const kp_db_offset *o)
{
	kp_uuid id;
	memcpy(id.bytes, o->key, sizeof(id.bytes));
	const kp_db_topic *t = kp_db_topic_by_id(&db->cluster, &id);
	return t ? kp_db_partition_of(t, (int32_t)kp_load_be32(o->key + 16)) : NULL;
}

static int offset_get(kp_db *db, kp_db_group *g, const kp_db_partition *p, kp_db_offset **out)
{
	kp_db_offset *o = *out = kp_db_offset_find(g, p);
	if (o)
		return 0;
	if (!take_room(&db->groups, 0))
		return KP_ERR_INVALID_COMMIT_OFFSET_SIZE;
	o = kp_mem_calloc(1, sizeof(*o));
	if (o) {
		o->group = g;
		make_key(o->key, p);
	}
	if (!o || kp_map_put(&g->by_key, key_of(o), o)) {
		kp_mem_free(o);
		give_room(&db->groups, 0);
		return KP_ERR_NO_MEMORY;
	}
	kp_list_push_back(&g->offsets, &o->in_group);
	*out = o;
	return 0;
}

static void value_free(kp_db *db, kp_db_offset_value *v)
{
	db->groups.text -= v->metadata.len;
	kp_mem_free((void *)(uintptr_t)v->metadata.ptr);
	v->metadata = kp_slice_of(NULL, 0);
}

/* It goes when nothing is left of it. */
static void offset_release(kp_db *db, kp_db_offset *o)
{
	if (o->is_committed || o->n_pending)
		return;
	kp_map_remove(&o->group->by_key, key_of(o));
	kp_list_remove(&o->in_group);
	give_room(&db->groups, 0);
	kp_mem_free(o);
}

static void pending_free(kp_db *db, kp_db_pending *p)
{
	kp_list_remove(&p->in_txn);
	kp_list_remove(&p->in_group);
	p->of->n_pending--;
	value_free(db, &p->value);
	give_room(&db->groups, 0);
	offset_release(db, p->of);
	kp_mem_free(p);
}

static kp_db_pending *pending_of(kp_list *n)
{
	return KP_CONTAINER_OF(n, kp_db_pending, in_txn);
}

static void group_free(kp_db *db, kp_db_group *g)
{
	for (kp_list *n; (n = kp_list_first(&g->pending));)
		pending_free(db, KP_CONTAINER_OF(n, kp_db_pending, in_group));
	for (kp_list *n; (n = kp_list_first(&g->offsets));) {
		kp_db_offset *o = KP_CONTAINER_OF(n, kp_db_offset, in_group);
		o->is_committed = false;
		value_free(db, &o->value);
		offset_release(db, o);
	}
	kp_map_deinit(&g->by_key);
	kp_mem_free(g);
}

void kp_db_groups_deinit(kp_db *db)
{
	size_t it = 0;
	for (kp_db_group *g; (g = kp_map_next(&db->groups.by_name, &it));)
		group_free(db, g);
	kp_map_deinit(&db->groups.by_name);
}

/* A copy that owns its metadata. */
static int value_copy(kp_db *db, kp_db_offset_value *to, const kp_db_offset_value *from)
{
	size_t len = from->metadata.len;
	if (len > KP_DB_OFFSETS_TEXT_MAX - db->groups.text)
		return KP_ERR_INVALID_COMMIT_OFFSET_SIZE;
	uint8_t *copy = len ? kp_mem_alloc(len) : NULL;
	if (len && !copy)
		return KP_ERR_NO_MEMORY;
	if (len)
		memcpy(copy, from->metadata.ptr, len);
	*to = *from;
	to->metadata = kp_slice_of(copy, len);
	if (!to->sequence)
		to->sequence = ++db->groups.sequence;
	db->groups.text += len;
	return 0;
}

/* The value counts from now on, once it is noted. It is taken, on success. */
static int set_committed(kp_db *db, kp_db_offset *o, kp_db_offset_value *v, bool is_noted)
{
	int err = is_noted ? 0 : kp_db_offset_note(db, o, v);
	if (err)
		return err;
	value_free(db, &o->value);
	o->value = *v;
	o->is_committed = true;
	v->metadata = kp_slice_of(NULL, 0);
	return 0;
}

static int commit(kp_db *db, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v, bool is_noted)
{
	kp_db_offset_value copy;
	kp_db_offset *o;
	int err = offset_get(db, g, p, &o);
	if (err)
		return err;
	err = value_copy(db, &copy, v);
	if (!err) {
		err = set_committed(db, o, &copy, is_noted);
		value_free(db, &copy);
	}
	offset_release(db, o);
	return err;
}

int kp_db_offset_commit(kp_db *db, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v)
{
	return commit(db, g, p, v, false);
}

int kp_db_offset_put(kp_db *db, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v)
{
	return commit(db, g, p, v, true);
}

static int pending_new(kp_db *db, const kp_db_offset_value *v, kp_db_pending **out)
{
	if (!take_room(&db->groups, 0))
		return KP_ERR_INVALID_COMMIT_OFFSET_SIZE;
	kp_db_pending *n = kp_mem_calloc(1, sizeof(*n));
	int err = n ? value_copy(db, &n->value, v) : KP_ERR_NO_MEMORY;
	if (err) {
		give_room(&db->groups, 0);
		kp_mem_free(n);
		return err;
	}
	*out = n;
	return 0;
}

int kp_db_offset_pend(kp_db *db, kp_db_txn *t, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v)
{
	kp_db_offset *o;
	kp_db_pending *n;
	int err = offset_get(db, g, p, &o);
	if (err)
		return err;
	err = pending_new(db, v, &n);
	if (err) {
		offset_release(db, o);
		return err;
	}
	n->is_new = true;
	n->txn = t;
	n->of = o;
	o->n_pending++;
	kp_list_push_back(&t->pending, &n->in_txn);
	kp_list_push_back(&g->pending, &n->in_group);
	return 0;
}

/* An earlier one of the same transaction and partition, or NULL. */
static kp_db_pending *earlier(kp_db_txn *t, const kp_db_pending *than)
{
	if (than->of->n_pending < 2)
		return NULL;
	for (kp_list *n = t->pending.next; n != &than->in_txn; n = n->next)
		if (pending_of(n)->of == than->of)
			return pending_of(n);
	return NULL;
}

int kp_db_offsets_settle(kp_db *db, kp_db_txn *t, int err)
{
	if (!err)
		err = kp_db_txn_note(db, t);
	for (kp_list *n = t->pending.next, *next; n != &t->pending; n = next) {
		kp_db_pending *p = pending_of(n);
		next = n->next;
		if (!p->is_new)
			continue;
		p->is_new = false;
		kp_db_pending *out = err ? p : earlier(t, p);
		if (out)
			pending_free(db, out);
	}
	return err;
}

kp_db_txn *kp_db_offsets_txn_of(const kp_db_group *g, int64_t producer_id, int16_t epoch)
{
	for (const kp_list *n = g->pending.next; n != &g->pending; n = n->next) {
		kp_db_txn *t = KP_CONTAINER_OF(n, const kp_db_pending, in_group)->txn;
		if (t->meta.producer_id == producer_id && t->meta.epoch == epoch && t->meta.state == KP_DB_TXN_ONGOING)
			return t;
	}
	return NULL;
}

int kp_db_offsets_decide(kp_db *db, kp_db_txn *t, kp_slice group, bool is_commit)
{
	for (kp_list *n = t->pending.next, *next; n != &t->pending; n = next) {
		kp_db_pending *p = pending_of(n);
		const kp_db_group *g = p->of->group;
		next = n->next;
		if (!kp_slice_equal(group, kp_slice_of(g->name, g->len)))
			continue;
		bool is_later = !p->of->is_committed || p->value.sequence > p->of->value.sequence;
		int err = is_commit && is_later ? set_committed(db, p->of, &p->value, false) : 0;
		if (err)
			return err;
		pending_free(db, p);
	}
	return 0;
}

static void forget_pending(kp_db *db, kp_db_group *g, const kp_db_topic *topic)
{
	for (kp_list *n = g->pending.next, *next; n != &g->pending; n = next) {
		kp_db_pending *p = KP_CONTAINER_OF(n, kp_db_pending, in_group);
		next = n->next;
		if (!memcmp(p->of->key, topic->id.bytes, sizeof(topic->id.bytes)))
			pending_free(db, p);
	}
}

static void forget_committed(kp_db *db, kp_db_group *g, const kp_db_topic *topic)
{
	for (kp_list *n = g->offsets.next, *next; n != &g->offsets; n = next) {
		kp_db_offset *o = KP_CONTAINER_OF(n, kp_db_offset, in_group);
		next = n->next;
		if (memcmp(o->key, topic->id.bytes, sizeof(topic->id.bytes)) != 0)
			continue;
		(void)!kp_db_offset_note(db, o, NULL); /* else it is left out by the next start */
		o->is_committed = false;
		value_free(db, &o->value);
		offset_release(db, o);
	}
}

void kp_db_offsets_forget_topic(kp_db *db, const kp_db_topic *topic)
{
	size_t it = 0;
	for (kp_db_group *g; (g = kp_map_next(&db->groups.by_name, &it));) {
		forget_pending(db, g, topic);
		forget_committed(db, g, topic);
	}
}
