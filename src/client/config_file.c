/*
 * config_file.c - properties from a file in java.util.Properties' format.
 *
 * The file is read into a copy that replaces the configuration only when every line was taken: a mistake changes nothing. Only
 * kp_config_check_file goes on behind a mistake.
 */
#include <errno.h>
#include <stdio.h>

#include <kproducer/kproducer.h>

#include "base/buf.h"
#include "client/config_value.h"
#include "client/settings.h"

#define MAX_FILE_BYTES (1 << 20)
#define READ_BYTES 4096

/* Reads logical lines: comments and blank lines left out, continuations joined, escapes still in place. */
typedef struct line_reader {
	const uint8_t *at, *end;
	size_t line;  /* natural line that `at` is in, from 1 */
	size_t first; /* natural line where the last logical line began */
} line_reader;

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_end_of_line(uint8_t c)
{
	return c == '\n' || c == '\r';
}

static void skip_blanks(line_reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

/* Over \n, \r or \r\n, if there is one. */
static void skip_end_of_line(line_reader *r)
{
	if (r->at == r->end)
		return;
	r->at += r->at[0] == '\r' && r->end - r->at > 1 && r->at[1] == '\n' ? 2 : 1;
	r->line++;
}

/* The rest of the natural line. True when it ends in a backslash that is not itself escaped: the next line belongs to it. */
static bool take_natural_line(line_reader *r, kp_buf *out)
{
	const uint8_t *start = r->at;
	bool continues = false;
	for (; r->at < r->end && !is_end_of_line(*r->at); r->at++)
		continues = *r->at == '\\' && !continues;
	kp_buf_append(out, start, (size_t)(r->at - start) - continues);
	skip_end_of_line(r);
	return continues;
}

/* The next logical line. False at the end of the file. */
static bool next_line(line_reader *r, kp_buf *out)
{
	kp_buf_clear(out);
	while (r->at < r->end) {
		skip_blanks(r);
		r->first = r->line;
		if (r->at < r->end && (*r->at == '#' || *r->at == '!')) {
			while (r->at < r->end && !is_end_of_line(*r->at))
				r->at++;
			skip_end_of_line(r);
			continue;
		}
		while (take_natural_line(r, out) && r->at < r->end) {
			skip_blanks(r);
			if (!out->len) /* nothing but the backslash yet: what follows may be a comment */
				break;
		}
		if (out->len || out->failed)
			return true;
	}
	return false;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at s.ptr[i]; -1 when they are not there. */
static int32_t hex_quad(kp_slice s, size_t i)
{
	int32_t value = 0;
	if (i + 4 > s.len)
		return -1;
	for (size_t end = i + 4; i < end; i++) {
		int digit = hex_digit(s.ptr[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static void append_utf8(kp_buf *out, int32_t c)
{
	if (c < 0x80) {
		kp_buf_append_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		kp_buf_append_u8(out, (uint8_t)(0xc0 | c >> 6));
		kp_buf_append_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		if (c < 0x10000) {
			kp_buf_append_u8(out, (uint8_t)(0xe0 | c >> 12));
		} else {
			kp_buf_append_u8(out, (uint8_t)(0xf0 | c >> 18));
			kp_buf_append_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		kp_buf_append_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		kp_buf_append_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* The character of a \uXXXX whose digits stand at s.ptr[i], or of two that are a surrogate pair. Bytes read; 0 if malformed. */
static size_t unescape_unicode(kp_slice s, size_t i, kp_buf *out)
{
	int32_t c = hex_quad(s, i), low;
	size_t used = 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (i + 6 > s.len || s.ptr[i + 4] != '\\' || s.ptr[i + 5] != 'u')
			return 0;
		low = hex_quad(s, i + 6);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		used = 10;
	}
	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff)) /* a null character would cut the text */
		return 0;
	append_utf8(out, c);
	return used;
}

/* Append s without its escapes. False when a \u is malformed. */
static bool unescape(kp_slice s, kp_buf *out)
{
	static const char from[] = "tnrf", to[] = "\t\n\r\f";
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '\\') {
			kp_buf_append_u8(out, s.ptr[i]);
			continue;
		}
		if (++i == s.len)
			break;
		if (s.ptr[i] == 'u') {
			size_t used = unescape_unicode(s, i + 1, out);
			if (!used)
				return false;
			i += used;
			continue;
		}
		const char *known = memchr(from, s.ptr[i], sizeof from - 1);
		kp_buf_append_u8(out, known ? (uint8_t)to[known - from] : s.ptr[i]);
	}
	return true;
}

/* Cut a logical line into name and value: at the first '=', ':' or blank that is not escaped. */
static void split(kp_slice line, kp_slice *name, kp_slice *value)
{
	size_t n = 0;
	while (n < line.len && !is_blank(line.ptr[n]) && line.ptr[n] != '=' && line.ptr[n] != ':')
		n += line.ptr[n] == '\\' && n + 1 < line.len ? 2 : 1;
	*name = kp_slice_of(line.ptr, n);
	while (n < line.len && is_blank(line.ptr[n]))
		n++;
	if (n < line.len && (line.ptr[n] == '=' || line.ptr[n] == ':'))
		n++;
	while (n < line.len && is_blank(line.ptr[n]))
		n++;
	*value = kp_slice_of(line.ptr + n, line.len - n);
}

static int read_file(const char *path, kp_buf *out, kp_err_line err)
{
	FILE *f = fopen(path, "rbe");
	bool is_read_error = false;
	int saved_errno = errno;
	while (f && !out->failed && !feof(f) && !is_read_error) {
		uint8_t *at = kp_buf_reserve(out, READ_BYTES);
		if (!at)
			break;
		out->len += fread(at, 1, READ_BYTES, f);
		is_read_error = ferror(f) != 0;
		saved_errno = errno;
	}
	if (f)
		(void)fclose(f);
	if (!f || is_read_error) {
		(void)kp_config_refuse(err, "%s: %s", path, strerror(saved_errno));
		return KP_ERR_IO;
	}
	if (out->failed && out->len + READ_BYTES > out->max)
		return kp_config_refuse(err, "%s: more than %d bytes, which is no configuration", path, MAX_FILE_BYTES);
	return out->failed ? KP_ERR_NO_MEMORY : 0;
}

/* What a file is read into, and the buffers for its parts. */
typedef struct file_load {
	kp_config *c;
	const char *path;
	kp_buf line, name, value;
	kp_err_line err;
	kp_mistake_cb *on_mistake; /* NULL: the first mistake ends it */
	void *opaque;
	bool has_mistakes;
} file_load;

/* A mistake that is told, and does not end it, is no error for now. */
static int tell(file_load *l, int code)
{
	if (code != KP_ERR_BAD_CONFIG || !l->on_mistake)
		return code;
	l->on_mistake(l->err.text, l->opaque);
	l->has_mistakes = true;
	return 0;
}

static int take_line(file_load *l, size_t n)
{
	kp_slice name, value;
	char why[512] = "";
	split(kp_buf_slice(&l->line), &name, &value);
	kp_buf_clear(&l->name);
	kp_buf_clear(&l->value);
	bool is_well_formed = unescape(name, &l->name) && unescape(value, &l->value);
	const char *name_text = kp_buf_cstr(&l->name), *value_text = kp_buf_cstr(&l->value);
	if (!name_text || !value_text || l->name.failed || l->value.failed)
		return KP_ERR_NO_MEMORY;
	if (!is_well_formed)
		return kp_config_refuse(l->err, "%s:%zu: malformed \\uXXXX", l->path, n);
	if (!l->name.len)
		return kp_config_refuse(l->err, "%s:%zu: there is no name", l->path, n);
	int code = kp_config_set(l->c, name_text, value_text, why, sizeof why);
	if (code == KP_ERR_BAD_CONFIG)
		(void)kp_config_refuse(l->err, "%s:%zu: %s", l->path, n, why);
	return code;
}

static int take_lines(file_load *l, kp_slice text)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	if (text.len >= 3 && memcmp(text.ptr, byte_order_mark, 3) == 0)
		text = kp_slice_of(text.ptr + 3, text.len - 3);
	line_reader r = {text.ptr, text.ptr + text.len, 1, 1};
	while (next_line(&r, &l->line)) {
		if (l->line.failed)
			return KP_ERR_NO_MEMORY;
		int code = memchr(l->line.data, 0, l->line.len)
		                   ? kp_config_refuse(l->err, "%s:%zu: a null byte, which is no text", l->path, r.first)
		                   : take_line(l, r.first);
		code = tell(l, code);
		if (code)
			return code;
	}
	return 0;
}

/* Into a copy of c; l is what the caller wants of it. */
static int load(kp_config *c, file_load *l)
{
	kp_buf text;
	l->c = kp_config_copy(c);
	kp_buf_init(&text, MAX_FILE_BYTES);
	kp_buf_init(&l->line, 0);
	kp_buf_init(&l->name, 0);
	kp_buf_init(&l->value, 0);
	int r = l->c ? read_file(l->path, &text, l->err) : KP_ERR_NO_MEMORY;
	if (!r && text.len)
		r = take_lines(l, kp_buf_slice(&text));
	if (r == KP_ERR_NO_MEMORY)
		(void)kp_config_refuse(l->err, "%s: out of memory", l->path);
	kp_buf_deinit(&l->value);
	kp_buf_deinit(&l->name);
	kp_buf_deinit(&l->line);
	kp_buf_deinit(&text);
	kp_config_commit(c, l->c, r == 0);
	return r;
}

int kp_config_load_file(kp_config *c, const char *path, char *err, size_t err_size)
{
	kp_err_line line = {err, err_size};
	if (!c || !path) {
		(void)kp_config_refuse(line, "a configuration and a path are needed");
		return KP_ERR_BAD_ARGUMENT;
	}
	return load(c, &(file_load){.path = path, .err = line});
}

int kp_config_check_file(kp_config *c, const char *path, kp_mistake_cb *on_mistake, void *opaque)
{
	char text[1024] = "";
	file_load l = {.path = path, .err = {text, sizeof text}, .on_mistake = on_mistake, .opaque = opaque};
	if (!c || !path || !on_mistake)
		return KP_ERR_BAD_ARGUMENT;
	int r = load(c, &l);
	if (r)
		on_mistake(text, opaque);
	return r || !l.has_mistakes ? r : KP_ERR_BAD_CONFIG;
}
