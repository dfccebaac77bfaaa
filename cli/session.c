/*
 * session.c - see session.h.
 */
#include "cli/session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/signals.h"
#include "cli/talk.h"

#define METADATA_SLICE_MS 500
#define CONNECT_PROGRESS_MS 1000

static void on_error(kp_producer *p, int error, const char *text, void *opaque)
{
	cli_session *s = opaque;
	(void)p;
	pthread_mutex_lock(&s->lock);
	snprintf(s->last_error, sizeof(s->last_error), "%s", text && *text ? text : kp_error_text(error));
	pthread_mutex_unlock(&s->lock);
}

static int configure(cli_session *s, kp_report_cb *cb, void *opaque)
{
	char err[512] = "", slice[16];
	kp_config_set_log_cb(s->config, cli_talk_log, NULL);
	kp_config_set_error_cb(s->config, on_error, s);
	if (!cb)
		return CLI_GO_ON;
	snprintf(slice, sizeof(slice), "%d", CLI_SLICE_MS);
	kp_config_set_report_cb(s->config, cb, opaque);
	/* Counting every outcome is what the exit code stands on, so these two are ours. */
	if (kp_config_set(s->config, "delivery.reports", "all", err, sizeof(err)) ||
	    kp_config_set(s->config, "max.block.ms", slice, err, sizeof(err))) {
		cli_error("%s", err);
		return CLI_FAILED;
	}
	return CLI_GO_ON;
}

int cli_session_open_on(cli_session *s, const cli_common *common, kp_runtime *runtime, kp_report_cb *cb, void *opaque)
{
	char err[512] = "";
	*s = (cli_session){.common = common, .lock = PTHREAD_MUTEX_INITIALIZER};
	/* What goes wrong before the cluster answers ends in one line, which names the last error. */
	cli_talk_hold_log(true);
	int rc = cli_config_build(common, true, &s->config);
	if (rc == CLI_GO_ON)
		rc = configure(s, cb, opaque);
	if (rc != CLI_GO_ON)
		return rc;
	s->producer = kp_producer_new(s->config, runtime, err, sizeof(err));
	if (!s->producer) {
		cli_error("%s", *err ? err : "cannot create a producer");
		return CLI_USAGE; /* memory aside, what is left to go wrong here is a value of the configuration */
	}
	return CLI_GO_ON;
}

int cli_session_open(cli_session *s, const cli_common *common, kp_report_cb *cb, void *opaque)
{
	return cli_session_open_on(s, common, NULL, cb, opaque);
}

void cli_session_close(cli_session *s)
{
	if (s->producer)
		kp_producer_free(s->producer);
	kp_config_free(s->config);
	s->producer = NULL;
	s->config = NULL;
}

const char *cli_session_setting(const cli_session *s, const char *name, char *out, size_t out_size)
{
	if (kp_config_get(s->config, name, out, out_size, NULL))
		out[0] = 0;
	return out;
}

/* No answer at all, or one that keeps us out: as opposed to a broker's word about the topic or the request. */
static bool is_unreachable(int error)
{
	switch (error) {
	case KP_ERR_TIMED_OUT:
	case KP_ERR_RESOLVE:
	case KP_ERR_CONNECT:
	case KP_ERR_TRANSPORT:
	case KP_ERR_PROTOCOL:
	case KP_ERR_REQUEST_TIMEOUT:
	case KP_ERR_NETWORK_EXCEPTION:
	case KP_ERR_SASL_AUTHENTICATION_FAILED:
	case KP_ERR_UNSUPPORTED_SASL_MECHANISM:
	case KP_ERR_ILLEGAL_SASL_STATE: return true;
	default: return false;
	}
}

static bool is_mistake(int error)
{
	return kp_error_get_class(error) == KP_CLASS_USAGE || error == KP_ERR_IN_CALLBACK;
}

static const char *last_error(cli_session *s, const char *otherwise, char *out, size_t out_size)
{
	pthread_mutex_lock(&s->lock);
	snprintf(out, out_size, "%s", *s->last_error ? s->last_error : *otherwise ? otherwise : "no answer");
	pthread_mutex_unlock(&s->lock);
	return out;
}

static int unreachable(cli_session *s, const char *text)
{
	char servers[512], last[512];
	cli_error("cannot reach the cluster at %s within %g s: %s",
	          cli_session_setting(s, "bootstrap.servers", servers, sizeof(servers)),
	          (double)s->common->connect_timeout_ms / 1000, last_error(s, text, last, sizeof(last)));
	return CLI_UNREACHABLE;
}

/* The library's texts mostly begin with the code's name already. */
static int say_error(const char *doing, int error, const char *text)
{
	const char *what = text && *text ? text : kp_error_text(error);
	if (strstr(what, kp_error_name(error)))
		cli_error("%s: %s: %s", doing, what, kp_error_advice(error));
	else
		cli_error("%s: %s (%s): %s", doing, kp_error_name(error), what, kp_error_advice(error));
	return is_mistake(error) ? CLI_USAGE : CLI_FAILED;
}

int cli_session_failed(cli_session *s, const char *doing, int error, const char *text)
{
	return is_unreachable(error) ? unreachable(s, text) : say_error(doing, error, text);
}

/* The topic's own error decides whether sending is worth a try; 0 and errors that pass are. */
static int judge(const char *topic, int error, const char *text)
{
	if (!error || error == KP_ERR_UNKNOWN_TOPIC_OR_PARTITION || kp_error_is_retriable(error))
		return CLI_GO_ON;
	return say_error(topic, error, text);
}

static void show_waiting(cli_session *s, const char *text)
{
	char last[512];
	if (cli_progress_due(CONNECT_PROGRESS_MS))
		cli_progress("waiting for the cluster: %s", last_error(s, text, last, sizeof(last)));
}

/* Ask in slices, so that a signal is seen. */
static int ask_partitions(cli_session *s, const char *topic)
{
	int64_t deadline = cli_now_ns() + s->common->connect_timeout_ms * 1000000;
	for (;;) {
		char err[512] = "";
		kp_topic_info *info = NULL;
		int error = kp_partitions_for(s->producer, topic, METADATA_SLICE_MS, &info, err, sizeof(err));
		if (!error) {
			error = info->error;
			s->n_partitions = (int32_t)info->n_partitions;
			kp_topic_infos_free(info, 1);
			return judge(topic, error, NULL);
		}
		if (!is_unreachable(error))
			return judge(topic, error, err);
		if (cli_stop_count()) {
			cli_error("stopped by %s before the cluster was reached", cli_stop_signal_name());
			return 128 + cli_stop_signal();
		}
		if (cli_now_ns() >= deadline)
			return unreachable(s, err);
		show_waiting(s, err);
		cli_wait_readable(-1, CLI_SLICE_MS); /* the call may have failed at once */
	}
}

int cli_session_connect(cli_session *s)
{
	const char *topic = s->common->topic;
	s->topic = kp_topic_open(s->producer, topic);
	if (!s->topic) {
		cli_error("'%s' is not a topic name: %s", topic, kp_error_advice(KP_ERR_INVALID_TOPIC_EXCEPTION));
		return CLI_USAGE;
	}
	int rc = ask_partitions(s, topic);
	cli_progress_clear();
	cli_talk_hold_log(false);
	return rc;
}

int cli_session_check_partition(const cli_session *s, int32_t partition)
{
	int32_t n = s->n_partitions;
	if (!n || partition < n)
		return CLI_GO_ON;
	cli_error("topic %s has %d partition%s, there is no partition %d; nothing was sent", s->common->topic, n, n == 1 ? "" : "s",
	          partition);
	return CLI_USAGE;
}

bool cli_session_may_wait(cli_session *s)
{
	int stops = cli_stop_count();
	int64_t now = cli_now_ns();
	if (!stops)
		return true;
	if (!s->stop_at_ns)
		s->stop_at_ns = now + s->common->flush_timeout_ms * 1000000;
	if (stops == 1 && now < s->stop_at_ns)
		return true;
	if (!s->has_given_up)
		cli_error(stops > 1 ? "stopped at once: records under way are given up"
		                    : "records under way are given up: they did not end within --flush-timeout");
	s->has_given_up = true;
	return false;
}

void cli_session_finish(cli_session *s, void (*tick)(void *opaque), void *opaque)
{
	/* No deadline of our own unless stopped: delivery.timeout.ms ends every record. */
	while (kp_flush(s->producer, CLI_SLICE_MS) == KP_ERR_TIMED_OUT && cli_session_may_wait(s))
		tick(opaque);
	kp_close(s->producer, 0, NULL);
}
