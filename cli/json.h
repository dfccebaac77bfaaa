/*
 * json.h - writes one JSON value to a stream, piece by piece; commas and escapes are its business, the nesting is the caller's.
 *
 *   cli_json_open(&j, NULL, '{');  cli_json_uint(&j, "records", 3);  cli_json_close(&j, '}');
 *
 * `name` is the member's name, NULL inside an array or at the top. Text that is not UTF-8 is written with U+FFFD in the place of the
 * bad bytes, so the output is always valid. A failed write shows in the stream (ferror).
 */
#ifndef KP_CLI_JSON_H
#define KP_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_JSON_ESCAPE_MAX 6

typedef struct cli_json {
	FILE *out;
	bool needs_comma;
} cli_json;

/* What must not stand in a JSON string as it is: a control byte, '"' or '\\'; and what stands for it, whose length is returned. */
static inline bool cli_json_is_special(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}
size_t cli_json_escape(unsigned char c, char out[CLI_JSON_ESCAPE_MAX]);

void cli_json_open(cli_json *j, const char *name, char bracket);
void cli_json_close(cli_json *j, char bracket);
void cli_json_text(cli_json *j, const char *name, const char *value); /* NULL: null */
void cli_json_uint(cli_json *j, const char *name, uint64_t value);
void cli_json_int(cli_json *j, const char *name, int64_t value);
void cli_json_real(cli_json *j, const char *name, double value, int decimals);
void cli_json_bool(cli_json *j, const char *name, bool value);

#endif
