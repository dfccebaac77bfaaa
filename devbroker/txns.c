/*
 * txns.c - the coordinator's table and the requests. See txns.h.
 */
#include "devbroker/txns.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/restore.h"
#include "kproducer/error.h"

void kp_db_txns_init(kp_db_txns *x)
{
	*x = (kp_db_txns){.deadline_us = KP_TIME_NEVER};
	kp_map_init(&x->by_name);
	kp_list_init(&x->ongoing);
	kp_list_init(&x->ending);
}

static void txn_free(kp_db *db, kp_db_txn *t)
{
	for (kp_list *n; (n = kp_list_first(&t->members));)
		kp_db_txn_member_remove(db, t, KP_CONTAINER_OF(n, kp_db_txn_member, link));
	kp_map_deinit(&t->by_key);
	kp_list_remove(&t->in_state);
	kp_mem_free(t);
}

void kp_db_txns_deinit(kp_db *db)
{
	size_t it = 0;
	for (kp_db_txn *t; (t = kp_map_next(&db->txns.by_name, &it));)
		txn_free(db, t);
	kp_map_deinit(&db->txns.by_name);
}

kp_db_txn *kp_db_txn_find(const kp_db *db, kp_slice name)
{
	return kp_map_get(&db->txns.by_name, name);
}

kp_db_txn *kp_db_txn_new(kp_db *db, kp_slice name)
{
	kp_db_txns *x = &db->txns;
	if (x->by_name.n >= KP_DB_TXN_IDS_MAX || x->text + name.len > KP_DB_TXN_TEXT_MAX)
		return NULL;
	kp_db_txn *t = kp_mem_calloc(1, sizeof(*t) + name.len);
	if (!t)
		return NULL;
	kp_list_init(&t->in_state);
	kp_list_init(&t->members);
	kp_list_init(&t->pending);
	kp_map_init(&t->by_key);
	t->len = name.len;
	memcpy(t->name, name.ptr, name.len);
	if (kp_map_put(&x->by_name, kp_slice_of(t->name, t->len), t)) {
		kp_mem_free(t);
		return NULL;
	}
	x->text += name.len;
	return t;
}

int kp_db_take_producer_id(kp_db *db, int64_t *out)
{
	kp_db_cluster *c = &db->cluster;
	if (c->storage && db->next_producer_id >= c->reserved.producer_id) {
		kp_db_reserved next = c->reserved;
		next.producer_id = db->next_producer_id + KP_DB_PRODUCER_IDS_RESERVED;
		int err = kp_db_reserve(c, &next);
		if (err)
			return err;
	}
	*out = db->next_producer_id++;
	return 0;
}

void kp_db_txn_enter_state(kp_db *db, kp_db_txn *t)
{
	kp_list_remove(&t->in_state);
	if (t->meta.state == KP_DB_TXN_ONGOING) {
		kp_list_push_back(&db->txns.ongoing, &t->in_state);
		db->txns.deadline_us = INT64_MIN; /* to be found out by the next step */
	} else if (kp_db_txn_is_ending(&t->meta)) {
		kp_list_push_back(&db->txns.ending, &t->in_state);
	}
}

int kp_db_txn_change(kp_db *db, kp_db_txn *t, const kp_db_txn_meta *next)
{
	kp_db_txn_meta old = t->meta;
	t->meta = *next;
	int err = kp_db_txn_note(db, t);
	if (err)
		t->meta = old;
	else if (t->meta.state != old.state)
		kp_db_txn_enter_state(db, t);
	return err;
}

/* It was decided: markers follow now, or when their time comes. */
static void start_markers(kp_db *db, kp_db_txn *t)
{
	int64_t delay_us = db->txns.marker_delay_us;
	t->markers_due_us = db->now_us + delay_us;
	if (delay_us == 0)
		kp_db_txn_advance(db, t);
	else if (t->markers_due_us < db->txns.deadline_us)
		db->txns.deadline_us = t->markers_due_us;
}

/* Who asks, and an unused producer id when one may be needed. False: there is none to be had. */
static bool who_of(kp_db *db, const kp_db_txn_meta *m, const kp_db_txn_call *call, kp_db_txn_who *out)
{
	*out = (kp_db_txn_who){
		.producer_id = call->producer_id,
		.epoch = call->epoch,
		.fresh_id = -1,
		.now_ms = db->wall_ms_at_zero + db->now_us / 1000,
	};
	return !kp_db_txn_wants_id(m) || !kp_db_take_producer_id(db, &out->fresh_id);
}

static int16_t take_step(kp_db *db, kp_db_txn *t, const kp_db_txn_step *s)
{
	if (!s->is_changed)
		return s->code;
	if (kp_db_txn_change(db, t, &s->next))
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	if (kp_db_txn_is_ending(&t->meta))
		start_markers(db, t);
	return s->code;
}

static kp_db_txn *find_or_new(kp_db *db, kp_slice name)
{
	kp_db_txn *t = kp_db_txn_find(db, name);
	int64_t id;
	if (t)
		return t;
	if (kp_db_take_producer_id(db, &id))
		return NULL;
	t = kp_db_txn_new(db, name);
	if (t)
		kp_db_txn_new_meta(&t->meta, id);
	return t;
}

int16_t kp_db_txns_init_producer(kp_db *db, const kp_db_txn_call *call, int32_t timeout_ms, kp_db_txn_meta *out)
{
	kp_db_txn *t = find_or_new(db, call->name);
	kp_db_txn_who who;
	if (!t || !who_of(db, &t->meta, call, &who))
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	kp_db_txn_step s = kp_db_txn_init(&t->meta, &who, timeout_ms, call->version);
	int16_t code = take_step(db, t, &s);
	*out = t->meta;
	return code;
}

/* Those of the keys that are not members become new ones. */
static int add_members(kp_db *db, kp_db_txn *t, const kp_slice *keys, size_t n, size_t *n_added)
{
	*n_added = 0;
	for (size_t i = 0; i < n; i++) {
		if (kp_map_get(&t->by_key, keys[i]))
			continue;
		kp_db_txn_member *m = kp_db_txn_member_add(db, t, keys[i]);
		if (!m)
			return KP_ERR_NO_MEMORY;
		m->is_new = true;
		++*n_added;
	}
	return 0;
}

/* The new members stay, or go. They are the last ones. */
static void settle_members(kp_db *db, kp_db_txn *t, bool is_kept)
{
	for (kp_list *n = kp_list_last(&t->members), *prev; n && n != &t->members; n = prev) {
		kp_db_txn_member *m = KP_CONTAINER_OF(n, kp_db_txn_member, link);
		prev = n->prev;
		if (!m->is_new)
			return;
		m->is_new = false;
		if (!is_kept)
			kp_db_txn_member_remove(db, t, m);
	}
}

int16_t kp_db_txns_add(kp_db *db, const kp_db_txn_call *call, const kp_slice *keys, size_t n)
{
	kp_db_txn *t = kp_db_txn_find(db, call->name);
	kp_db_txn_who who;
	size_t n_added;
	if (!t)
		return KP_ERR_INVALID_PRODUCER_ID_MAPPING;
	who = (kp_db_txn_who){call->producer_id, call->epoch, -1, db->wall_ms_at_zero + db->now_us / 1000};
	kp_db_txn_step s = kp_db_txn_add(&t->meta, &who, call->version);
	if (s.code)
		return s.code;
	int err = add_members(db, t, keys, n, &n_added);
	if (!err && (n_added || t->meta.state != KP_DB_TXN_ONGOING))
		err = kp_db_txn_change(db, t, &s.next);
	settle_members(db, t, !err);
	return err ? KP_ERR_COORDINATOR_NOT_AVAILABLE : 0;
}

int16_t kp_db_txns_verify(kp_db *db, const kp_db_txn_call *call, kp_slice key)
{
	const kp_db_txn *t = kp_db_txn_find(db, call->name);
	kp_db_txn_who who = {.producer_id = call->producer_id, .epoch = call->epoch};
	int16_t code = t ? kp_db_txn_check(&t->meta, &who) : KP_ERR_INVALID_PRODUCER_ID_MAPPING;
	if (code)
		return code;
	return kp_map_get(&t->by_key, key) ? 0 : KP_ERR_TRANSACTION_ABORTABLE;
}

int16_t kp_db_txns_end(kp_db *db, const kp_db_txn_call *call, bool is_commit, kp_db_txn_meta *out)
{
	kp_db_txn *t = kp_db_txn_find(db, call->name);
	kp_db_txn_who who;
	if (!t)
		return KP_ERR_INVALID_PRODUCER_ID_MAPPING;
	if (!who_of(db, &t->meta, call, &who))
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	kp_db_txn_step s = kp_db_txn_end(&t->meta, &who, is_commit, call->version);
	int16_t code = take_step(db, t, &s);
	*out = kp_db_txn_is_ending(&t->meta) ? kp_db_txn_complete(&t->meta) : t->meta;
	return code;
}

int kp_db_txns_fence(kp_db *db, kp_db_txn *t)
{
	kp_db_txn_call nobody = {.producer_id = -1};
	kp_db_txn_who who;
	if (!who_of(db, &t->meta, &nobody, &who))
		return KP_ERR_KAFKA_STORAGE_ERROR;
	kp_db_txn_step s = kp_db_txn_fence(&t->meta, &who, db->transaction_version);
	int err = kp_db_txn_change(db, t, &s.next);
	if (!err)
		start_markers(db, t);
	return err;
}
