/*
 * fuzz_fault_script.c - libFuzzer target: a fault script, and the same bytes as one action and as a line for the control socket would
 * have it. Rules that come out must be sound and, as they are listed, give themselves again.
 */
#include <stdlib.h>

#include "devbroker/fault_script.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void forget(kp_list *rules)
{
	for (kp_list *n; (n = kp_list_first(rules));)
		kp_fault_rule_free(KP_CONTAINER_OF(n, kp_fault_rule, link));
}

static void check_action(const kp_fault_action *a)
{
	must(a->min_us >= 0 && (a->min_us <= a->max_us || a->kind == KP_FAULT_REPLICATION));
	must(a->n >= 0 && a->node >= KP_FAULT_NEXT_NODE && a->node <= 3 && a->for_us >= 0);
	must(a->kind != KP_FAULT_ERROR || a->error_code != 0);
	must((a->kind != KP_FAULT_LEADER && a->kind != KP_FAULT_CUT && a->kind != KP_FAULT_FORGET) || (a->topic && *a->topic));
}

static void check_rule(const kp_fault_rule *r)
{
	kp_list again;
	kp_buf errors;
	must(r->text && r->first >= 1 && r->first <= r->last && r->every >= 1 && r->times >= 1 && r->chance > 0 && r->chance <= 1);
	must(r->is_timed || (r->apis[0] | r->apis[1]) != 0);
	must(!r->is_timed || !kp_fault_is_of_request(r->action.kind));
	must(r->from_us < r->until_us);
	check_action(&r->action);
	kp_list_init(&again);
	kp_buf_init(&errors, 0);
	must(kp_fault_script_parse(kp_slice_cstr(r->text), 3, &again, &errors));
	must(kp_list_first(&again) && kp_list_first(&again) == kp_list_last(&again));
	must(KP_CONTAINER_OF(kp_list_first(&again), kp_fault_rule, link)->action.kind == r->action.kind);
	forget(&again);
	kp_buf_deinit(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kp_list rules;
	kp_buf errors;
	kp_fault_action action;
	kp_list_init(&rules);
	kp_buf_init(&errors, 0);
	bool is_good = kp_fault_script_parse(kp_slice_of(data, size), 3, &rules, &errors);
	must(is_good == (errors.len == 0));
	for (kp_list *n = rules.next; n != &rules; n = n->next)
		check_rule(KP_CONTAINER_OF(n, kp_fault_rule, link));
	forget(&rules);
	kp_buf_clear(&errors);
	if (kp_fault_action_parse(kp_slice_of(data, size), 3, &action, &errors)) {
		check_action(&action);
		kp_fault_action_deinit(&action);
	}
	kp_buf_deinit(&errors);
	return 0;
}
