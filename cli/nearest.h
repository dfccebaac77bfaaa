/*
 * nearest.h - the word that was probably meant: "--recrods" is near "--records". Pure.
 */
#ifndef KP_CLI_NEAREST_H
#define KP_CLI_NEAREST_H

typedef struct cli_nearest {
	const char *word;
	const char *best; /* NULL: nothing is near */
	unsigned distance;
} cli_nearest;

void cli_nearest_init(cli_nearest *n, const char *word);
/* Keep the candidate if it is nearer than all before, and near: a third of the word may differ, one letter at least. */
void cli_nearest_try(cli_nearest *n, const char *candidate);

/* The text ", did you mean X?" with the lead before X, or "" when nothing is near; `out` is returned. */
#define CLI_NEAREST_SIZE 128
const char *cli_nearest_hint(const cli_nearest *n, const char *lead, char out[CLI_NEAREST_SIZE]);

#endif
