/*
 * main.c - what holds for all commands: sane standard descriptors, and output that is checked at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kproducer/kproducer.h>

#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/signals.h"
#include "cli/talk.h"

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

static int unknown(const char *word)
{
	char hint[CLI_NEAREST_SIZE];
	cli_nearest nearest;
	cli_nearest_init(&nearest, word);
	for (const cli_command *const *c = cli_commands; *c; c++)
		cli_nearest_try(&nearest, (*c)->name);
	cli_nearest_try(&nearest, "help");
	cli_nearest_try(&nearest, "--help");
	cli_nearest_try(&nearest, "--version");
	cli_error("there is no %s '%.200s'%s (try: kproducer --help)", word[0] == '-' ? "option" : "command", word,
	          cli_nearest_hint(&nearest, "", hint));
	return CLI_USAGE;
}

static int help(int argc, char **argv)
{
	if (argc < 2) {
		cli_help_all(stdout);
		return CLI_OK;
	}
	const cli_command *command = cli_command_find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	cli_help_command(command, stdout);
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
	if (!strcmp(word, CLI_COMPLETE))
		return cli_complete(argc - 2, argv + 2);
	const cli_command *command = cli_command_find(word);
	return command ? command->run(command, argc - 1, argv + 1) : unknown(word);
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	int rc = cli_signals_init();
	if (rc != CLI_GO_ON)
		return rc;
	if (argc < 2) {
		cli_help_all(stderr);
		return CLI_USAGE;
	}
	return check_output(dispatch(argc, argv));
}
