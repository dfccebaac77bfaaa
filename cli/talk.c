/*
 * talk.c - see talk.h. A line is formatted first and written with one fwrite under a lock, so that threads do not mix their lines.
 */
#include "cli/talk.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048
#define CLEAR_LINE "\r\033[K"

static struct {
	pthread_mutex_t lock;
	bool is_quiet, has_progress;
	int max_level;          /* syslog's: what the library may say */
	atomic_bool is_held;    /* relaxed: a line more or less at the change is no harm */
	bool progress_is_shown; /* behind the lock */
	int64_t progress_at_ns; /* of the main thread */
} talk = {.lock = PTHREAD_MUTEX_INITIALIZER, .max_level = 3};

void cli_talk_init(bool quiet, int verbosity)
{
	/* Warnings are about batches and connections; what they mean for the records is in our own lines. */
	static const int levels[] = {3, 6, 7};
	talk.is_quiet = quiet;
	talk.max_level = levels[verbosity > 2 ? 2 : verbosity];
	talk.has_progress = !quiet && isatty(STDERR_FILENO);
	talk.progress_at_ns = cli_now_ns();
}

static void without_control_bytes(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void put(const char *prefix, const char *format, va_list args, bool is_progress)
{
	char line[LINE_SIZE];
	vsnprintf(line, sizeof(line), format, args);
	without_control_bytes(line);
	/* A line that the terminal wraps could not be rewritten. */
	int columns = is_progress ? cli_columns(STDERR_FILENO) : LINE_SIZE;
	if (columns < LINE_SIZE)
		line[columns - 1] = 0;
	pthread_mutex_lock(&talk.lock);
	fprintf(stderr, "%s%s%s%s", talk.progress_is_shown || is_progress ? CLEAR_LINE : "", prefix, line, is_progress ? "" : "\n");
	fflush(stderr);
	talk.progress_is_shown = is_progress;
	pthread_mutex_unlock(&talk.lock);
}

void cli_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	put("kproducer: ", format, args, false);
	va_end(args);
}

void cli_say(const char *format, ...)
{
	va_list args;
	if (talk.is_quiet)
		return;
	va_start(args, format);
	put("", format, args, false);
	va_end(args);
}

void cli_progress(const char *format, ...)
{
	va_list args;
	if (!talk.has_progress)
		return;
	va_start(args, format);
	put("", format, args, true);
	va_end(args);
}

void cli_progress_clear(void)
{
	pthread_mutex_lock(&talk.lock);
	if (talk.progress_is_shown)
		fputs(CLEAR_LINE, stderr);
	talk.progress_is_shown = false;
	pthread_mutex_unlock(&talk.lock);
}

bool cli_progress_due(int interval_ms)
{
	if (!talk.has_progress)
		return false;
	int64_t now = cli_now_ns();
	if (now - talk.progress_at_ns < interval_ms * (int64_t)1000000)
		return false;
	talk.progress_at_ns = now;
	return true;
}

void cli_talk_hold_log(bool is_held)
{
	atomic_store_explicit(&talk.is_held, is_held, memory_order_relaxed);
}

void cli_talk_log(int level, const char *line, void *opaque)
{
	(void)opaque;
	bool is_held = atomic_load_explicit(&talk.is_held, memory_order_relaxed) && talk.max_level < 6;
	if (level <= talk.max_level && !is_held)
		cli_error("%s", line);
}

/* Three significant digits and a prefix: 999, 1.23k, 12.3M. */
static const char *format_scaled(char *out, double n, const char *const *units)
{
	int u = 0;
	while (n >= 999.5 && units[u + 1]) {
		n /= 1000;
		u++;
	}
	int decimals = u == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
	snprintf(out, CLI_NUMBER_SIZE, "%.*f%s", decimals, n, units[u]);
	return out;
}

const char *cli_format_count(char out[CLI_NUMBER_SIZE], double n)
{
	static const char *const units[] = {"", "k", "M", "G", "T", NULL};
	return format_scaled(out, n, units);
}

const char *cli_format_bytes(char out[CLI_NUMBER_SIZE], double n)
{
	static const char *const units[] = {" bytes", " kB", " MB", " GB", " TB", NULL};
	return format_scaled(out, n, units);
}

const char *cli_format_ns(char out[CLI_NUMBER_SIZE], double n)
{
	static const char *const units[] = {" ns", " us", " ms", " s", NULL};
	return format_scaled(out, n, units);
}

int cli_columns(int fd)
{
	struct winsize size;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

int64_t cli_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
