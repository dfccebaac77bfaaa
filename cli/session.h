/*
 * session.h - a producer as the subcommands use it: made from the options, connected before work starts, its log and its errors shown.
 */
#ifndef KP_CLI_SESSION_H
#define KP_CLI_SESSION_H

#include <pthread.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "cli/options.h"

/* How long one blocking call into the library may keep us from seeing a signal. */
#define CLI_SLICE_MS 100

typedef struct cli_session {
	const cli_common *common;
	kp_config *config;
	kp_producer *producer;
	kp_topic *topic;      /* NULL until cli_session_connect */
	int32_t n_partitions; /* 0: the topic did not exist */
	int64_t stop_at_ns;   /* when a stopped run gives up on what is under way; 0: not stopped */
	bool has_given_up;
	pthread_mutex_t lock;
	char last_error[512]; /* behind the lock: the error callback's last text */
} cli_session;

/*
 * cb NULL: for admin calls. Otherwise every record is reported to cb on the runtime's thread, and kp_send gives up after CLI_SLICE_MS
 * whatever max.block.ms says: the caller waits for room itself, see cli_session_may_wait.
 * CLI_GO_ON or an exit code; cli_session_close in every case.
 */
int cli_session_open(cli_session *s, const cli_common *common, kp_report_cb *cb, void *opaque);
/* The same on a runtime that other producers share; NULL: one of its own. */
int cli_session_open_on(cli_session *s, const cli_common *common, kp_runtime *runtime, kp_report_cb *cb, void *opaque);
void cli_session_close(cli_session *s);

/* Wait for the topic's metadata and open it. A topic that does not exist is no mistake: sending may create it. */
int cli_session_connect(cli_session *s);

/* Whether the topic has this partition, KP_PARTITION_ANY or has none yet. CLI_GO_ON or an exit code. */
int cli_session_check_partition(const cli_session *s, int32_t partition);

/* After KP_ERR_QUEUE_FULL or a flush that is not through: false when the run was stopped and its time is up. */
bool cli_session_may_wait(cli_session *s);
/* Wait for everything under way, `tick` after each slice; then close. Every report has come when it returns. */
void cli_session_finish(cli_session *s, void (*tick)(void *opaque), void *opaque);

/* The exit code for an admin call's error; text is the call's err. Says what happened. */
int cli_session_failed(cli_session *s, const char *doing, int error, const char *text);
/* A property's value in force, "" when there is none. */
const char *cli_session_setting(const cli_session *s, const char *name, char *out, size_t out_size);

#endif
