/*
 * record_options.c - see record_options.h.
 */
#include "cli/record_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/parse.h"
#include "cli/talk.h"
#include "cli/utf8.h"

int cli_headers_take(cli_headers *h, const cli_command *command, char *arg)
{
	char *equals = strchr(arg, '=');
	kp_header *more = realloc(h->list, (h->n + 1) * sizeof(*more));
	if (!more) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	h->list = more;
	if (equals == arg || !*arg)
		return cli_usage_error(command, "-H wants NAME or NAME=VALUE, not '%.200s'", arg);
	h->bytes += strlen(arg) - (equals != NULL);
	if (equals)
		*equals = 0;
	if (!cli_utf8_is_text(arg, strlen(arg)))
		return cli_usage_error(command, "-H wants a NAME in UTF-8, not '%.200s'", arg);
	h->list[h->n++] = (kp_header){arg, equals ? equals + 1 : NULL, equals ? strlen(equals + 1) : 0};
	return CLI_GO_ON;
}

void cli_headers_deinit(cli_headers *h)
{
	free(h->list);
	*h = (cli_headers){0};
}

int cli_partition_take(int32_t *out, const cli_command *command, const char *arg)
{
	uint64_t n;
	if (!cli_parse_count(arg, 0, INT32_MAX, &n))
		return cli_usage_error(command, "-p wants a partition's number, from 0 on, not '%.200s'", arg);
	*out = (int32_t)n;
	return CLI_GO_ON;
}
