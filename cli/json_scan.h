/*
 * json_scan.h - reads the tokens of JSON (RFC 8259) from one line in memory. Pure.
 *
 * Strings are checked first and decoded later, in place: nothing in the line changes until it is known to be right as a whole, so a
 * malformed line can still be shown and kept as it came. The first mistake sticks, later calls return false.
 */
#ifndef KP_CLI_JSON_SCAN_H
#define KP_CLI_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_json_scan {
	char *begin, *p, *end;
	const char *problem; /* static text, NULL: none */
	size_t problem_at;   /* the byte, from 0 */
} cli_json_scan;

/* What stands between the quotes. */
typedef struct cli_json_string {
	char *ptr; /* NULL: null */
	size_t len;
	bool has_escapes;
} cli_json_string;

void cli_json_scan_init(cli_json_scan *s, char *line, size_t len);
/* Remember a mistake at a byte; always false. */
bool cli_json_fail(cli_json_scan *s, const char *at, const char *problem);
/* Whether the next character is c; if so it is passed over. Blanks before it are. */
bool cli_json_take(cli_json_scan *s, char c);
/* The same, and otherwise a mistake. */
bool cli_json_want(cli_json_scan *s, char c, const char *problem);
bool cli_json_at_end(cli_json_scan *s);
bool cli_json_null(cli_json_scan *s); /* false and no mistake when something else comes */
bool cli_json_string_next(cli_json_scan *s, cli_json_string *out);
bool cli_json_int_next(cli_json_scan *s, int64_t *out);
/* A string, number, true, false or null that nobody wants. */
bool cli_json_skip_scalar(cli_json_scan *s);

/* Decode in place; the new length. Only what was scanned. */
size_t cli_json_unescape(char *text, size_t len);

#endif
