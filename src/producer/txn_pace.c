#include "producer/txn_pace.h"

#define FIRST_US 1000
#define MOST_US 20000 /* what coming too early costs */
/* So much longer than usual takes what came too early, once; what takes longer still has another cause. */
#define EARLY_LEAST_US 15000
#define EARLY_MOST_US 30000
/*
 * A step for each that came too early, and a little of it back for each other: so about one in thirty comes too early with a pause of 2 ms.
 * The larger the pause, the more is taken back: where something else makes one in twenty slow, it stays below 4 ms.
 */
#define STEP_US 400
#define BACK_US 5
#define BACK_BY 256
#define USUAL_BY 64
#define LOOK_EVERY 32

void kp_txn_pace_init(kp_txn_pace *pace)
{
	*pace = (kp_txn_pace){.pause_us = FIRST_US};
}

void kp_txn_pace_ended(kp_txn_pace *pace, int64_t now_us)
{
	/* If all came too early that would seem usual: now and then one certainly does not. */
	bool is_to_look = pace->usual_us >= EARLY_LEAST_US && pace->n_slow++ % LOOK_EVERY == 0;
	pace->until_us = now_us + (is_to_look ? MOST_US : pace->pause_us);
}

void kp_txn_pace_produced(kp_txn_pace *pace, int64_t took_us)
{
	int64_t more_us = took_us - pace->usual_us;
	if (!pace->usual_us || more_us < 0) {
		pace->usual_us = took_us > 0 ? took_us : 1;
		more_us = 0;
	}
	if (more_us >= EARLY_LEAST_US && more_us <= EARLY_MOST_US)
		pace->pause_us += STEP_US;
	else
		pace->pause_us -= BACK_US + pace->pause_us / BACK_BY;
	pace->pause_us = pace->pause_us < 0 ? 0 : pace->pause_us > MOST_US ? MOST_US : pace->pause_us;
	/* what is slow for another reason becomes usual in time */
	pace->usual_us += (more_us < EARLY_MOST_US ? more_us : EARLY_MOST_US) / USUAL_BY;
}
