/*
 * watermark.c - how full buffer.memory is: high from the high mark on, or from a record that found no room above the low mark; low again
 * from the low mark down. The loop decides; others only tell it that there may be something to see, once a batch grew or went.
 *
 * No change is lost: who grew or freed a batch changes the figure, then reads is_high; the loop writes is_high, then reads the figure. Both
 * are sequentially consistent, so at least one of the two sees the other's write.
 */
#include "producer/engine_impl.h"

static bool is_off(const kp_engine *e)
{
	return e->config.high_watermark_bytes == 0;
}

static void tell_unless_high(kp_engine *e)
{
	/* seq_cst, adds nothing: puts the growth, which was relaxed, in order with is_high */
	(void)atomic_fetch_add(&e->shared.budget.used, 0);
	if (!atomic_load(&e->shared.is_high))
		kp_notify_news(e);
}

void kp_watermark_grown(kp_engine *e)
{
	if (!is_off(e) && kp_budget_used(&e->shared.budget) >= e->config.high_watermark_bytes)
		tell_unless_high(e);
}

void kp_watermark_no_room(kp_engine *e)
{
	if (is_off(e) || kp_budget_used(&e->shared.budget) <= e->config.low_watermark_bytes || atomic_load(&e->shared.is_high))
		return;
	atomic_store(&e->shared.has_refused, true); /* seq_cst: before has_news, whose reader looks for it */
	tell_unless_high(e);
}

void kp_watermark_freed(kp_engine *e)
{
	/* seq_cst: after n_freed, which grew with the room that came back */
	if (atomic_load(&e->shared.is_high) && kp_budget_used(&e->shared.budget) <= e->config.low_watermark_bytes)
		kp_notify_news(e);
}

bool kp_engine_watermark_passed(kp_engine *e, bool *is_high, int64_t *used)
{
	if (is_off(e))
		return false;
	bool was_high = atomic_load(&e->shared.is_high);
	bool has_refused = atomic_load(&e->shared.has_refused);
	(void)kp_engine_room_generation(e); /* whoever freed before this count was read is seen in the figure */
	int64_t now_used = atomic_load(&e->shared.budget.used);
	int64_t low = e->config.low_watermark_bytes;
	if (has_refused)
		atomic_store(&e->shared.has_refused, false);
	if (was_high ? now_used > low : now_used < e->config.high_watermark_bytes && !(has_refused && now_used > low))
		return false;
	atomic_store(&e->shared.is_high, !was_high);
	*is_high = !was_high;
	*used = now_used;
	return true;
}
