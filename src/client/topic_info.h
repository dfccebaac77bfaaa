/*
 * topic_info.h - what Metadata says about topics, as the application gets it.
 */
#ifndef KP_CLIENT_TOPIC_INFO_H
#define KP_CLIENT_TOPIC_INFO_H

#include <kproducer/kproducer.h>

#include "base/compiler.h"
#include "wire/msg_metadata.h"

typedef struct kp_topic_infos {
	kp_topic_info *items; /* kp_topic_infos_free */
	size_t n;
} kp_topic_infos;

/*
 * Topics by their names, partitions by their numbers: brokers before 4.0 answer in no order that means something. 0 or KP_ERR_NO_MEMORY; also
 * then *out holds something to free. Any thread, does not block.
 */
KP_MUST_USE int kp_topic_infos_take(kp_topic_infos *out, const kp_metadata_response *answer);

#endif
