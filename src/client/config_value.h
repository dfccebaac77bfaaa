/*
 * config_value.h - text to value and back, for one row of the property table.
 */
#ifndef KP_CLIENT_CONFIG_VALUE_H
#define KP_CLIENT_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "client/config_table.h"
#include "client/settings.h"

/* Text that is being put together in a caller's buffer: cut to fit, always terminated, counted whole. */
typedef struct kp_text {
	char *text; /* may be NULL when size is 0 */
	size_t size;
	size_t len; /* what it would be without the cut, without the terminator */
} kp_text;

void kp_text_init(kp_text *t, char *text, size_t size);
void kp_text_add(kp_text *t, const char *fmt, ...) KP_PRINTF(2, 3);

/* Where a function explains itself to the user. */
typedef struct kp_err_line {
	char *text; /* may be NULL */
	size_t size;
} kp_err_line;

/* One line to err, control characters replaced since it holds what users wrote. Returns KP_ERR_BAD_CONFIG. */
int kp_config_refuse(kp_err_line err, const char *fmt, ...) KP_PRINTF(2, 3);

typedef enum kp_number_result { KP_NUMBER_OK, KP_NUMBER_MALFORMED, KP_NUMBER_TOO_LARGE } kp_number_result;

/* A number with up to three decimals: value = (is_negative ? -1 : 1) * (|whole| + thousandths / 1000). */
typedef struct kp_number {
	int64_t whole; /* carries the sign */
	int thousandths;
	bool is_negative;
} kp_number;

/* Decimal, with an optional sign. *out is written when KP_NUMBER_OK. */
kp_number_result kp_number_parse(kp_slice text, kp_number *out);

kp_slice kp_slice_trim(kp_slice s); /* without blanks at both ends */
bool kp_slice_equal_nocase(kp_slice a, const char *b);
/* The next of words separated by blanks; false at the end. *words moves on. */
bool kp_words_next(const char **words, kp_slice *word);

/*
 * Read `text` as a value of the row and store it in s. `name` is what the user called the property, for messages.
 * 0, KP_ERR_BAD_CONFIG or KP_ERR_NO_MEMORY; s is unchanged unless 0.
 */
KP_MUST_USE int kp_value_set(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err);
/* The value as text that kp_value_set takes. */
void kp_value_get(const kp_settings *s, const kp_property_row *row, kp_text *out);

/* The bootstrap list (config_servers.c): the same contracts. */
KP_MUST_USE int kp_servers_set(kp_settings *s, const char *name, kp_slice text, kp_err_line err);
void kp_servers_get(const kp_settings *s, kp_text *out);

/* The same under an alias, in the alias' own unit and form (config_alias.c). */
KP_MUST_USE int kp_alias_set(kp_settings *s, const kp_property_row *row, const kp_alias *alias, kp_slice text, kp_err_line err);
void kp_alias_get(const kp_settings *s, const kp_property_row *row, const kp_alias *alias, kp_text *out);

#endif
