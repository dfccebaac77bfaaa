/*
 * utf8.h - which bytes are text. Pure.
 */
#ifndef KP_CLI_UTF8_H
#define KP_CLI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 sequence at s (RFC 3629: no surrogates, nothing overlong), 0 when it is none. n > 0: bytes at s. */
size_t cli_utf8_length(const void *s, size_t n);
bool cli_utf8_is_text(const void *s, size_t n);
/* The sequence of a code point into out[4]; its length. */
size_t cli_utf8_put(unsigned code_point, char *out);

#endif
