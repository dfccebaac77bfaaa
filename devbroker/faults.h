/*
 * faults.h - the fault engine: the rules in force, which of them fire for a request, and what is due in the cluster.
 *
 *   request ─▶ [ judge ] ─▶ every rule in order: does it match? count it; does it fire? ─▶ kp_db_fate, or something due in the cluster
 *   now ─────────────────────────────────────────────────────────────────────────────▶ kp_faults_due ─▶ kp_fault_act, or the server
 *
 * Each rule counts the requests that match it and draws its own random numbers, so rules do not disturb each other. Delays add up, of the
 * other kinds the first rule that fires wins. Deterministic: no clock, no random source, the same seed, requests and times give the same
 * faults. Not thread-safe, nothing blocks.
 */
#ifndef KP_DEVBROKER_FAULTS_H
#define KP_DEVBROKER_FAULTS_H

#include "devbroker/fault_script.h"
#include "devbroker/judge.h"

typedef struct kp_faults kp_faults;

typedef struct kp_fault_info {
	uint64_t id; /* from 1, never used again */
	const char *text;
	uint64_t n_matched; /* requests; of a timed rule, how often its time came */
	uint64_t n_fired;
	int64_t *told_us; /* for the use of kp_faults_fired alone: 0 at first */
} kp_fault_info;

/*
 * A rule fired: for logs. q is NULL for a timed rule. error: why it had no effect, or NULL. Must not change the faults.
 */
typedef void kp_faults_fired(void *opaque, const kp_fault_info *rule, const kp_db_asked *q, const char *error);

/* seed: of rules without one of their own. fired may be NULL. NULL when memory is out. */
KP_MUST_USE kp_faults *kp_faults_new(uint64_t seed, kp_faults_fired *fired, void *opaque);
void kp_faults_free(kp_faults *f);

/*
 * Take all rules (of kp_fault_rule); their times count from now. *first_id (may be NULL) is the id of the first, the others follow.
 * KP_ERR_NO_MEMORY or KP_ERR_BAD_ARGUMENT (more than KP_FAULT_RULES_MAX): the rules are still the caller's.
 */
KP_MUST_USE int kp_faults_add(kp_faults *f, kp_list *rules, int64_t now_us, uint64_t *first_id);
bool kp_faults_remove(kp_faults *f, uint64_t id); /* false: there is none */
void kp_faults_clear(kp_faults *f);               /* nodes stay as they are; those that were to come up later still do */
/* The rule behind `id` (0: the first); false at the end. */
bool kp_faults_next(const kp_faults *f, uint64_t id, kp_fault_info *out);
/* True when no rule can ever act on a request: the judge need not be asked. */
bool kp_faults_has_requests(const kp_faults *f);

/* For kp_db_set_judge. The faults must outlive the core's use of it. */
kp_db_judge kp_faults_judge(kp_faults *f);

/* What is to be done to the cluster now. Valid until the next call on these faults. */
typedef struct kp_fault_event {
	kp_fault_action action;
	uint64_t id; /* of the rule; 0: the end of a "for", or of a `do` */
} kp_fault_event;
/* The next event that is due, oldest first; false when there is none. */
bool kp_faults_due(kp_faults *f, int64_t now_us, kp_fault_event *out);
bool kp_faults_is_due(const kp_faults *f); /* a request made something due: cheap */
int64_t kp_faults_deadline(const kp_faults *f);
/* What was done of an event: counted and told. error: why it could not be done, or NULL. */
void kp_faults_done(kp_faults *f, const kp_fault_event *e, const char *error);
/* Node `node` shall be up again then; replaces what was to happen to it. KP_TIME_NEVER: nothing more. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_faults_up_at(kp_faults *f, int32_t node, int64_t at_us);

/*
 * Do it to the core: leaders, logs, producers, replication, nodes down and up (their sockets are the server's; stuck and disconnect are
 * the server's altogether). 0, or an error with its reason in `why`.
 */
KP_MUST_USE int kp_fault_act(kp_db *db, const kp_fault_action *a, char *why, size_t why_size);

#endif
