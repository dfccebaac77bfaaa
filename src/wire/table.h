/*
 * table.h - the words the field tables are written in; only msg_*.c and header.c include it.
 *
 *   #define SELF kp_produce_request
 *   FIELD(INT16, acks, "Acks", SINCE(0)),
 *
 * reads: the member `acks` of kp_produce_request is the INT16 field "Acks" of every version. A member whose C type does not fit
 * the wire type does not compile (_Generic has no branch for it).
 */
#ifndef KP_WIRE_TABLE_H
#define KP_WIRE_TABLE_H

#include "base/compiler.h"
#include "wire/schema.h"

#define KP_WIRE_C_BOOL bool
#define KP_WIRE_C_INT8 int8_t
#define KP_WIRE_C_INT16 int16_t
#define KP_WIRE_C_UINT16 uint16_t
#define KP_WIRE_C_INT32 int32_t
#define KP_WIRE_C_UINT32 uint32_t
#define KP_WIRE_C_INT64 int64_t
#define KP_WIRE_C_FLOAT64 double
#define KP_WIRE_C_UUID kp_uuid
#define KP_WIRE_C_STRING kp_slice
#define KP_WIRE_C_BYTES kp_slice
#define KP_WIRE_C_RECORDS kp_slice

/* offsetof, given that `expr` (the member, or what its array points to) has type T. */
#define KP_WIRE_OFFSET(T, expr, member) _Generic((expr), T : offsetof(SELF, member))

/* clang-format off */

/* One value of a simple type. */
#define FIELD(TYPE, member, kafka_name, ...)                                                                            \
	{.name = kafka_name, .type = KP_WIRE_##TYPE,                                                                    \
	 .offset = KP_WIRE_OFFSET(KP_WIRE_C_##TYPE, ((SELF *)0)->member, member), __VA_ARGS__}
/* An array of a simple type. */
#define ARRAY(TYPE, member, kafka_name, ...)                                                                            \
	{.name = kafka_name, .type = KP_WIRE_ARRAY, .elem = KP_WIRE_##TYPE, .elem_size = sizeof(KP_WIRE_C_##TYPE),      \
	 .offset = KP_WIRE_OFFSET(KP_WIRE_C_##TYPE *, ((SELF *)0)->member.items, member), __VA_ARGS__}
/* An array of the struct E, whose table is E_schema. */
#define STRUCTS(E, member, kafka_name, ...)                                                                             \
	{.name = kafka_name, .type = KP_WIRE_ARRAY, .elem = KP_WIRE_STRUCT, .elem_size = sizeof(E), .sub = &E##_schema, \
	 .offset = KP_WIRE_OFFSET(E *, ((SELF *)0)->member.items, member), __VA_ARGS__}
/* One struct E; NULLABLE_STRUCT: a pointer to one, its default is null. */
#define STRUCT(E, member, kafka_name, ...)                                                                              \
	{.name = kafka_name, .type = KP_WIRE_STRUCT, .sub = &E##_schema,                                                \
	 .offset = KP_WIRE_OFFSET(E, ((SELF *)0)->member, member), __VA_ARGS__}
#define NULLABLE_STRUCT(E, member, kafka_name, ...)                                                                     \
	{.name = kafka_name, .type = KP_WIRE_STRUCT, .sub = &E##_schema, .is_default_null = true,                       \
	 .offset = KP_WIRE_OFFSET(E *, ((SELF *)0)->member, member), __VA_ARGS__}

/* What may follow the name. Versions are inclusive, as in the schemas: SINCE(3) is "3+", BETWEEN(0, 12) is "0-12". */
#define SINCE(v) .versions = {v, KP_WIRE_OPEN}
#define BETWEEN(first, last) .versions = {first, (last) + 1}
#define NULLABLE(v) .nullable = {v, KP_WIRE_OPEN}
#define NULLABLE_BETWEEN(first, last) .nullable = {first, (last) + 1}
#define TAGGED(number, v) .tag = number, .tagged = {v, KP_WIRE_OPEN}
#define DEFAULT(value) .default_value = value
#define DEFAULT_NULL .is_default_null = true
#define IGNORABLE .is_ignorable = true
#define NEVER_FLEXIBLE .is_never_flexible = true

#define NO_FLEXIBLE_VERSIONS KP_WIRE_OPEN /* flexible_min of such a message */

/* The schema of struct S from its table S_fields. */
#define SCHEMA(S, kafka_name)                                                                                           \
	const kp_wire_struct S##_schema = {kafka_name, S##_fields, KP_ARRAY_LEN(S##_fields), sizeof(S)}

#endif
