/*
 * schema.h - what a Kafka message looks like, as data: one table of fields per struct. The reader and the writer walk these tables.
 *
 * A decoded message is a plain C struct; each field of the table knows the offset of its member:
 *
 *   wire type                    member
 *   BOOL INT8 .. INT64 FLOAT64   bool int8_t .. int64_t double
 *   UUID                         kp_uuid
 *   STRING BYTES RECORDS         kp_slice, a view of the input; ptr NULL is null
 *   ARRAY of T                   KP_WIRE_ARRAY(T); n = -1 is null; items live in the arena
 *   STRUCT                       the struct itself, or a pointer to it when the field is nullable in some version (NULL is null)
 *
 * The terms are those of Kafka's own message schemas (clients/src/main/resources/common/message/README.md).
 */
#ifndef KP_WIRE_SCHEMA_H
#define KP_WIRE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

typedef enum kp_wire_type {
	KP_WIRE_BOOL,
	KP_WIRE_INT8,
	KP_WIRE_INT16,
	KP_WIRE_UINT16,
	KP_WIRE_INT32,
	KP_WIRE_UINT32,
	KP_WIRE_INT64,
	KP_WIRE_FLOAT64,
	KP_WIRE_UUID,
	KP_WIRE_STRING,
	KP_WIRE_BYTES,
	KP_WIRE_RECORDS,
	KP_WIRE_STRUCT,
	KP_WIRE_ARRAY
} kp_wire_type;

typedef struct kp_uuid {
	uint8_t bytes[16]; /* all zero stands for "no id" */
} kp_uuid;

/* An array member. All of them have the layout of kp_wire_array. */
#define KP_WIRE_ARRAY(T)   \
	struct {           \
		T *items;  \
		int32_t n; \
	}

typedef struct kp_wire_array {
	void *items;
	int32_t n; /* -1: null */
} kp_wire_array;

#define KP_WIRE_MAX_STRING_BYTES 0x7fff /* Kafka's bound, also where the length could say more */

#define KP_WIRE_OPEN 127 /* `end` of a range that holds for every later version: "3+" */

/* Versions min <= v < end. All zero is the empty range. */
typedef struct kp_wire_range {
	int8_t min, end;
} kp_wire_range;

typedef struct kp_wire_struct kp_wire_struct;

typedef struct kp_wire_field {
	const char *name; /* as Kafka spells it */
	uint8_t type;     /* kp_wire_type */
	uint8_t elem;     /* kp_wire_type of the elements of an ARRAY */
	bool is_ignorable;
	bool is_default_null;
	bool is_never_flexible; /* keeps its old length prefix in flexible versions (ClientId of the request header) */
	uint8_t tag;            /* means something in the versions of `tagged` only */
	kp_wire_range versions, nullable, tagged;
	uint32_t offset;           /* of the member in the C struct */
	uint32_t elem_size;        /* sizeof one element of an ARRAY */
	int64_t default_value;     /* of a number; 0 or 1 of a BOOL. Other types: empty, or null by is_default_null */
	const kp_wire_struct *sub; /* of a STRUCT, or of an ARRAY of them */
} kp_wire_field;

struct kp_wire_struct {
	const char *name; /* as Kafka spells it */
	const kp_wire_field *fields;
	uint32_t n_fields;
	uint32_t size; /* sizeof the C struct */
};

typedef enum kp_wire_kind { KP_WIRE_REQUEST, KP_WIRE_RESPONSE, KP_WIRE_HEADER } kp_wire_kind;

typedef struct kp_wire_message {
	int16_t api_key; /* -1 for a header */
	uint8_t kind;    /* kp_wire_kind */
	int8_t min_version, max_version;
	int8_t flexible_min; /* first version with compact lengths and tagged fields (KIP-482) */
	bool is_latest_unstable;
	const kp_wire_struct *root; /* its name is the message's name */
} kp_wire_message;

static inline bool kp_wire_in(kp_wire_range range, int version)
{
	return version >= range.min && version < range.end;
}

/* Bytes on the wire of a type that has one size; 0 for the others. */
static inline size_t kp_wire_scalar_size(kp_wire_type type)
{
	static const uint8_t sizes[KP_WIRE_ARRAY + 1] = {
		[KP_WIRE_BOOL] = 1,   [KP_WIRE_INT8] = 1,  [KP_WIRE_INT16] = 2,   [KP_WIRE_UINT16] = 2, [KP_WIRE_INT32] = 4,
		[KP_WIRE_UINT32] = 4, [KP_WIRE_INT64] = 8, [KP_WIRE_FLOAT64] = 8, [KP_WIRE_UUID] = 16,
	};
	return sizes[type];
}

/* Whether some version allows null. */
static inline bool kp_wire_is_nullable(const kp_wire_field *f)
{
	return f->nullable.end > f->nullable.min;
}

static inline bool kp_wire_is_flexible(const kp_wire_message *m, int version)
{
	return version >= m->flexible_min;
}

/*
 * Give n structs of type s their default values. Call it before filling a message to be written: a default is not always zero
 * (-1 for most epochs), and a value that is not the default cannot be sent in a version that lacks the field.
 */
void kp_wire_init(const kp_wire_struct *s, void *items, size_t n);
/* Give one member its default; dst is the member, not the struct. */
void kp_wire_set_default(const kp_wire_field *f, void *dst);
/* Whether the member holds its default, as Kafka's writer decides it. */
bool kp_wire_is_default(const kp_wire_field *f, const void *src);

#endif
