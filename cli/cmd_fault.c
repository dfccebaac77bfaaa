/*
 * cmd_fault.c - `kproducer fault`: commands to the control socket of a running `kproducer broker --control PATH`.
 *
 * An answer is lines, the last of which begins with "ok" or "error"; what stands before it is data and goes to stdout.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/signals.h"
#include "cli/talk.h"

#define ANSWER_SECONDS 30

enum { OPTION_CONTROL = CLI_OPTION_LONG };

static const cli_option options[] = {
	{OPTION_CONTROL, "control", "PATH", "the socket that `kproducer broker --control PATH` listens on"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"The words are one command; without any, every line of standard input is one. add puts rules in force and prints their numbers,\n"
	"list shows them with how many requests matched and how often they fired, remove and clear take them away. do brings about an\n"
	"action on the cluster at once. status shows nodes, partitions and rules. Rules and actions are those of docs/fault-script.md.\n"
	"\n"
	"Exit code: 0 done, 1 a command failed or the broker did not answer, 2 a command or a rule is not understood.\n"
	"\n"
	"Examples:\n"
	"  kproducer broker --nodes 3 --control /tmp/b.ctl &\n"
	"  kproducer fault --control /tmp/b.ctl add 'on produce chance=5%: drop after'\n"
	"  kproducer fault --control /tmp/b.ctl do node 2 down for 3s\n"
	"  kproducer fault --control /tmp/b.ctl status --json\n";

typedef struct fault_options {
	cli_common common;
	const char *path;
} fault_options;

static int take(void *state, int id, char *arg)
{
	(void)id;
	((fault_options *)state)->path = arg;
	return CLI_GO_ON;
}

/* The socket as a stream for reading; its descriptor is written to. */
static FILE *dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {ANSWER_SECONDS, 0};
	size_t len = strlen(path);
	if (len >= sizeof(a.sun_path)) {
		cli_error("the path of a socket has at most %zu bytes, not %zu", sizeof(a.sun_path) - 1, len);
		return NULL;
	}
	memcpy(a.sun_path, path, len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		cli_error("cannot reach the broker at %s: %s%s", path, strerror(errno),
		          errno == ECONNREFUSED || errno == ENOENT ? " (is it running with --control?)" : "");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	FILE *in = fdopen(fd, "r");
	if (!in) {
		cli_error("out of memory");
		close(fd);
	}
	return in;
}

/* No command can be sent any more, and no answer would be the next one's. */
#define BROKEN (-2)

static int broken(const char *what)
{
	cli_error("the broker %s: %s", what,
	          errno == EAGAIN ? "no answer for 30 s"
	          : errno         ? strerror(errno)
	                          : "it closed the connection");
	return BROKEN;
}

static int send_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR && !cli_stop_count())
			continue;
		if (n < 0)
			return broken("does not take the command");
		p += n;
		len -= (size_t)n;
	}
	return CLI_OK;
}

/* Print an answer. What the broker did not understand is a mistake in usage. */
static int take_answer(FILE *in, bool is_json)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int rc = CLI_GO_ON;
	while (rc == CLI_GO_ON) {
		errno = 0;
		n = getline(&line, &room, in);
		if (n <= 0 || line[n - 1] != '\n') {
			rc = broken("broke off its answer");
		} else if (!strncmp(line, "error", 5)) {
			line[n - 1] = 0;
			cli_error("%s", line + (line[5] == ' ' ? 6 : 5));
			rc = !strncmp(line, "error line ", 11) ? CLI_USAGE : CLI_FAILED;
		} else if (!strncmp(line, "ok", 2)) {
			if (!is_json && n > 3)
				fputs(line + 3, stdout); /* "rule 4" */
			rc = CLI_OK;
		} else {
			fputs(line, stdout);
		}
	}
	free(line);
	fflush(stdout);
	return rc;
}

static int command(FILE *in, const char *text, size_t len, bool is_json)
{
	int rc = send_all(fileno(in), text, len);
	if (rc == CLI_OK && is_json)
		rc = send_all(fileno(in), " json", 5);
	if (rc == CLI_OK)
		rc = send_all(fileno(in), "\n", 1);
	return rc == CLI_OK ? take_answer(in, is_json) : rc;
}

/* An argument of several lines is several rules: ';' stands for their ends, and no comment may swallow what comes behind it. */
static void join_lines(char *text, size_t len)
{
	bool is_quoted = false, is_comment = false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			text[i] = ';';
			is_quoted = is_comment = false;
			continue;
		}
		is_quoted ^= text[i] == '"' && !is_comment;
		is_comment |= text[i] == '#' && !is_quoted;
		if (is_comment)
			text[i] = ' ';
	}
}

/* All words as one line. */
static int command_of_words(FILE *in, int argc, char **argv, bool is_json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	for (int i = 0; out && i < argc; i++)
		fprintf(out, "%s%s", i ? " " : "", argv[i]);
	if (!out || fclose(out)) {
		cli_error("out of memory");
		free(text);
		return CLI_FAILED;
	}
	join_lines(text, len);
	int rc = command(in, text, len, is_json);
	free(text);
	return rc;
}

/* Every line is sent, whatever the answers to those before it; the first failure is the exit code. */
static int commands_of_input(FILE *in, bool is_json)
{
	char *line = NULL;
	size_t room = 0;
	int rc = CLI_OK, one = CLI_OK;
	for (ssize_t n; one != BROKEN && (n = getline(&line, &room, stdin)) > 0;) {
		size_t len = (size_t)n - (line[n - 1] == '\n');
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		one = command(in, line, len, is_json);
		rc = rc == CLI_OK ? one : rc;
	}
	free(line);
	return rc;
}

static int run(const cli_command *self, int argc, char **argv)
{
	fault_options o = {0};
	FILE *in = NULL;
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON && !o.path)
		rc = cli_usage_error(self, "give --control PATH, as the broker was started with");
	if (rc == CLI_GO_ON && o.common.json && optind < argc && strcmp(argv[optind], "list") != 0 &&
	    strcmp(argv[optind], "status") != 0)
		rc = cli_usage_error(self, "--json is for list and status");
	cli_signals_default();
	if (rc == CLI_GO_ON && !(in = dial(o.path)))
		rc = CLI_FAILED;
	if (rc == CLI_GO_ON)
		rc = optind < argc ? command_of_words(in, argc - optind, argv + optind, o.common.json)
		                   : commands_of_input(in, o.common.json);
	if (rc == BROKEN)
		rc = CLI_FAILED;
	if (in)
		fclose(in);
	cli_common_deinit(&o.common);
	return rc;
}

const cli_command cli_fault = {
	.name = "fault",
	.summary = "Tell a running development broker how to misbehave.",
	.usage = "add RULE... --control PATH\n"
		 "list --control PATH [--json]\n"
		 "remove N --control PATH\n"
		 "clear --control PATH\n"
		 "do ACTION... --control PATH\n"
		 "status --control PATH [--json]\n"
		 "help --control PATH\n"
		 "--control PATH <COMMANDS",
	.options = options,
	.common = "jh",
	.details = details,
	.run = run,
};
