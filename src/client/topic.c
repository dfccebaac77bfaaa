#include "producer/topic.h"

#include <kproducer/kproducer.h>

const char *kp_topic_name(const kp_topic *t)
{
	return t->name;
}
