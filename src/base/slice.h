/*
 * slice.h - a view of bytes: it never owns. A null slice (ptr == NULL) is not the same as an empty one.
 */
#ifndef KP_BASE_SLICE_H
#define KP_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct kp_slice {
	const uint8_t *ptr; /* NULL means null, whatever len says */
	size_t len;
} kp_slice;

static inline kp_slice kp_slice_of(const void *ptr, size_t len)
{
	return (kp_slice){(const uint8_t *)ptr, len};
}

static inline kp_slice kp_slice_null(void)
{
	return (kp_slice){NULL, 0};
}

/* View of a C string without its terminator; NULL gives the null slice. */
static inline kp_slice kp_slice_cstr(const char *s)
{
	return s ? kp_slice_of(s, strlen(s)) : kp_slice_null();
}

static inline bool kp_slice_is_null(kp_slice s)
{
	return s.ptr == NULL;
}

/* Equal bytes; null equals only null. */
static inline bool kp_slice_equal(kp_slice a, kp_slice b)
{
	if (!a.ptr || !b.ptr)
		return a.ptr == b.ptr;
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

#endif
