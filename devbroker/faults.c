/*
 * faults.c - see faults.h.
 */
#include "devbroker/faults.h"

#include "base/mem.h"
#include "base/random.h"
#include "devbroker/fault_words.h"
#include "kproducer/error.h"

typedef struct rule {
	kp_list link;
	kp_fault_rule *spec;
	uint64_t id, n_matched, n_fired;
	kp_random random;
	int64_t start_us; /* since when its times count */
	int64_t next_us;  /* timed: the next time; KP_TIME_NEVER: no more */
	int64_t told_us;
	uint32_t n_due; /* of a request: how often its action on the cluster is still to be done */
} rule;

/* A node that comes up again by itself. */
typedef struct undo {
	kp_list link;
	int32_t node;
	int64_t at_us;
} undo;

struct kp_faults {
	kp_list rules, undos;
	size_t n_rules, n_of_requests;
	uint64_t seed, last_id;
	uint64_t n_due; /* of all rules */
	kp_faults_fired *fired;
	void *opaque;
	const rule **errors; /* those that fired for the request under way; room for all rules */
	size_t n_errors, cap_errors;
};

kp_faults *kp_faults_new(uint64_t seed, kp_faults_fired *fired, void *opaque)
{
	kp_faults *f = kp_mem_calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	kp_list_init(&f->rules);
	kp_list_init(&f->undos);
	f->seed = seed;
	f->fired = fired;
	f->opaque = opaque;
	return f;
}

static void rule_drop(kp_faults *f, rule *r)
{
	kp_list_remove(&r->link);
	f->n_rules--;
	f->n_of_requests -= !r->spec->is_timed;
	f->n_due -= r->n_due;
	f->n_errors = 0;
	kp_fault_rule_free(r->spec);
	kp_mem_free(r);
}

void kp_faults_clear(kp_faults *f)
{
	for (kp_list *n; (n = kp_list_first(&f->rules));)
		rule_drop(f, KP_CONTAINER_OF(n, rule, link));
}

void kp_faults_free(kp_faults *f)
{
	if (!f)
		return;
	kp_faults_clear(f);
	for (kp_list *n; (n = kp_list_pop_front(&f->undos));)
		kp_mem_free(KP_CONTAINER_OF(n, undo, link));
	kp_mem_free(f->errors);
	kp_mem_free(f);
}

static rule *rule_new(kp_faults *f, const kp_fault_rule *spec, int64_t now_us)
{
	rule *r = kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	kp_list_init(&r->link);
	r->id = ++f->last_id;
	r->start_us = now_us;
	r->next_us = spec->is_timed ? now_us + spec->at_us : KP_TIME_NEVER;
	/* a rule's numbers do not depend on how often the others draw, nor on which of them are there */
	kp_random_init(&r->random, spec->has_seed ? spec->seed : f->seed + r->id);
	return r;
}

static bool reserve_errors(kp_faults *f, size_t n)
{
	if (n <= f->cap_errors)
		return true;
	const rule **more = kp_mem_realloc(f->errors, n * sizeof(const rule *));
	if (!more)
		return false;
	f->errors = more;
	f->cap_errors = n;
	return true;
}

int kp_faults_add(kp_faults *f, kp_list *rules, int64_t now_us, uint64_t *first_id)
{
	kp_list added, *n;
	size_t n_added = 0;
	uint64_t last_id = f->last_id;
	kp_list_init(&added);
	for (n = rules->next; n != rules; n = n->next)
		n_added++;
	if (f->n_rules + n_added > KP_FAULT_RULES_MAX)
		return KP_ERR_BAD_ARGUMENT;
	bool is_good = reserve_errors(f, f->n_rules + n_added);
	for (n = rules->next; is_good && n != rules; n = n->next) {
		rule *r = rule_new(f, KP_CONTAINER_OF(n, kp_fault_rule, link), now_us);
		is_good = r != NULL;
		if (r)
			kp_list_push_back(&added, &r->link);
	}
	for (kp_list *l; !is_good && (l = kp_list_pop_front(&added));)
		kp_mem_free(KP_CONTAINER_OF(l, rule, link));
	if (!is_good) {
		f->last_id = last_id;
		return KP_ERR_NO_MEMORY;
	}
	for (n = added.next; n != &added; n = n->next) {
		rule *r = KP_CONTAINER_OF(n, rule, link);
		r->spec = KP_CONTAINER_OF(kp_list_pop_front(rules), kp_fault_rule, link);
		f->n_rules++;
		f->n_of_requests += !r->spec->is_timed;
	}
	kp_list_splice_back(&f->rules, &added);
	if (first_id)
		*first_id = last_id + 1;
	return 0;
}

static rule *find(const kp_faults *f, uint64_t id)
{
	for (kp_list *n = f->rules.next; n != &f->rules; n = n->next)
		if (KP_CONTAINER_OF(n, rule, link)->id == id)
			return KP_CONTAINER_OF(n, rule, link);
	return NULL;
}

bool kp_faults_remove(kp_faults *f, uint64_t id)
{
	rule *r = find(f, id);
	if (r)
		rule_drop(f, r);
	return r != NULL;
}

static kp_fault_info info_of(const rule *r)
{
	return (kp_fault_info){r->id, r->spec->text, r->n_matched, r->n_fired, NULL};
}

bool kp_faults_next(const kp_faults *f, uint64_t id, kp_fault_info *out)
{
	for (kp_list *n = f->rules.next; n != &f->rules; n = n->next) {
		const rule *r = KP_CONTAINER_OF(n, rule, link);
		if (r->id > id) { /* ids ascend */
			*out = info_of(r);
			return true;
		}
	}
	return false;
}

bool kp_faults_has_requests(const kp_faults *f)
{
	return f->n_of_requests > 0;
}

static bool is_place(void *opaque, kp_slice topic, int32_t partition)
{
	const kp_fault_rule *s = opaque;
	return (s->partition < 0 || s->partition == partition) && (!s->topic || (topic.ptr && kp_fault_matches(s->topic, topic)));
}

static bool matches(const rule *r, const kp_db_asked *q)
{
	kp_fault_rule *s = r->spec;
	int64_t age_us = q->now_us - r->start_us;
	if (s->is_timed || q->api_key < 0 || q->api_key >= 128 || !(s->apis[q->api_key / 64] >> q->api_key % 64 & 1))
		return false;
	if ((s->node && s->node != q->node) || age_us < s->from_us || age_us >= s->until_us)
		return false;
	if (s->client && !kp_fault_matches(s->client, kp_slice_is_null(q->client_id) ? kp_slice_of("", 0) : q->client_id))
		return false;
	return (!s->topic && s->partition < 0) || kp_db_asked_any(q, is_place, s);
}

/* Count a request that matches. Does the rule fire for it? The draw is made in any case, so that a seed replays. */
static bool count(rule *r)
{
	const kp_fault_rule *s = r->spec;
	int64_t n = (int64_t)++r->n_matched;
	if (n < s->first || n > s->last || (n - s->first + 1) % s->every != 0)
		return false;
	if (s->chance < 1 && kp_random_unit(&r->random) >= s->chance)
		return false;
	return r->n_fired + r->n_due < (uint64_t)s->times;
}

static int64_t draw_us(rule *r)
{
	const kp_fault_action *a = &r->spec->action;
	uint64_t width = (uint64_t)(a->max_us - a->min_us) + 1;
	return a->min_us + (int64_t)(width > 1 ? kp_random_next(&r->random) % width : 0);
}

static void note_fired(kp_faults *f, rule *r, const kp_db_asked *q, const char *error)
{
	r->n_fired += !error;
	kp_fault_info info = info_of(r);
	info.told_us = &r->told_us;
	if (f->fired)
		f->fired(f->opaque, &info, q, error);
}

static bool is_about_waiting(const rule *r)
{
	return r->spec->action.kind == KP_FAULT_DELAY && r->spec->action.is_before;
}

static int64_t arrived(void *opaque, const kp_db_asked *q)
{
	kp_faults *f = opaque;
	int64_t wait_us = 0;
	for (kp_list *n = f->rules.next; n != &f->rules; n = n->next) {
		rule *r = KP_CONTAINER_OF(n, rule, link);
		if (!is_about_waiting(r) || !matches(r, q) || !count(r))
			continue;
		wait_us += draw_us(r);
		note_fired(f, r, q, NULL);
	}
	return wait_us;
}

/* False: an earlier rule has decided that. */
static bool apply(kp_faults *f, rule *r, kp_db_fate *fate)
{
	const kp_fault_action *a = &r->spec->action;
	if (fate->is_dropped_before)
		return false;
	switch (a->kind) {
	case KP_FAULT_DELAY: fate->delay_us += draw_us(r); return true;
	case KP_FAULT_THROTTLE:
		if (fate->throttle_ms)
			return false;
		fate->throttle_ms = (int32_t)((draw_us(r) + 999) / 1000);
		return true;
	case KP_FAULT_ERROR: f->errors[f->n_errors++] = r; return fate->has_errors = true;
	case KP_FAULT_DROP:
	case KP_FAULT_PARTIAL:
		if (fate->is_dropped_after || fate->partial_bytes)
			return false;
		fate->is_dropped_before = a->kind == KP_FAULT_DROP && a->is_before;
		fate->is_dropped_after = a->kind == KP_FAULT_DROP && !a->is_before;
		fate->partial_bytes = a->kind == KP_FAULT_PARTIAL ? (int32_t)a->n : 0;
		return true;
	case KP_FAULT_DRIP:
		if (fate->drip_bytes_s)
			return false;
		fate->drip_bytes_s = a->n;
		return true;
	default:
		r->n_due++;
		f->n_due++;
		return true;
	}
}

static void decide(void *opaque, const kp_db_asked *q, kp_db_fate *fate)
{
	kp_faults *f = opaque;
	f->n_errors = 0;
	for (kp_list *n = f->rules.next; n != &f->rules; n = n->next) {
		rule *r = KP_CONTAINER_OF(n, rule, link);
		if (is_about_waiting(r) || !matches(r, q) || !count(r) || !apply(f, r, fate))
			continue;
		if (kp_fault_is_of_request(r->spec->action.kind)) {
			fate->is_set = true;
			note_fired(f, r, q, NULL);
		}
	}
}

static int16_t error_for(void *opaque, kp_slice topic, int32_t partition, bool is_after)
{
	const kp_faults *f = opaque;
	for (size_t i = 0; i < f->n_errors; i++) {
		kp_fault_rule *s = f->errors[i]->spec;
		if (s->action.is_after == is_after && is_place(s, topic, partition))
			return s->action.error_code;
	}
	return 0;
}

kp_db_judge kp_faults_judge(kp_faults *f)
{
	return (kp_db_judge){.opaque = f, .arrived = arrived, .decide = decide, .error_for = error_for};
}

bool kp_faults_is_due(const kp_faults *f)
{
	return f->n_due > 0;
}

static undo *earliest_undo(const kp_faults *f)
{
	undo *best = NULL;
	for (kp_list *n = f->undos.next; n != &f->undos; n = n->next) {
		undo *u = KP_CONTAINER_OF(n, undo, link);
		if (!best || u->at_us < best->at_us)
			best = u;
	}
	return best;
}

/* The timed rule that is next; the one that stands first in the script when there are several. */
static rule *earliest_rule(const kp_faults *f)
{
	rule *best = NULL;
	for (kp_list *n = f->rules.next; n != &f->rules; n = n->next) {
		rule *r = KP_CONTAINER_OF(n, rule, link);
		if (r->next_us != KP_TIME_NEVER && (!best || r->next_us < best->next_us))
			best = r;
	}
	return best;
}

int64_t kp_faults_deadline(const kp_faults *f)
{
	const rule *r = earliest_rule(f);
	const undo *u = earliest_undo(f);
	int64_t at_us = r ? r->next_us : KP_TIME_NEVER;
	return u && u->at_us < at_us ? u->at_us : at_us;
}

/* What a request brought about comes first: it was answered in that state. */
static bool take_due_of_requests(kp_faults *f, kp_fault_event *out)
{
	for (kp_list *n = f->rules.next; f->n_due && n != &f->rules; n = n->next) {
		rule *r = KP_CONTAINER_OF(n, rule, link);
		if (!r->n_due)
			continue;
		r->n_due--;
		f->n_due--;
		*out = (kp_fault_event){r->spec->action, r->id};
		return true;
	}
	return false;
}

bool kp_faults_due(kp_faults *f, int64_t now_us, kp_fault_event *out)
{
	if (take_due_of_requests(f, out))
		return true;
	rule *r = earliest_rule(f);
	undo *u = earliest_undo(f);
	if (u && u->at_us <= now_us && (!r || u->at_us < r->next_us)) {
		*out = (kp_fault_event){{.kind = KP_FAULT_NODE_UP, .node = u->node}, 0};
		kp_list_remove(&u->link);
		kp_mem_free(u);
		return true;
	}
	if (!r || r->next_us > now_us)
		return false;
	bool is_last = ++r->n_matched >= (uint64_t)r->spec->times;
	int64_t every_us = r->spec->every_us;
	/* times that were slept through, as by a stopped process, are not made up for: the next one is that behind now */
	r->next_us = is_last ? KP_TIME_NEVER : r->next_us + ((now_us - r->next_us) / every_us + 1) * every_us;
	*out = (kp_fault_event){r->spec->action, r->id};
	return true;
}

void kp_faults_done(kp_faults *f, const kp_fault_event *e, const char *error)
{
	rule *r = find(f, e->id);
	if (r)
		note_fired(f, r, NULL, error);
}

int kp_faults_up_at(kp_faults *f, int32_t node, int64_t at_us)
{
	undo *u = NULL;
	for (kp_list *n = f->undos.next; !u && n != &f->undos; n = n->next)
		if (KP_CONTAINER_OF(n, undo, link)->node == node)
			u = KP_CONTAINER_OF(n, undo, link);
	if (at_us == KP_TIME_NEVER) {
		if (u)
			kp_list_remove(&u->link);
		kp_mem_free(u);
		return 0;
	}
	if (!u) {
		u = kp_mem_alloc(sizeof(*u));
		if (!u)
			return KP_ERR_NO_MEMORY;
		kp_list_init(&u->link);
		kp_list_push_back(&f->undos, &u->link);
	}
	u->node = node;
	u->at_us = at_us;
	return 0;
}
