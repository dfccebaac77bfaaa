/*
 * main.c - the table of commands, and what holds for all of them: sane standard descriptors, and output that is checked at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kproducer/kproducer.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/signals.h"
#include "cli/talk.h"

static const cli_command *const commands[] = {&cli_produce, &cli_perf, &cli_topics, &cli_config, &cli_broker, NULL};

/* With a standard descriptor closed, the first socket would take its number and get our output. Open it so that its use fails. */
static void open_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(CLI_FAILED);
}

/* Output that did not arrive is a failure: a full disk, a closed pipe. */
static int check_output(int rc)
{
	errno = 0;
	int failed = ferror(stdout), flushed = fflush(stdout);
	if (!failed && !flushed)
		return rc;
	cli_error("cannot write to standard output: %s", errno ? strerror(errno) : "a write failed");
	return rc == CLI_OK ? CLI_FAILED : rc;
}

static const cli_command *find(const char *name)
{
	for (const cli_command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static int unknown(const char *word)
{
	cli_error("there is no %s '%.200s' (try: kproducer --help)", word[0] == '-' ? "option" : "command", word);
	return CLI_USAGE;
}

static int help(int argc, char **argv)
{
	if (argc < 2) {
		cli_help_all(commands, stdout);
		return CLI_OK;
	}
	const cli_command *command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	cli_help_command(command);
	return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
	const char *word = argv[1];
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("kproducer %s\n", kp_version());
		return CLI_OK;
	}
	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
		return help(argc - 1, argv + 1);
	const cli_command *command = find(word);
	return command ? command->run(command, argc - 1, argv + 1) : unknown(word);
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	int rc = cli_signals_init();
	if (rc != CLI_GO_ON)
		return rc;
	if (argc < 2) {
		cli_help_all(commands, stderr);
		return CLI_USAGE;
	}
	return check_output(dispatch(argc, argv));
}
