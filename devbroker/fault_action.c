/*
 * fault_action.c - the actions of a fault script: one row and one function a word. See fault_script.h.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "devbroker/fault_names.h"
#include "devbroker/fault_parse.h"
#include "devbroker/topics.h"

#define BYTES_MAX 1000000000
#define OFFSET_MAX (INT64_MAX / 2)

void kp_fault_action_deinit(kp_fault_action *a)
{
	kp_mem_free(a->topic);
	kp_mem_free(a->key);
	*a = (kp_fault_action){0};
}

/* "200ms" or "200ms..500ms". */
static bool take_span(kp_fault_words *w, int64_t min_us, kp_fault_action *a)
{
	kp_slice t = w->token.text;
	const uint8_t *dots = w->token.kind == KP_FAULT_WORD ? memmem(t.ptr, t.len, "..", 2) : NULL;
	if (!dots) {
		bool is_good = kp_fault_take_duration(w, min_us, &a->min_us);
		a->max_us = a->min_us;
		return is_good;
	}
	if (!kp_fault_duration_of(kp_slice_of(t.ptr, (size_t)(dots - t.ptr)), &a->min_us) ||
	    !kp_fault_duration_of(kp_slice_of(dots + 2, (size_t)(t.ptr + t.len - dots) - 2), &a->max_us))
		return kp_fault_expected(w, "durations such as 200ms..500ms");
	if (a->min_us < min_us || a->min_us > a->max_us || a->max_us > KP_FAULT_DURATION_MAX_US)
		return kp_fault_expected(w, "a shorter and a longer duration from %s to 24h", min_us == 1 ? "1us" : "1ms");
	kp_fault_words_next(w);
	return true;
}

static bool take_flag(kp_fault_words *w, const char *word)
{
	if (!kp_fault_is_word(w, word))
		return false;
	kp_fault_words_next(w);
	return true;
}

static bool take_delay(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (!take_span(w, 1, a))
		return false;
	a->is_before = take_flag(w, "before");
	return true;
}

static bool take_throttle(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	return take_span(w, 1000, a);
}

static bool take_error(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (!kp_fault_error_of(w, &a->error_code))
		return false;
	kp_fault_words_next(w);
	a->is_after = take_flag(w, "after");
	return true;
}

static bool take_drop(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	a->is_before = take_flag(w, "before");
	return a->is_before || take_flag(w, "after") ||
	       kp_fault_expected(w, "'before' or 'after': is the request carried out before the connection is closed?");
}

static bool take_partial(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	return kp_fault_take_number(w, "a number of bytes", 1, BYTES_MAX, &a->n);
}

static bool take_drip(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	kp_slice t = w->token.text;
	(void)n_nodes;
	bool is_rate = w->token.kind == KP_FAULT_WORD && t.len > 2 && memcmp(t.ptr + t.len - 2, "/s", 2) == 0;
	if (!is_rate || kp_fault_number_of(kp_slice_of(t.ptr, t.len - 2), 1, BYTES_MAX, &a->n) != KP_FAULT_IS_NUMBER)
		return kp_fault_expected(w, "bytes a second such as 1k/s, from 1/s to 1G/s");
	kp_fault_words_next(w);
	return true;
}

/* "orders/0", "orders/" and a star for all its partitions. */
static bool take_place(kp_fault_words *w, kp_fault_action *a)
{
	kp_slice t = w->token.text;
	const uint8_t *slash = w->token.kind == KP_FAULT_WORD ? memrchr(t.ptr, '/', t.len) : NULL;
	if (!slash)
		return kp_fault_expected(w, "a partition such as orders/0, or orders/* for all of a topic");
	kp_slice name = kp_slice_of(t.ptr, (size_t)(slash - t.ptr)), number = kp_slice_of(slash + 1, t.len - name.len - 1);
	int64_t partition = KP_FAULT_ALL_PARTITIONS;
	if (kp_db_topic_name_check(name, NULL))
		return kp_fault_expected(w, "a topic's name in front of the '/'");
	if (!kp_slice_equal(number, kp_slice_cstr("*")) &&
	    kp_fault_number_of(number, 0, KP_DB_PARTITIONS_MAX, &partition) != KP_FAULT_IS_NUMBER)
		return kp_fault_expected(w, "the number of a partition, or *, behind the '/'");
	a->topic = kp_mem_strndup((const char *)name.ptr, name.len);
	if (!a->topic)
		return kp_fault_no_memory(w);
	a->partition = (int32_t)partition;
	kp_fault_words_next(w);
	return true;
}

static bool take_leader(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	if (!take_place(w, a) || !kp_fault_take_sign(w, '=', "and the new leader"))
		return false;
	if (take_flag(w, "next"))
		a->node = KP_FAULT_NEXT_NODE;
	else if (!take_flag(w, "none"))
		return w->token.kind != KP_FAULT_WORD ? kp_fault_expected(w, "a node, 'next' or 'none'")
		                                      : kp_fault_take_node(w, n_nodes, &a->node);
	return true;
}

static bool take_cut(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (!take_place(w, a))
		return false;
	a->is_relative = take_flag(w, "by");
	if (a->is_relative)
		return kp_fault_take_number(w, "a number of records", 1, OFFSET_MAX, &a->n);
	if (!take_flag(w, "to"))
		return kp_fault_expected(w, "'by' and a number of records, or 'to' and an offset");
	return kp_fault_take_number(w, "an offset", 0, OFFSET_MAX, &a->n);
}

static bool take_forget(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (!take_flag(w, "producers"))
		return kp_fault_expected(w, "'producers' and a partition");
	return take_place(w, a);
}

static bool take_replication(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (take_flag(w, "stopped")) {
		a->min_us = KP_TIME_NEVER;
		return true;
	}
	return kp_fault_take_duration(w, 0, &a->min_us);
}

/* A group or a transactional id, in quotes when it is no word. */
static bool take_key(kp_fault_words *w, const char *what, kp_fault_action *a)
{
	kp_slice t = w->token.text;
	if (w->token.kind != KP_FAULT_WORD || t.len == 0)
		return kp_fault_expected(w, "%s", what);
	a->key = kp_mem_strndup((const char *)t.ptr, t.len);
	if (!a->key)
		return kp_fault_no_memory(w);
	kp_fault_words_next(w);
	return true;
}

static bool take_coordinator(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	bool is_group = take_flag(w, "group");
	a->key_type = is_group ? KP_DB_COORDINATOR_GROUP : KP_DB_COORDINATOR_TRANSACTION;
	if (!is_group && !take_flag(w, "transaction"))
		return kp_fault_expected(w, "'group' or 'transaction', and its name");
	if (!take_key(w, is_group ? "the group's name" : "the transactional id", a) ||
	    !kp_fault_take_sign(w, '=', "and the new coordinator"))
		return false;
	if (take_flag(w, "next"))
		a->node = KP_FAULT_NEXT_NODE;
	else if (take_flag(w, "hash"))
		a->node = KP_FAULT_BY_HASH;
	else if (!take_flag(w, "none"))
		return w->token.kind != KP_FAULT_WORD ? kp_fault_expected(w, "a node, 'next', 'none' or 'hash'")
		                                      : kp_fault_take_node(w, n_nodes, &a->node);
	return true;
}

static bool take_markers(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	return kp_fault_take_duration(w, 0, &a->min_us);
}

static bool take_expire(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	(void)n_nodes;
	if (!take_flag(w, "transaction"))
		return kp_fault_expected(w, "'transaction' and a transactional id");
	return take_key(w, "a transactional id", a);
}

static bool take_node_state(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	if (!kp_fault_take_node(w, n_nodes, &a->node))
		return false;
	if (take_flag(w, "up")) {
		a->kind = KP_FAULT_NODE_UP;
	} else if (take_flag(w, "disconnect")) {
		a->kind = KP_FAULT_NODE_DISCONNECT;
	} else {
		a->kind = kp_fault_is_word(w, "down") ? KP_FAULT_NODE_DOWN : KP_FAULT_NODE_STUCK;
		if (!take_flag(w, "down") && !take_flag(w, "stuck"))
			return kp_fault_expected(w, "'down', 'up', 'stuck' or 'disconnect'");
		if (take_flag(w, "for"))
			return kp_fault_take_duration(w, 1000, &a->for_us);
	}
	return true;
}

static const struct {
	const char *word;
	kp_fault_kind kind;
	bool (*take)(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a);
} actions[] = {
	{"delay", KP_FAULT_DELAY, take_delay},         {"throttle", KP_FAULT_THROTTLE, take_throttle},
	{"error", KP_FAULT_ERROR, take_error},         {"drop", KP_FAULT_DROP, take_drop},
	{"partial", KP_FAULT_PARTIAL, take_partial},   {"drip", KP_FAULT_DRIP, take_drip},
	{"leader", KP_FAULT_LEADER, take_leader},      {"cut", KP_FAULT_CUT, take_cut},
	{"forget", KP_FAULT_FORGET, take_forget},      {"replication", KP_FAULT_REPLICATION, take_replication},
	{"node", KP_FAULT_NODE_DOWN, take_node_state}, {"coordinator", KP_FAULT_COORDINATOR, take_coordinator},
	{"markers", KP_FAULT_MARKERS, take_markers},   {"expire", KP_FAULT_EXPIRE, take_expire},
};

bool kp_fault_take_action(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a)
{
	kp_fault_guess guess = {.written = w->token.text};
	for (size_t i = 0; i < KP_ARRAY_LEN(actions); i++) {
		if (kp_fault_is_word(w, actions[i].word)) {
			a->kind = actions[i].kind;
			kp_fault_words_next(w);
			return actions[i].take(w, n_nodes, a);
		}
		kp_fault_guess_try(&guess, kp_slice_cstr(actions[i].word));
	}
	return kp_fault_expected_like(
		w, &guess,
		"an action (delay, throttle, error, drop, partial, drip, leader, cut, forget, replication, node, coordinator, markers, "
		"expire)");
}
