/*
 * payload.c - see payload.h.
 */
#include "cli/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/talk.h"

/* The same bytes in every run, so that runs compare. */
static void fill_random(char *p, size_t len)
{
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < len; i++)
		p[i] = (char)(cli_payload_random(&x) >> 24);
}

static int out_of_memory(void)
{
	cli_error("out of memory");
	return CLI_FAILED;
}

static int init_random(cli_payload *p, size_t size)
{
	size_t len = size > CLI_PAYLOAD_POOL ? size : CLI_PAYLOAD_POOL;
	p->size = size;
	p->n = size ? len / size : 1;
	p->pool = malloc(len);
	if (!p->pool)
		return out_of_memory();
	fill_random(p->pool, len);
	return CLI_GO_ON;
}

/* The last delimiter, or NULL. */
static const char *last_delimiter(const char *pool, size_t len, const cli_payload_options *o)
{
	for (size_t at = len; at >= o->delimiter_len; at--)
		if (!memcmp(pool + at - o->delimiter_len, o->delimiter, o->delimiter_len))
			return pool + at - o->delimiter_len;
	return NULL;
}

/* The file's first MiB, without a last piece that is cut off. */
static int read_pool(const cli_payload_options *o, char *pool, size_t *len)
{
	int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	for (*len = 0; n > 0 && *len < CLI_PAYLOAD_POOL; *len += (size_t)(n > 0 ? n : 0))
		n = read(fd, pool + *len, CLI_PAYLOAD_POOL - *len);
	int error = n < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (error) {
		cli_error("cannot read %s: %s", o->file, strerror(error));
		return CLI_USAGE;
	}
	if (*len == CLI_PAYLOAD_POOL)
		cli_say("%s: its first MiB is what is sent", o->file);
	const char *last = *len == CLI_PAYLOAD_POOL ? last_delimiter(pool, *len, o) : NULL;
	if (last)
		*len = (size_t)(last - pool) + o->delimiter_len;
	if (*len == 0) {
		cli_error("%s is empty: there is nothing to send", o->file);
		return CLI_USAGE;
	}
	return CLI_GO_ON;
}

static size_t split(char *pool, size_t len, const cli_payload_options *o, cli_slice *lines)
{
	size_t n = 0;
	for (char *at = pool, *end = pool + len; at < end; n++) {
		char *stop = memmem(at, (size_t)(end - at), o->delimiter, o->delimiter_len);
		size_t line_len = (size_t)((stop ? stop : end) - at);
		if (lines)
			lines[n] = (cli_slice){at, line_len};
		at += line_len + o->delimiter_len;
	}
	return n;
}

/* Values of one size, side by side. */
static int init_padded(cli_payload *p, size_t size)
{
	size_t fit = size < CLI_PAYLOAD_POOL && size ? CLI_PAYLOAD_POOL / size : 1;
	p->size = size;
	p->n = p->n < fit ? p->n : fit;
	char *padded = malloc(p->n * size + 1);
	if (!padded)
		return out_of_memory();
	memset(padded, ' ', p->n * size);
	for (size_t i = 0; i < p->n; i++)
		memcpy(padded + i * size, p->lines[i].ptr, p->lines[i].len < size ? p->lines[i].len : size);
	free(p->pool);
	free(p->lines);
	p->pool = padded;
	p->lines = NULL;
	return CLI_GO_ON;
}

static int init_lines(cli_payload *p, const cli_payload_options *o)
{
	size_t len;
	p->pool = malloc(CLI_PAYLOAD_POOL);
	if (!p->pool)
		return out_of_memory();
	int rc = read_pool(o, p->pool, &len);
	if (rc != CLI_GO_ON)
		return rc;
	p->n = split(p->pool, len, o, NULL);
	p->lines = malloc(p->n * sizeof(*p->lines));
	if (!p->lines)
		return out_of_memory();
	split(p->pool, len, o, p->lines);
	return o->size == SIZE_MAX ? CLI_GO_ON : init_padded(p, o->size);
}

static int init_keys(cli_payload *p, size_t n)
{
	char key[CLI_PAYLOAD_KEY_LEN + 24];
	p->n_keys = n;
	p->keys = malloc(n * CLI_PAYLOAD_KEY_LEN);
	if (!p->keys)
		return out_of_memory();
	for (size_t i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%0*zu", CLI_PAYLOAD_KEY_LEN, i);
		memcpy(p->keys + i * CLI_PAYLOAD_KEY_LEN, key, CLI_PAYLOAD_KEY_LEN);
	}
	return CLI_GO_ON;
}

int cli_payload_init(cli_payload *p, const cli_payload_options *options)
{
	cli_payload_options o = *options;
	if (!o.delimiter_len) {
		o.delimiter = "\n";
		o.delimiter_len = 1;
	}
	*p = (cli_payload){0};
	int rc = o.file ? init_lines(p, &o) : init_random(p, o.size);
	return rc == CLI_GO_ON && o.n_keys ? init_keys(p, o.n_keys) : rc;
}

void cli_payload_deinit(cli_payload *p)
{
	free(p->pool);
	free(p->lines);
	free(p->keys);
	*p = (cli_payload){0};
}
