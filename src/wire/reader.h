/*
 * reader.h - decode one message body from bytes nobody vouches for.
 *
 * Every length and count is compared with what is left of the input before it is used; memory comes from the caller's arena, whose
 * `max` bounds it. The error is sticky inside: the walk stops at the first one.
 */
#ifndef KP_WIRE_READER_H
#define KP_WIRE_READER_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/schema.h"

/*
 * Decode version `version` of m from the front of `in` into *out, a struct of m->root->size bytes that need not be initialised.
 * Fields the version lacks, and absent tagged fields, get their defaults; tagged fields the table does not know are skipped.
 * Slices of *out view `in`, arrays live in the arena: *out dies with the first of the two. The arena may be NULL for a message
 * without arrays. *consumed (may be NULL) gets the bytes used: what lies behind them is the caller's business.
 * Returns KP_OK; KP_ERR_PROTOCOL for malformed or short input; KP_ERR_NO_MEMORY when memory or the arena's bound is out;
 * KP_ERR_NOT_SUPPORTED for a version m does not have. On error *out is zeroed. Any thread; never blocks.
 */
KP_MUST_USE int kp_wire_read(const kp_wire_message *m, int version, kp_slice in, kp_arena *arena, void *out, size_t *consumed);

#endif
