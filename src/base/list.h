/*
 * list.h - intrusive doubly linked list. A node that is in no list points at itself, so removal is idempotent.
 */
#ifndef KP_BASE_LIST_H
#define KP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct kp_list {
	struct kp_list *next, *prev;
} kp_list;

static inline void kp_list_init(kp_list *n)
{
	n->next = n->prev = n;
}

static inline bool kp_list_empty(const kp_list *head)
{
	return head->next == head;
}

/* True while the node stands in some list. */
static inline bool kp_list_linked(const kp_list *n)
{
	return n->next != n;
}

static inline void kp_list_insert_before(kp_list *at, kp_list *n)
{
	n->prev = at->prev;
	n->next = at;
	at->prev->next = n;
	at->prev = n;
}

static inline void kp_list_push_back(kp_list *head, kp_list *n)
{
	kp_list_insert_before(head, n);
}

static inline void kp_list_push_front(kp_list *head, kp_list *n)
{
	kp_list_insert_before(head->next, n);
}

static inline void kp_list_remove(kp_list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	kp_list_init(n);
}

/* First node, or NULL. */
static inline kp_list *kp_list_first(kp_list *head)
{
	return kp_list_empty(head) ? NULL : head->next;
}

static inline kp_list *kp_list_last(kp_list *head)
{
	return kp_list_empty(head) ? NULL : head->prev;
}

/* Take the first node out, or NULL. */
static inline kp_list *kp_list_pop_front(kp_list *head)
{
	kp_list *n = kp_list_first(head);
	if (n)
		kp_list_remove(n);
	return n;
}

/* Move all of `from` behind the last of `to`; `from` is empty afterwards. */
static inline void kp_list_splice_back(kp_list *to, kp_list *from)
{
	if (kp_list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	kp_list_init(from);
}

#endif
