#include "client/producer_impl.h"
#include "producer/topic.h"

#include <kproducer/kproducer.h>

const char *kp_topic_name(const kp_topic *t)
{
	return kp_topic_is_forked(t) ? NULL : t->name;
}

int kp_topic_resume(kp_topic *t, int32_t partition)
{
	return kp_topic_is_forked(t) ? KP_ERR_FORKED : kp_engine_resume(t, partition);
}
