/*
 * faults.c - see faults.h.
 */
#include "cli/faults.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/talk.h"
#include "devbroker/devbroker.h"

#define SCRIPT_MAX ((size_t)1 << 20)

/* Room for len more bytes, a '\n' and a '\0' behind them. */
static char *room(cli_faults *f, size_t len)
{
	char *more = realloc(f->text, f->len + len + 2);
	if (!more) {
		cli_error("out of memory");
		return NULL;
	}
	f->text = more;
	return more + f->len;
}

static int add_source(cli_faults *f, const char *name, size_t len)
{
	cli_fault_source *more = realloc(f->sources, (f->n_sources + 1) * sizeof(*more));
	if (!more) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	f->sources = more;
	f->sources[f->n_sources++] = (cli_fault_source){name, f->len, len};
	f->len += len;
	f->text[f->len++] = '\n';
	f->text[f->len] = 0;
	return CLI_GO_ON;
}

static int take_file(cli_faults *f, const char *name, FILE *file)
{
	char *at = room(f, SCRIPT_MAX + 1);
	if (!at)
		return CLI_FAILED;
	errno = 0;
	size_t n = fread(at, 1, SCRIPT_MAX + 1, file);
	if (ferror(file))
		return cli_usage_error(&cli_broker, "cannot read the fault script %.200s: %s", name, strerror(errno));
	if (n > SCRIPT_MAX)
		return cli_usage_error(&cli_broker, "the fault script %.200s is larger than %zu bytes", name, SCRIPT_MAX);
	if (memchr(at, 0, n))
		return cli_usage_error(&cli_broker, "the fault script %.200s is no text: it has a NUL byte", name);
	return add_source(f, name, n);
}

static int take_text(cli_faults *f, const char *text)
{
	size_t len = strlen(text);
	if (len > SCRIPT_MAX)
		return cli_usage_error(&cli_broker, "the fault script is larger than %zu bytes", SCRIPT_MAX);
	char *at = room(f, len);
	if (!at)
		return CLI_FAILED;
	memcpy(at, text, len);
	return add_source(f, NULL, len);
}

int cli_faults_take(cli_faults *f, const char *arg)
{
	bool is_file = arg[0] == '@';
	const char *name = arg + is_file;
	FILE *file = fopen(name, "re");
	int number = errno;
	if (!file && !is_file && strchr(arg, ':'))
		return take_text(f, arg);
	if (!file)
		return cli_usage_error(&cli_broker, "--fault: cannot read '%.200s': %s%s", name, strerror(number),
		                       is_file ? "" : "; nor is it a rule such as 'on produce first=3: error 6'");
	int rc = take_file(f, name, file);
	fclose(file);
	return rc;
}

static void on_mistake(const char *text, void *opaque)
{
	const cli_fault_source *s = opaque;
	cli_error("fault script%s%.200s %s", s->name ? " " : "", s->name ? s->name : "", text);
}

int cli_faults_check(const cli_faults *f, int n_nodes)
{
	int n_mistakes = 0;
	for (size_t i = 0; i < f->n_sources; i++) {
		cli_fault_source *s = &f->sources[i];
		char *end = f->text + s->start + s->len;
		char saved = *end;
		*end = 0;
		n_mistakes += kp_devbroker_check_faults(f->text + s->start, n_nodes, on_mistake, s);
		*end = saved;
	}
	return n_mistakes ? CLI_USAGE : CLI_GO_ON;
}

void cli_faults_deinit(cli_faults *f)
{
	free(f->text);
	free(f->sources);
	*f = (cli_faults){0};
}

void cli_faults_say(const char *line, void *opaque)
{
	(void)opaque;
	cli_say("%s", line);
}
