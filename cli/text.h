/*
 * text.h - the long texts of the commands, cut into blocks and set in lines. Help and man pages are two ways to print the same blocks.
 *
 * A paragraph is lines that begin at the margin, set anew to fit; indented lines are verbatim: examples, tables. A paragraph that ends
 * in ':' just before verbatim lines is their heading.
 */
#ifndef KP_CLI_TEXT_H
#define KP_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_TEXT_WIDTH 80
#define CLI_HARD_SPACE '\1' /* printed as a space, never broken at */

typedef struct cli_block {
	const char *text;
	size_t len; /* without the last line's end */
	bool is_verbatim;
	bool has_gap; /* blank lines before it */
} cli_block;

/* The next block of *text, which moves on; false at the end. */
bool cli_block_next(const char **text, cli_block *out);
/* Whether a paragraph is a heading of this name, as in "Examples:". */
bool cli_block_is_heading(const cli_block *b, const char *name);

/* A form of a usage, in which what belongs together stays so: "[--size BYTES]" and "-t TOPIC" get hard spaces. `out` is cut to fit. */
void cli_text_form(const char *form, size_t len, char *out, size_t out_size);

/*
 * Set the words of text in lines of at most CLI_TEXT_WIDTH; the first begins where the cursor stands, at column `at`, all others at
 * `indent`. Ends with a line's end.
 */
void cli_text_wrap(FILE *out, const char *text, size_t len, int at, int indent);
/* A verbatim line, through `put`. A command longer than `width` goes on in further lines, broken before options. */
void cli_text_command(FILE *out, const char *line, size_t len, size_t width, void (*put)(FILE *out, const char *text, size_t len));

#endif
