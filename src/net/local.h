/*
 * local.h - Unix sockets to listen on, for listener.c: the path, who may use it, and what a dead program left there.
 */
#ifndef KP_NET_LOCAL_H
#define KP_NET_LOCAL_H

#include "base/compiler.h"

/* The path of a socket of ours. */
typedef struct kp_local kp_local;

/* A listening, non-blocking socket that only its owner may use; -1 with *why (static, or of strerror). */
KP_MUST_USE int kp_local_listen(const char *path, kp_local **out, const char **why);
/* Removes the path, if it is still ours. NULL is fine. */
void kp_local_free(kp_local *p);

#endif
