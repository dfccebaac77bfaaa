/*
 * topic_name.h - what Kafka allows as a topic's name (org.apache.kafka.common.internals.Topic).
 */
#ifndef KP_CLIENT_TOPIC_NAME_H
#define KP_CLIENT_TOPIC_NAME_H

#include <stdbool.h>
#include <string.h>

#define KP_TOPIC_NAME_MAX 249

/* 1 to 249 of [a-zA-Z0-9._-], not "." or "..". */
static inline bool kp_topic_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = name ? strlen(name) : 0;
	return len > 0 && len <= KP_TOPIC_NAME_MAX && strspn(name, allowed) == len && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

#endif
