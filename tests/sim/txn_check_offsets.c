/*
 * txn_check_offsets.c - I6, of offsets: a group has committed what its last committed transaction says, and nothing of any other.
 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/txn.h"

static bool has_offsets(const sim_txn *t)
{
	static const int64_t none[SIM_GROUPS][SIM_GROUP_PARTITIONS];
	return memcmp(t->offsets, none, sizeof(none)) != 0;
}

/* What a group may have committed for a partition: what the last committed transaction that has an offset for it says. */
static void check_group(sim_world *w, int id, int group, int32_t partition)
{
	char name[32];
	bool is_pending = false, is_right = true;
	sim_group_name(id, group, name, sizeof(name));
	int64_t offset = kp_db_committed_offset(w->db, name, w->plan.topics[0].name, partition, &is_pending), last = -1;
	if (is_pending)
		sim_fail(w, "I6", "%s: offsets of a transaction that is not ended", name);
	is_right = offset == -1;
	for (size_t i = 0; i < w->txns->n; i++) {
		const sim_txn *t = &w->txns->all[i];
		int64_t its = t->offsets[group][partition];
		if (t->id != id || its == 0)
			continue;
		bool is_committed = t->told == SIM_TOLD_COMMITTED || t->n_visible > 0;
		bool may_be = t->told == SIM_TOLD_NOTHING && t->is_commit_built && t->n_records == 0;
		if (is_committed) {
			is_right = offset == its;
			last = its;
		} else if (may_be) {
			is_right |= offset == its;
		}
	}
	if (!is_right)
		sim_fail(w, "I6", "%s has committed %lld for partition %d, its last transaction says %lld", name, (long long)offset,
		         partition, (long long)last);
}

void sim_txn_check_offsets(sim_world *w)
{
	for (size_t i = 0; i < w->txns->n; i++)
		w->totals->offset_txns += has_offsets(&w->txns->all[i]);
	for (int id = 0; id < w->plan.n_txn_ids; id++)
		for (int g = 0; g < SIM_GROUPS; g++)
			for (int32_t i = 0; i < SIM_GROUP_PARTITIONS; i++)
				check_group(w, id, g, i);
}
