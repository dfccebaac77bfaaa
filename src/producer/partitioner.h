/*
 * partitioner.h - where a record goes: Kafka's murmur2 over all partitions for keys, uniform sticky with adaptive weights for the rest.
 *
 * Keyless (KIP-480, KIP-794): a thread stays on one partition until it has put batch.size bytes there, or KP_STICKY_MIN bytes and the
 * batch is closed; then it draws another among those with a reachable leader, the likelier the fewer batches wait there.
 */
#ifndef KP_PRODUCER_PARTITIONER_H
#define KP_PRODUCER_PARTITIONER_H

#include <stdint.h>

#include "base/slice.h"
#include "producer/topic.h"

#define KP_STICKY_MIN 16384u /* Java's batch.size: low rates spread as evenly as with the Java client */

typedef struct kp_sticky {
	uint64_t topic; /* serial; 0: none */
	int32_t partition;
	uint32_t bytes; /* put there since it was drawn */
} kp_sticky;

/* murmur2 as org.apache.kafka.common.utils.Utils has it. */
uint32_t kp_partitioner_murmur2(const uint8_t *key, size_t len);

static inline int32_t kp_partitioner_by_key(kp_slice key, int32_t n_partitions)
{
	return (int32_t)((kp_partitioner_murmur2(key.ptr, key.len) & 0x7fffffff) % (uint32_t)n_partitions);
}

/* This thread's sticky choice for the topic, drawn anew if there is none. */
kp_sticky *kp_partitioner_sticky(kp_topic *t, int32_t n_partitions);
/* Draw another partition. */
void kp_partitioner_switch(kp_topic *t, kp_sticky *s, int32_t n_partitions);

#endif
