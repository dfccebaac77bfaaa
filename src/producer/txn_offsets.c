#include "producer/txn_offsets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *text_copy(char **at, const char *text)
{
	char *copy = *at;
	if (!text)
		return NULL;
	size_t size = text_size(text);
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

/* The caller's structs may be those of another version of the header. */
static const kp_offset *offset_at(const kp_offset *offsets, size_t i)
{
	return (const kp_offset *)(const void *)((const char *)offsets + i * offsets->struct_size);
}

static int by_place(const void *a, const void *b)
{
	const kp_txn_offset *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);
	return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

bool kp_txn_offsets_has_twice(const kp_txn_offsets *o)
{
	for (size_t i = 1; i < o->n; i++)
		if (by_place(&o->items[i - 1], &o->items[i]) == 0)
			return true;
	return false;
}

kp_txn_offsets *kp_txn_offsets_new(const kp_group_metadata *group, const kp_offset *offsets, size_t n)
{
	size_t head = sizeof(kp_txn_offsets) + n * sizeof(kp_txn_offset);
	const char *member = group->member_id ? group->member_id : "";
	size_t size = head + text_size(group->group_id) + text_size(member) + text_size(group->group_instance_id);
	for (size_t i = 0; i < n; i++)
		size += text_size(offset_at(offsets, i)->topic) + text_size(offset_at(offsets, i)->metadata);
	kp_txn_offsets *o = kp_mem_alloc(size);
	if (!o)
		return NULL;
	char *at = (char *)o + head;
	*o = (kp_txn_offsets){.group_id = text_copy(&at, group->group_id),
	                      .member_id = text_copy(&at, member),
	                      .group_instance_id = text_copy(&at, group->group_instance_id),
	                      .generation_id = group->generation_id,
	                      .n = n};
	for (size_t i = 0; i < n; i++) {
		const kp_offset *from = offset_at(offsets, i);
		o->items[i] = (kp_txn_offset){.topic = text_copy(&at, from->topic),
		                              .metadata = text_copy(&at, from->metadata),
		                              .partition = from->partition,
		                              .leader_epoch = from->leader_epoch,
		                              .offset = from->offset};
	}
	qsort(o->items, n, sizeof(o->items[0]), by_place);
	return o;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool kp_txn_offsets_equal(const kp_txn_offsets *a, const kp_txn_offsets *b)
{
	if (!is_same_text(a->group_id, b->group_id) || !is_same_text(a->member_id, b->member_id) ||
	    !is_same_text(a->group_instance_id, b->group_instance_id) || a->generation_id != b->generation_id || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const kp_txn_offset *x = &a->items[i], *y = &b->items[i];
		if (!is_same_text(x->topic, y->topic) || !is_same_text(x->metadata, y->metadata) || x->partition != y->partition ||
		    x->leader_epoch != y->leader_epoch || x->offset != y->offset)
			return false;
	}
	return true;
}
