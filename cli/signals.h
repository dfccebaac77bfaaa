/*
 * signals.h - SIGINT and SIGTERM as a request to stop, which the main thread sees at its next wait. SIGPIPE and SIGXFSZ are ignored: a closed
 * pipe is a write error like any other. The first signal asks for an orderly end, the second for an immediate one, the third ends
 * the process on the spot.
 */
#ifndef KP_CLI_SIGNALS_H
#define KP_CLI_SIGNALS_H

#include <stdbool.h>

int cli_signals_init(void);     /* an exit code or CLI_GO_ON */
void cli_signals_default(void); /* back to the system's: for commands that have nothing to put in order */
/* How many have come, and the first one's number (0: none). Any thread. */
int cli_stop_count(void);
int cli_stop_signal(void);
const char *cli_stop_signal_name(void); /* "SIGINT" */
/* Called in the handler at the first signal; must be async-signal-safe. For a command whose wait is in somebody else's loop. */
void cli_on_stop(void (*hook)(void *opaque), void *opaque);

typedef enum cli_wait_result { CLI_WAIT_READY, CLI_WAIT_STOPPED, CLI_WAIT_TIMEOUT } cli_wait_result;
/* Until fd is readable (-1: no fd), a signal came, or the time is over (-1: never). */
cli_wait_result cli_wait_readable(int fd, int timeout_ms);

#endif
