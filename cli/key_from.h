/*
 * key_from.h - --key-from: the key of a record is what a POSIX extended regular expression finds in its value. Pure.
 */
#ifndef KP_CLI_KEY_FROM_H
#define KP_CLI_KEY_FROM_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include <kproducer/kproducer.h>

typedef struct cli_key_from {
	regex_t regex;
	bool is_set;
} cli_key_from;

/* false: err tells why it is no expression. */
bool cli_key_from_init(cli_key_from *k, const char *expression, char *err, size_t err_size);
void cli_key_from_deinit(cli_key_from *k);
/*
 * The key is what the first group holds, or the whole match when there is no group; null when nothing matches or the group took no
 * part. Values are bytes, '\n' is like any other; NUL too, but that '.' does not match it.
 */
void cli_key_from_apply(const cli_key_from *k, kp_record *r);

#endif
