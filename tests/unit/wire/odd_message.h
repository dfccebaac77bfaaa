/*
 * odd_message.h - a message that has what Kafka's schemas allow but the real ones here lack: nullable structs, unsigned and
 * floating numbers, records in a tagged field, tags out of table order.
 */
#ifndef KP_TEST_WIRE_ODD_MESSAGE_H
#define KP_TEST_WIRE_ODD_MESSAGE_H

#include "wire/table.h"

typedef struct odd_cursor {
	kp_slice topic;
	int32_t partition; /* default -1 */
} odd_cursor;

typedef struct odd {
	uint16_t port;
	uint32_t size;
	double ratio;
	odd_cursor *cursor;            /* 1+, nullable 1+ */
	KP_WIRE_ARRAY(kp_slice) blobs; /* BYTES */
	kp_slice late;                 /* tag 3 */
	kp_slice records;              /* tag 1 */
	odd_cursor *tagged_cursor;     /* tag 2, nullable */
	kp_slice strict;               /* 1+, must not be dropped; nullable 2+ */
	int32_t loose;                 /* 1+, ignorable */
} odd;

/* clang-format off */
#define SELF odd_cursor
static const kp_wire_field odd_cursor_fields[] = {
	FIELD(STRING, topic, "Topic", SINCE(0)),
	FIELD(INT32, partition, "Partition", SINCE(0), DEFAULT(-1)),
};
#undef SELF
static const kp_wire_struct odd_cursor_schema = {"Cursor", odd_cursor_fields, 2, sizeof(odd_cursor)};

#define SELF odd
static const kp_wire_field odd_fields[] = {
	FIELD(UINT16, port, "Port", SINCE(0)),
	FIELD(UINT32, size, "Size", SINCE(0)),
	FIELD(FLOAT64, ratio, "Ratio", SINCE(0)),
	NULLABLE_STRUCT(odd_cursor, cursor, "Cursor", SINCE(1), NULLABLE(1)),
	ARRAY(BYTES, blobs, "Blobs", SINCE(0)),
	FIELD(STRING, late, "Late", SINCE(1), TAGGED(3, 1), IGNORABLE),
	FIELD(RECORDS, records, "Records", SINCE(1), TAGGED(1, 1), NULLABLE(1), DEFAULT_NULL, IGNORABLE),
	NULLABLE_STRUCT(odd_cursor, tagged_cursor, "TaggedCursor", SINCE(1), TAGGED(2, 1), NULLABLE(1), IGNORABLE),
	FIELD(STRING, strict, "Strict", SINCE(1), NULLABLE(2)),
	FIELD(INT32, loose, "Loose", SINCE(1), IGNORABLE),
};
#undef SELF
/* clang-format on */
static const kp_wire_struct odd_schema = {"Odd", odd_fields, KP_ARRAY_LEN(odd_fields), sizeof(odd)};

/* Version 0 is not flexible, 1 and 2 are. */
static const kp_wire_message odd_message = {
	.api_key = 999,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 2,
	.flexible_min = 1,
	.root = &odd_schema,
};

#endif
