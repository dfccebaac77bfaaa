/*
 * base64.h - RFC 4648's standard alphabet with padding: bytes that JSON text cannot hold. Pure.
 */
#ifndef KP_CLI_BASE64_H
#define KP_CLI_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/*
 * false: not base64. out NULL: check only. In place (out == in) is allowed: the result is shorter. A '\' before a '/' is passed
 * over, for JSON may escape it so.
 */
bool cli_base64_decode(const char *in, size_t len, char *out, size_t *out_len);

/* Encoding in pieces of any size: zero it, put, put, …, end. */
typedef struct cli_base64 {
	unsigned char carry[3];
	size_t n; /* in carry */
} cli_base64;

#define CLI_BASE64_ROOM(n) (((n) + 4) / 3 * 4) /* what a put of n bytes may need */
size_t cli_base64_put(cli_base64 *b, const void *in, size_t n, char *out);
size_t cli_base64_end(cli_base64 *b, char out[4]);

#endif
