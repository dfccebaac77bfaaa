/*
 * recovery.h - is what stands in a segment what was written there? Looked at batch by batch, before anything trusts it.
 */
#ifndef KP_DEVBROKER_RECOVERY_H
#define KP_DEVBROKER_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * The batch at the start of `bytes` must be whole, of format 2 and begin with `offset`; `sums`: its checksum must be right too. NULL and
 * its size; or what is wrong, in words that complete "damaged at byte 5: ".
 */
const char *kp_db_recover_batch(kp_slice bytes, int64_t offset, bool sums, size_t *size);

/* Does a whole batch with a right checksum and an offset from `offset` on begin anywhere in the bytes? */
bool kp_db_recover_finds_batch(kp_slice bytes, int64_t offset);

/* How many of the bytes are left without the zeros at their end: what was reserved and never written. */
size_t kp_db_recover_used(kp_slice bytes);

#endif
