/*
 * topics.h - the parts of `kproducer topics`: options and the actions that change something (cmd_topics.c), those that show
 * (topics_show.c).
 */
#ifndef KP_CLI_TOPICS_H
#define KP_CLI_TOPICS_H

#include <kproducer/kproducer.h>

#include "cli/json.h"
#include "cli/options.h"
#include "cli/session.h"

typedef struct topics_options {
	cli_common common;
	int32_t partitions;
	int16_t replication_factor;
	const char **configs; /* name, value, …, NULL */
	size_t n_configs;     /* strings before the NULL */
	bool if_exists, if_not_exists, internal;
	unsigned given; /* of the options above, a bit each: for actions that have no use for them */
} topics_options;

typedef struct topics {
	const topics_options *options;
	cli_session session;
	int timeout_ms;
	cli_json json;
} topics;

/* Each prints what it is for and returns an exit code. */
int topics_list(topics *t);
int topics_describe(topics *t, const char *topic);
int topics_describe_all(topics *t);

/* How an action on a topic ended, as a line or an object; the exit code. `what` is used when error is 0, err beside an error. */
int topics_done(topics *t, const char *topic, const char *what, int error, const char *err);

#endif
