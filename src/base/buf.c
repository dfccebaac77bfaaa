/*
 * buf.c - see buf.h. The allocation may exceed max by one byte, for the terminator that printf and cstr put behind len.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define FIRST_CAP 64

void kp_buf_init(kp_buf *b, size_t max)
{
	*b = (kp_buf){.max = max && max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

void kp_buf_deinit(kp_buf *b)
{
	kp_mem_free(b->data);
	*b = (kp_buf){.max = b->max};
}

void kp_buf_clear(kp_buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Make cap at least `need` (at most max + 1). Doubles, so that n appends copy O(n) bytes in all. */
static bool grow(kp_buf *b, size_t need)
{
	if (b->data && need <= b->cap)
		return true;
	size_t cap = b->cap < FIRST_CAP / 2 ? FIRST_CAP : b->cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap < need)
		cap = need;
	uint8_t *data = kp_mem_realloc(b->data, cap);
	if (!data)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *kp_buf_reserve(kp_buf *b, size_t n)
{
	if (b->failed || n > b->max - b->len || !grow(b, b->len + n)) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void kp_buf_append(kp_buf *b, const void *ptr, size_t n)
{
	if (!n)
		return;
	uint8_t *to = kp_buf_reserve(b, n);
	if (!to)
		return;
	memcpy(to, ptr, n);
	b->len += n;
}

void kp_buf_append_u8(kp_buf *b, uint8_t v)
{
	kp_buf_append(b, &v, 1);
}

void kp_buf_printf(kp_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	size_t room = b->cap - b->len;
	int n = vsnprintf(b->data ? (char *)b->data + b->len : NULL, room, fmt, ap);
	bool fits = !b->failed && n >= 0 && (size_t)n <= b->max - b->len;
	if (fits && (size_t)n >= room) {
		fits = grow(b, b->len + (size_t)n + 1);
		if (fits)
			vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	va_end(ap);
	if (fits)
		b->len += (size_t)n;
	else
		b->failed = true;
}

void kp_buf_consume(kp_buf *b, size_t n)
{
	assert(n <= b->len);
	if (n && n < b->len)
		memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *kp_buf_cstr(kp_buf *b)
{
	if (!grow(b, b->len + 1))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}
