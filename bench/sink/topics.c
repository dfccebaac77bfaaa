/*
 * topics.c - a topic for every name that is heard: a hash table that remembers the last one asked for.
 */
#include "sink.h"

#define SLOTS 1024

static topic *slots[SLOTS], *last;
static uint32_t n_topics;

static topic *topic_new(const char *name, int len, uint32_t hash)
{
	topic *t = must(calloc(1, sizeof(*t) + (size_t)len + 1));
	t->hash = hash;
	t->len = len;
	memcpy(t->name, name, (size_t)len);
	n_topics++;
	t->id[0] = 0x51;
	t->id[6] = 0x40;
	memcpy(t->id + 12, &n_topics, 4);
	t->next_offset = must(calloc((size_t)opt.n_partitions, sizeof(*t->next_offset)));
	t->next = slots[hash % SLOTS];
	return slots[hash % SLOTS] = t;
}

topic *topic_get(const char *name, int len)
{
	uint32_t h = 2166136261u;
	if (last && last->len == len && !memcmp(last->name, name, (size_t)len))
		return last;
	for (int i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	for (topic *t = slots[h % SLOTS]; t; t = t->next)
		if (t->hash == h && t->len == len && !memcmp(t->name, name, (size_t)len))
			return last = t;
	return last = topic_new(name, len, h);
}

topic *topic_by_id(const uint8_t id[16])
{
	if (last && !memcmp(last->id, id, 16))
		return last;
	for (int i = 0; i < SLOTS; i++)
		for (topic *t = slots[i]; t; t = t->next)
			if (!memcmp(t->id, id, 16))
				return last = t;
	return NULL;
}

int topics_all(topic **out, int max)
{
	int n = 0;
	for (int i = 0; i < SLOTS; i++)
		for (topic *t = slots[i]; t && n < max; t = t->next)
			out[n++] = t;
	return n;
}
