/*
 * text.c - see text.h.
 */
#include "cli/text.h"

#include <string.h>

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

bool cli_block_next(const char **text, cli_block *out)
{
	const char *at = *text;
	*out = (cli_block){0};
	for (; *at == '\n'; at++)
		out->has_gap = true;
	if (!*at)
		return false;
	out->text = at;
	out->is_verbatim = *at == ' ';
	do {
		at += line_length(at);
		out->len = (size_t)(at - out->text);
		at += *at == '\n';
	} while (*at && *at != '\n' && (*at == ' ') == out->is_verbatim);
	*text = at;
	return true;
}

bool cli_block_is_heading(const cli_block *b, const char *name)
{
	if (b->is_verbatim || b->text[b->len - 1] != ':' || b->text[b->len] != '\n' || b->text[b->len + 1] != ' ')
		return false;
	return strlen(name) == b->len - 1 && !memcmp(name, b->text, b->len - 1);
}

void cli_text_form(const char *form, size_t len, char *out, size_t out_size)
{
	int depth = 0;
	bool is_option = false;
	size_t n = len < out_size ? len : out_size - 1;
	for (size_t i = 0; i < n; i++) {
		if (!i || form[i - 1] == ' ')
			is_option = form[i] == '-';
		depth += (form[i] == '[') - (form[i] == ']');
		out[i] = form[i] == ' ' && (depth || is_option) ? CLI_HARD_SPACE : form[i];
	}
	out[n] = 0;
}

static void put_word(FILE *out, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		putc(word[i] == CLI_HARD_SPACE ? ' ' : word[i], out);
}

void cli_text_wrap(FILE *out, const char *text, size_t len, int at, int indent)
{
	static const char blanks[] = " \n";
	bool is_first = true;
	for (const char *end = text + len; text < end;) {
		size_t n = strcspn(text, blanks);
		if (n > (size_t)(end - text))
			n = (size_t)(end - text);
		if (n && !is_first && at + 1 + (int)n > CLI_TEXT_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		} else if (n && !is_first) {
			putc(' ', out);
			at++;
		}
		put_word(out, text, n);
		at += (int)n;
		is_first = is_first && !n;
		text += n + 1;
	}
	putc('\n', out);
}

/* Where to break within the first `width` characters: the last blank that an option follows; 0: nowhere. */
static size_t last_break(const char *line, size_t len, size_t width)
{
	size_t at = 0;
	for (size_t i = 1; i + 1 < len && i <= width; i++)
		if (line[i] == ' ' && line[i + 1] == '-' && line[i - 1] != ' ')
			at = i;
	return at;
}

void cli_text_command(FILE *out, const char *line, size_t len, size_t width, void (*put)(FILE *out, const char *text, size_t len))
{
	static const char further[] = "      ";
	size_t indent = 0;
	while (len + indent > width) {
		size_t cut = last_break(line, len, width - indent - 2);
		if (!cut)
			break;
		put(out, further, indent);
		put(out, line, cut);
		put(out, " \\\n", 3);
		line += cut + 1;
		len -= cut + 1;
		indent = sizeof(further) - 1;
	}
	put(out, further, indent);
	put(out, line, len);
	put(out, "\n", 1);
}
