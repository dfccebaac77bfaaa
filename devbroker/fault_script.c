/*
 * fault_script.c - rules: which requests, when. The actions are in fault_action.c. See fault_script.h.
 */
#include "devbroker/fault_script.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "devbroker/fault_names.h"
#include "devbroker/fault_parse.h"
#include "devbroker/fault_words.h"
#include "devbroker/judge.h"

#define COUNT_MAX 1000000000000
#define PARTITION_MAX 1000000

/* Conditions of an `on` rule: one bit each, so that none stands twice. */
typedef enum condition {
	TOPIC,
	PARTITION,
	NODE,
	CLIENT,
	NTH,
	FIRST,
	AFTER,
	EVERY,
	TIMES,
	CHANCE,
	SEED,
	FROM,
	UNTIL,
	N_CONDITIONS
} condition;

static const char *const conditions[N_CONDITIONS] = {"topic", "partition", "node",   "client", "nth",  "first", "after",
                                                     "every", "times",     "chance", "seed",   "from", "until"};

#define BIT(c) (1u << (c))

bool kp_fault_no_memory(kp_fault_words *w)
{
	return kp_fault_wrong(w, "out of memory");
}

void kp_fault_rule_free(kp_fault_rule *r)
{
	if (!r)
		return;
	kp_list_remove(&r->link);
	kp_fault_action_deinit(&r->action);
	kp_mem_free(r->text);
	kp_mem_free(r->topic);
	kp_mem_free(r->client);
	kp_mem_free(r);
}

static kp_fault_rule *rule_new(void)
{
	kp_fault_rule *r = kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	kp_list_init(&r->link);
	r->partition = -1;
	r->first = r->every = 1;
	r->last = r->times = INT64_MAX;
	r->until_us = KP_TIME_NEVER;
	r->chance = 1;
	return r;
}

/* "*", a name, or a pattern of one. Takes the word. */
static bool take_pattern(kp_fault_words *w, const char *what, char **out)
{
	if (w->token.kind != KP_FAULT_WORD || w->token.text.len == 0 || memchr(w->token.text.ptr, 0, w->token.text.len))
		return kp_fault_expected(w, "%s, also with * and ?", what);
	if (w->token.is_unterminated)
		return kp_fault_expected(w, "a '\"' that ends the text");
	*out = kp_mem_strndup((const char *)w->token.text.ptr, w->token.text.len);
	if (!*out)
		return kp_fault_no_memory(w);
	kp_fault_words_next(w);
	return true;
}

bool kp_fault_take_node(kp_fault_words *w, int32_t n_nodes, int32_t *out)
{
	int64_t node;
	if (w->token.kind != KP_FAULT_WORD || kp_fault_number_of(w->token.text, 1, n_nodes, &node) != KP_FAULT_IS_NUMBER)
		return n_nodes == 1 ? kp_fault_expected(w, "node 1: this cluster has no other")
		                    : kp_fault_expected(w, "a node from 1 to %" PRId32, n_nodes);
	*out = (int32_t)node;
	kp_fault_words_next(w);
	return true;
}

/* "4" or "4..6". */
static bool take_nth(kp_fault_words *w, kp_fault_rule *r)
{
	kp_slice t = w->token.text;
	const uint8_t *dots = w->token.kind == KP_FAULT_WORD ? memmem(t.ptr, t.len, "..", 2) : NULL;
	kp_slice low = dots ? kp_slice_of(t.ptr, (size_t)(dots - t.ptr)) : t;
	kp_slice high = dots ? kp_slice_of(dots + 2, (size_t)(t.ptr + t.len - dots) - 2) : t;
	if (w->token.kind != KP_FAULT_WORD || kp_fault_number_of(low, 1, COUNT_MAX, &r->first) != KP_FAULT_IS_NUMBER ||
	    kp_fault_number_of(high, r->first, COUNT_MAX, &r->last) != KP_FAULT_IS_NUMBER)
		return kp_fault_expected(w, "the number of a request such as 4, or a range such as 4..6, from 1 to %" PRId64,
		                         (int64_t)COUNT_MAX);
	kp_fault_words_next(w);
	return true;
}

static bool take_chance(kp_fault_words *w, kp_fault_rule *r)
{
	kp_slice t = w->token.text;
	int64_t percent_us; /* the digits are those of a duration in seconds */
	char text[32];
	bool is_percent = w->token.kind == KP_FAULT_WORD && t.len > 1 && t.len < sizeof(text) - 1 && t.ptr[t.len - 1] == '%';
	if (is_percent)
		snprintf(text, sizeof(text), "%.*ss", (int)t.len - 1, (const char *)t.ptr);
	if (!is_percent || !kp_fault_duration_of(kp_slice_cstr(text), &percent_us) || percent_us < 1 || percent_us > 100000000)
		return kp_fault_expected(w, "a percentage from 0.000001%% to 100%% such as 5%%");
	r->chance = (double)percent_us / 100000000.0;
	kp_fault_words_next(w);
	return true;
}

static bool take_seed(kp_fault_words *w, kp_fault_rule *r)
{
	int64_t n;
	r->has_seed = true;
	if (!kp_fault_take_number(w, "a seed", 0, INT64_MAX, &n))
		return false;
	r->seed = (uint64_t)n;
	return true;
}

static bool take_partition(kp_fault_words *w, kp_fault_rule *r)
{
	int64_t n;
	if (!kp_fault_take_number(w, "a partition", 0, PARTITION_MAX, &n))
		return false;
	r->partition = (int32_t)n;
	return true;
}

static bool take_value(kp_fault_words *w, condition c, int32_t n_nodes, kp_fault_rule *r)
{
	switch (c) {
	case TOPIC: return take_pattern(w, "a topic's name", &r->topic);
	case PARTITION: return take_partition(w, r);
	case NODE: return kp_fault_take_node(w, n_nodes, &r->node);
	case CLIENT: return take_pattern(w, "a client.id", &r->client);
	case NTH: return take_nth(w, r);
	case FIRST: return kp_fault_take_number(w, "a number of requests", 1, COUNT_MAX, &r->last);
	case AFTER: return kp_fault_take_number(w, "a number of requests", 0, COUNT_MAX, &r->first);
	case EVERY: return kp_fault_take_number(w, "a number of requests", 1, COUNT_MAX, &r->every);
	case TIMES: return kp_fault_take_number(w, "a number of times", 1, COUNT_MAX, &r->times);
	case CHANCE: return take_chance(w, r);
	case SEED: return take_seed(w, r);
	case FROM: return kp_fault_take_duration(w, 0, &r->from_us);
	default: return kp_fault_take_duration(w, 1, &r->until_us);
	}
}

static bool find_condition(kp_fault_words *w, condition *out)
{
	kp_fault_guess guess = {.written = w->token.text};
	for (*out = 0; *out < N_CONDITIONS; ++*out) {
		if (kp_fault_is_word(w, conditions[*out]))
			return true;
		kp_fault_guess_try(&guess, kp_slice_cstr(conditions[*out]));
	}
	if (w->token.kind != KP_FAULT_WORD)
		return kp_fault_expected(w, "a condition such as first=3, or ':' and an action");
	return kp_fault_expected_like(
		w, &guess,
		"a condition (topic, partition, node, client, nth, first, after, every, times, chance, seed, from, "
		"until) or ':' and an action");
}

/* What the APIs can name, at best: 0 also when that is not known because the rule is for any. */
static kp_db_places places_of(const kp_fault_rule *r)
{
	kp_db_places best = KP_DB_NO_PLACE;
	for (int key = 0; key < 128; key++)
		if ((r->apis[key / 64] >> key % 64 & 1) && kp_db_places_of((int16_t)key) > best)
			best = kp_db_places_of((int16_t)key);
	return best;
}

/* What makes no sense together; told where the rule's conditions end. */
static bool check_conditions(kp_fault_words *w, unsigned given, kp_fault_rule *r)
{
	if ((given & BIT(NTH)) && (given & (BIT(FIRST) | BIT(AFTER) | BIT(EVERY))))
		return kp_fault_wrong(w, "nth cannot stand with first, after or every");
	if ((given & BIT(SEED)) && !(given & BIT(CHANCE)))
		return kp_fault_wrong(w, "seed means nothing without chance");
	if (r->from_us >= r->until_us)
		return kp_fault_wrong(w, "from must be earlier than until");
	if (r->topic && places_of(r) == KP_DB_NO_PLACE)
		return kp_fault_wrong(w, "topic is given, but requests of this API name no topic");
	if (r->partition >= 0 && places_of(r) != KP_DB_PARTITIONS)
		return kp_fault_wrong(w, "partition is given, but requests of this API name no partition");
	if (given & BIT(AFTER)) {
		r->last = given & BIT(FIRST) ? r->first + r->last : r->last;
		r->first++;
	}
	return true;
}

static bool take_apis(kp_fault_words *w, kp_fault_rule *r)
{
	if (kp_fault_is_word(w, "any")) {
		r->apis[0] = r->apis[1] = UINT64_MAX;
		kp_fault_words_next(w);
		return true;
	}
	for (;;) {
		int16_t key;
		if (!kp_fault_api_of(w, &key))
			return false;
		r->apis[key / 64] |= (uint64_t)1 << key % 64;
		kp_fault_words_next(w);
		if (!kp_fault_is_sign(w, ','))
			return true;
		kp_fault_words_next(w);
	}
}

static bool take_on(kp_fault_words *w, int32_t n_nodes, kp_fault_rule *r)
{
	unsigned given = 0;
	if (!take_apis(w, r))
		return false;
	while (!kp_fault_is_sign(w, ':')) {
		condition c;
		if (!find_condition(w, &c))
			return false;
		if (given & BIT(c))
			return kp_fault_wrong(w, "'%s' stands twice", conditions[c]);
		given |= BIT(c);
		kp_fault_words_next(w);
		if (!kp_fault_take_sign(w, '=', "and a value") || !take_value(w, c, n_nodes, r))
			return false;
	}
	if (!check_conditions(w, given, r))
		return false;
	kp_fault_words_next(w);
	return true;
}

/* "every 10s" or "every=10s". */
static bool is_option(kp_fault_words *w, const char *name)
{
	if (!kp_fault_is_word(w, name))
		return false;
	kp_fault_words_next(w);
	if (kp_fault_is_sign(w, '='))
		kp_fault_words_next(w);
	return true;
}

static bool take_at(kp_fault_words *w, kp_fault_rule *r)
{
	r->is_timed = true;
	if (!kp_fault_take_duration(w, 0, &r->at_us))
		return false;
	if (is_option(w, "every") && !kp_fault_take_duration(w, 1000, &r->every_us))
		return false;
	if (r->every_us && is_option(w, "times") && !kp_fault_take_number(w, "a number of times", 1, COUNT_MAX, &r->times))
		return false;
	if (!r->every_us)
		r->times = 1;
	return kp_fault_take_sign(w, ':', r->every_us ? "or 'times', and an action" : "or 'every', and an action");
}

/* The APIs that ask kp_db_error_after: Produce, OffsetCommit, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, TxnOffsetCommit. */
#define ANSWERED_AFTER ((uint64_t)1 << 0 | (uint64_t)1 << 8 | (uint64_t)7 << 24 | (uint64_t)1 << 28)

static bool take_action(kp_fault_words *w, int32_t n_nodes, kp_fault_rule *r)
{
	kp_fault_token start = w->token;
	if (!kp_fault_take_action(w, n_nodes, &r->action))
		return false;
	bool is_of_request = kp_fault_is_of_request(r->action.kind);
	kp_fault_token end = w->token;
	w->token = start; /* what is wrong is the action */
	if (r->is_timed && is_of_request)
		kp_fault_wrong(w, "'%.*s' acts on a request: it wants a rule that begins with 'on'", (int)start.text.len,
		               (const char *)start.text.ptr);
	else if (r->action.is_after && ((r->apis[0] & ~ANSWERED_AFTER) || r->apis[1]))
		kp_fault_wrong(w,
		               "an error after the request was carried out is for produce, offset_commit, add_partitions_to_txn, "
		               "add_offsets_to_txn, end_txn and txn_offset_commit alone");
	w->token = end;
	return !w->is_bad;
}

/* The rule as it was written, blanks and tabs in a row as one. */
static char *text_of(const uint8_t *start, const uint8_t *end)
{
	char *text = kp_mem_strndup((const char *)start, (size_t)(end - start));
	size_t n = 0;
	for (const char *c = text; c && *c; c++) {
		bool is_blank = isspace((unsigned char)*c) != 0;
		if (!is_blank || (n && text[n - 1] != ' '))
			text[n++] = is_blank ? ' ' : isprint((unsigned char)*c) ? *c : '?';
	}
	while (n && text[n - 1] == ' ')
		n--;
	if (text)
		text[n] = 0;
	return text;
}

static bool take_rule(kp_fault_words *w, int32_t n_nodes, kp_fault_rule *r)
{
	const uint8_t *start = w->token.at;
	bool is_on = kp_fault_is_word(w, "on");
	if (!is_on && !kp_fault_is_word(w, "at"))
		return kp_fault_expected(w, "'on' or 'at', with which a rule begins");
	kp_fault_words_next(w);
	if (!(is_on ? take_on(w, n_nodes, r) : take_at(w, r)) || !take_action(w, n_nodes, r))
		return false;
	if (w->token.kind != KP_FAULT_RULE_END)
		return kp_fault_expected(w, "the end of the rule (';' or a new line)");
	r->text = text_of(start, w->token.at);
	return r->text ? true : kp_fault_no_memory(w);
}

bool kp_fault_script_parse(kp_slice text, int32_t n_nodes, kp_list *rules, kp_buf *errors)
{
	kp_fault_words w;
	kp_list found;
	size_t n = 0;
	kp_list_init(&found);
	if (text.len > KP_FAULT_TEXT_MAX) {
		kp_buf_printf(errors, "line 1, column 1: the script is larger than %zu bytes\n", KP_FAULT_TEXT_MAX);
		return false;
	}
	kp_fault_words_init(&w, text, errors);
	while (kp_fault_words_begin(&w)) {
		kp_fault_rule *r = rule_new();
		if (!r)
			kp_fault_no_memory(&w);
		else if (++n > KP_FAULT_RULES_MAX)
			kp_fault_wrong(&w, "more than %d rules", KP_FAULT_RULES_MAX);
		else if (take_rule(&w, n_nodes, r))
			kp_list_push_back(&found, &r->link);
		if (w.is_bad)
			kp_fault_rule_free(r);
		kp_fault_words_skip(&w);
	}
	kp_fault_words_summarize(&w);
	if (w.n_errors == 0) {
		kp_list_splice_back(rules, &found);
		return true;
	}
	for (kp_list *l; (l = kp_list_first(&found));)
		kp_fault_rule_free(KP_CONTAINER_OF(l, kp_fault_rule, link));
	return false;
}

bool kp_fault_action_parse(kp_slice text, int32_t n_nodes, kp_fault_action *out, kp_buf *errors)
{
	kp_fault_words w;
	kp_fault_words_init(&w, text, errors);
	kp_fault_token start = w.token;
	*out = (kp_fault_action){0};
	if (kp_fault_take_action(&w, n_nodes, out)) {
		bool is_whole = w.token.kind == KP_FAULT_RULE_END && !kp_fault_words_begin(&w);
		if (!is_whole)
			kp_fault_expected(&w, "the end of the action");
		w.token = start;
		if (is_whole && kp_fault_is_of_request(out->kind))
			kp_fault_wrong(&w, "this acts on a request: add a rule that begins with 'on'");
	}
	if (w.is_bad)
		kp_fault_action_deinit(out);
	return !w.is_bad;
}
