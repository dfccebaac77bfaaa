/*
 * parse.h - arguments as text into values. Pure. On a mistake nothing is written and the result is false.
 */
#ifndef KP_CLI_PARSE_H
#define KP_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "1000", "10k", "5M", "2G" (thousands), within [min, max]. */
bool cli_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* Seconds, also with a fraction or a unit: "10", "0.5", "250ms", "2m". Within [0, max_ms]. */
bool cli_parse_duration_ms(const char *text, int64_t max_ms, int64_t *out_ms);
/* A number per second from 0.000001 to 1G, or 0, also with a fraction or k, M, G. */
bool cli_parse_rate(const char *text, double *out);
/* Bytes with the escapes \t \r \n \0 \\ \xHH, in place; *len is the new length. */
bool cli_parse_escapes(char *text, size_t *len);

#endif
