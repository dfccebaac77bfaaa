/*
 * fault_words.h - a fault script as words: the scanner with positions, numbers with units, names with a guess. Used by fault_script.c.
 */
#ifndef KP_DEVBROKER_FAULT_WORDS_H
#define KP_DEVBROKER_FAULT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

typedef enum kp_fault_token_kind {
	KP_FAULT_WORD,    /* or a quoted string: text is what stands between the quotes */
	KP_FAULT_SIGN,    /* one of : = , */
	KP_FAULT_RULE_END /* ';', a new line, a comment, the end */
} kp_fault_token_kind;

typedef struct kp_fault_token {
	kp_fault_token_kind kind;
	kp_slice text;
	int line, column; /* from 1; columns count bytes */
	const uint8_t *at;
	bool is_quoted, is_unterminated;
} kp_fault_token;

typedef struct kp_fault_words {
	const uint8_t *next, *end, *line_start;
	int line;
	kp_fault_token token; /* the current one */
	kp_buf *errors;
	int n_errors;
	bool is_bad; /* the current rule has an error: only the first of a rule is told */
} kp_fault_words;

void kp_fault_words_init(kp_fault_words *w, kp_slice text, kp_buf *errors);
void kp_fault_words_next(kp_fault_words *w);
/* To the rule's end. */
void kp_fault_words_skip(kp_fault_words *w);
/* Over the ends of rules, to the first word of one; false at the end of the text. */
bool kp_fault_words_begin(kp_fault_words *w);
bool kp_fault_is_word(const kp_fault_words *w, const char *word); /* the current one; case does not count */
bool kp_fault_is_sign(const kp_fault_words *w, char sign);

/* Each reports an error at the current token and returns false. The first adds what was found. */
bool kp_fault_expected(kp_fault_words *w, const char *format, ...) KP_PRINTF(2, 3);
bool kp_fault_wrong(kp_fault_words *w, const char *format, ...) KP_PRINTF(2, 3);
void kp_fault_words_summarize(kp_fault_words *w); /* how many errors were not told */

/* The current word as a value, which is then passed; false after an error. `what` is what was expected. */
bool kp_fault_take_number(kp_fault_words *w, const char *what, int64_t min, int64_t max, int64_t *out); /* also as 10k, 5M */
bool kp_fault_take_duration(kp_fault_words *w, int64_t min_us, int64_t *out_us);
bool kp_fault_take_sign(kp_fault_words *w, char sign, const char *where);
/* Without moving on. 0 when it is one; else what is wrong. */
typedef enum kp_fault_number { KP_FAULT_IS_NUMBER, KP_FAULT_NO_NUMBER, KP_FAULT_OUT_OF_RANGE } kp_fault_number;
kp_fault_number kp_fault_number_of(kp_slice text, int64_t min, int64_t max, int64_t *out);
/* "200ms", "1.5s"; also when it is out of range. */
bool kp_fault_duration_of(kp_slice text, int64_t *out_us);

#define KP_FAULT_DURATION_MAX_US ((int64_t)24 * 3600 * 1000000)

/* Names are compared without case, '_' and '-'. */
bool kp_fault_same_name(kp_slice a, kp_slice b);
/* The name nearest to what was written, for "did you mean"; best starts as null. */
typedef struct kp_fault_guess {
	kp_slice written, best;
	int distance;
} kp_fault_guess;
void kp_fault_guess_try(kp_fault_guess *g, kp_slice name);
/* kp_fault_expected, with the guess behind it. */
bool kp_fault_expected_like(kp_fault_words *w, const kp_fault_guess *g, const char *what);
/* "; did you mean 'throttle'?" or "". */
const char *kp_fault_guess_text(const kp_fault_guess *g, char out[64]);

/* '*' stands for any bytes, '?' for one. */
bool kp_fault_matches(const char *pattern, kp_slice text);

#endif
