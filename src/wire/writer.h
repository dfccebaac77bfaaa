/*
 * writer.h - encode one message body; record batches may stay where they are (zero copy).
 *
 *   out:   [ fields .. length ][ fields .. length ][ fields ]
 *                             ^pos of ref 0       ^pos of ref 1
 *   sent:  fields, bytes of ref 0, fields, bytes of ref 1, fields: out->len + refs->n_bytes bytes in all
 */
#ifndef KP_WIRE_WRITER_H
#define KP_WIRE_WRITER_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/schema.h"

typedef struct kp_wire_ref {
	size_t pos;     /* the bytes belong in front of this position of the out buffer */
	kp_slice bytes; /* never empty; a view of what the message points to */
} kp_wire_ref;

/* Owns the list, not the bytes. Clear it between messages to reuse its memory. Positions ascend. */
typedef struct kp_wire_refs {
	kp_wire_ref *items;
	size_t n, cap;
	size_t n_bytes; /* of all the slices together */
} kp_wire_refs;

void kp_wire_refs_init(kp_wire_refs *refs); /* allocates nothing */
void kp_wire_refs_deinit(kp_wire_refs *refs);
void kp_wire_refs_clear(kp_wire_refs *refs);

/*
 * Append version `version` of *in, a struct of m->root->size bytes, to out. With refs, RECORDS fields are added to it instead of
 * being copied; with NULL they are copied. Tagged fields that hold their default are left out, as Kafka does it.
 * A null slice in a field that is never nullable counts as empty, so that a zeroed struct can be written; better start from
 * kp_wire_init.
 * Returns KP_OK; KP_ERR_NOT_SUPPORTED when m lacks the version, or the version lacks a field that is set and must not be
 * dropped, or cannot express a null; KP_ERR_BAD_ARGUMENT for a negative count or an over-long string; KP_ERR_NO_MEMORY when out
 * or refs cannot grow. On error out->len and refs are as before. Any thread; never blocks.
 */
KP_MUST_USE int kp_wire_write(const kp_wire_message *m, int version, const void *in, kp_buf *out, kp_wire_refs *refs);

#endif
