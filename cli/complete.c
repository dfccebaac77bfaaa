/*
 * complete.c - see complete.h.
 *
 * The words are read as getopt would, as far as it goes: what cannot be read only means that fewer words are offered. Nothing but the
 * candidates is said; a cluster that does not answer within TOPICS_TIMEOUT_MS has no topics.
 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/reader.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/talk.h"

#define TOPICS_TIMEOUT_MS 1000
#define WORD_SIZE 512

typedef struct completion {
	const cli_command *command;
	cli_common common;         /* what the line says so far of servers and properties */
	const cli_option *pending; /* its argument is the next word */
	const char *action;        /* the first operand, or NULL */
	bool has_ended_options;    /* behind "--" */
	const char *word;          /* being typed: what of it is the candidate's own text */
	int lead_len;              /* of "--name=", at `lead`, which is printed before each candidate */
	const char *lead;
} completion;

static const char *const topic_properties[] = {
	"cleanup.policy",
	"compression.type",
	"delete.retention.ms",
	"max.compaction.lag.ms",
	"max.message.bytes",
	"message.timestamp.type",
	"min.cleanable.dirty.ratio",
	"min.compaction.lag.ms",
	"min.insync.replicas",
	"retention.bytes",
	"retention.ms",
	"segment.bytes",
	"segment.ms",
	"unclean.leader.election.enable",
	NULL,
};

static void offer(const completion *c, const char *text)
{
	if (!strncmp(text, c->word, strlen(c->word)))
		printf("%.*s%s\n", c->lead_len, c->lead, text);
}

/* Each item of a list like "none, gzip, snappy", behind `before`. */
static void offer_items(const completion *c, const char *before, const char *items)
{
	char text[WORD_SIZE];
	for (size_t len; *items; items += len + strspn(items + len, ", ")) {
		len = strcspn(items, ", ");
		if (snprintf(text, sizeof(text), "%s%.*s", before, (int)len, items) < (int)sizeof(text))
			offer(c, text);
	}
}

static void offer_properties(const completion *c, const char *behind)
{
	char text[WORD_SIZE];
	for (size_t i = 0; i < kp_property_count(); i++) {
		kp_property p = {.struct_size = sizeof(p)};
		if (kp_property_get(i, &p))
			continue;
		snprintf(text, sizeof(text), "%s%s", p.name, behind);
		offer(c, text);
	}
}

/* The values of a property that has few, each behind `before`. */
static void offer_property_values(const completion *c, const char *name, const char *before)
{
	for (size_t i = 0; i < kp_property_count(); i++) {
		kp_property p = {.struct_size = sizeof(p)};
		if (kp_property_get(i, &p) || strcmp(p.name, name))
			continue;
		if (!strcmp(p.type, "boolean"))
			offer_items(c, before, "true, false");
		else if (!strcmp(p.type, "enum"))
			offer_items(c, before, p.range);
	}
}

/* NAME, or NAME=VALUE once there is a '='. */
static void offer_settings(const completion *c)
{
	char name[WORD_SIZE], before[WORD_SIZE];
	const char *equals = strchr(c->word, '=');
	if (equals) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - c->word), c->word);
		snprintf(before, sizeof(before), "%.*s", (int)(equals + 1 - c->word), c->word);
		offer_property_values(c, name, before);
		return;
	}
	offer_properties(c, "=");
	printf(":nospace\n");
}

static void offer_topic_properties(const completion *c)
{
	char text[WORD_SIZE];
	for (const char *const *name = topic_properties; *name; name++) {
		snprintf(text, sizeof(text), "%s=", *name);
		offer(c, text);
	}
	printf(":nospace\n");
}

static void offer_topics(completion *c)
{
	cli_session session;
	kp_topic_info *infos;
	size_t n;
	cli_talk_init(true, 0);
	cli_signals_default();
	if (cli_session_open(&session, &c->common, NULL, NULL) == CLI_GO_ON &&
	    !kp_topics_list(session.producer, TOPICS_TIMEOUT_MS, &infos, &n, NULL, 0)) {
		for (size_t i = 0; i < n; i++)
			if (!infos[i].is_internal)
				offer(c, infos[i].name);
		kp_topic_infos_free(infos, n);
	}
	cli_session_close(&session);
}

/* By what the tables call the value: "FILE", "[FILE]...", "TOPIC...". */
static void offer_values(completion *c, const char *called)
{
	if (strstr(called, "FILE") || strstr(called, "PATH"))
		printf(":files\n");
	else if (strstr(called, "DIR"))
		printf(":dirs\n");
	else if (strstr(called, "CODEC"))
		offer_property_values(c, "compression.type", "");
	else if (!strcmp(called, "FORMAT"))
		for (const cli_format *f = cli_formats; f->name; f++)
			offer(c, f->name);
	else if (strstr(called, "TOPIC"))
		offer_topics(c);
	else if (strstr(called, "PROPERTY"))
		offer_properties(c, "");
	else if (strstr(called, "ERROR"))
		for (int i = 0; i < kp_error_count(); i++)
			offer(c, kp_error_name(kp_error_at(i)));
}

static void offer_argument(completion *c, const cli_option *option)
{
	if (option->id == 'X')
		offer_settings(c);
	else if (!strcmp(option->name, "config"))
		offer_topic_properties(c);
	else
		offer_values(c, option->arg);
}

/* The command's own options, then the common ones that it takes; NULL at the end. */
static const cli_option *option_at(const cli_command *command, size_t i)
{
	const cli_option *o = command->options;
	for (; o->name; o++)
		if (!i--)
			return o;
	for (o = cli_common_options; o->name; o++)
		if (cli_takes_common(command, o) && !i--)
			return o;
	return NULL;
}

static const cli_option *find_long(const cli_command *command, const char *name, size_t len)
{
	const cli_option *o;
	for (size_t i = 0; (o = option_at(command, i)); i++)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter)
{
	const cli_option *o;
	for (size_t i = 0; (o = option_at(command, i)); i++)
		if (o->id == letter)
			return o;
	return NULL;
}

static void offer_options(const completion *c)
{
	char text[WORD_SIZE];
	const cli_option *o;
	for (size_t i = 0; (o = option_at(c->command, i)); i++) {
		snprintf(text, sizeof(text), "--%s", o->name);
		offer(c, text);
	}
}

/* What says where the cluster is; a mistake in it shows as no topics. */
static void take_argument(completion *c, const cli_option *o, const char *arg)
{
	char name[WORD_SIZE];
	const char *equals = strchr(arg, '=');
	if (o->id == 'b')
		(void)cli_common_set(&c->common, "bootstrap.servers", arg);
	if (o->id == 'F')
		(void)cli_common_add_file(&c->common, arg);
	if (o->id != 'X' || !equals)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - arg), arg);
	(void)cli_common_set(&c->common, name, equals + 1);
}

static void take_long(completion *c, const char *word)
{
	size_t len = strcspn(word + 2, "=");
	const cli_option *o = find_long(c->command, word + 2, len);
	if (!o || !o->arg)
		return;
	if (word[2 + len])
		take_argument(c, o, word + 2 + len + 1);
	else
		c->pending = o;
}

/* "-q", "-qv", "-bhost:9092", "-qb" with its argument in the next word. */
static void take_letters(completion *c, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const cli_option *o = find_letter(c->command, *letter);
		if (!o || !o->arg)
			continue;
		if (letter[1])
			take_argument(c, o, letter + 1);
		else
			c->pending = o;
		return;
	}
}

/* A word before the one that is being typed. */
static void take_word(completion *c, const char *word)
{
	const cli_option *o = c->pending;
	c->pending = NULL;
	if (o)
		take_argument(c, o, word);
	else if (c->has_ended_options || word[0] != '-' || !word[1])
		c->action = c->action ? c->action : word;
	else if (!strcmp(word, "--"))
		c->has_ended_options = true;
	else if (word[1] == '-')
		take_long(c, word);
	else
		take_letters(c, word);
}

static bool is_action(const char *form)
{
	return form[0] != '-' && form[0] != '[';
}

/* The first words of the usage's forms, where these are words; otherwise what the last word of the only form says. */
static void offer_operands(completion *c)
{
	char text[WORD_SIZE];
	for (const char *form = c->command->usage; *form; form += strcspn(form, "\n"), form += *form == '\n') {
		size_t len = strcspn(form, " \n"), form_len = strcspn(form, "\n");
		snprintf(text, sizeof(text), "%.*s", (int)len, form);
		if (is_action(form) && !c->action)
			offer(c, text);
		else if (is_action(form) && !strcmp(text, c->action) && strcmp(text, "create")) {
			snprintf(text, sizeof(text), "%.*s", (int)strcspn(form + len, "\n"), form + len);
			text[strcspn(text, "-")] = 0;
			offer_values(c, text);
		} else if (!is_action(form)) {
			snprintf(text, sizeof(text), "%.*s", (int)form_len, form);
			const char *last = strrchr(text, ' ');
			offer_values(c, last ? last : text);
		}
	}
}

static void complete_word(completion *c, const char *word)
{
	size_t len = strcspn(word, "=");
	c->word = word;
	if (c->pending) {
		offer_argument(c, c->pending);
		return;
	}
	if (c->has_ended_options || word[0] != '-') {
		offer_operands(c);
		return;
	}
	const cli_option *o = len > 2 && word[len] ? find_long(c->command, word + 2, len - 2) : NULL;
	if (!o) {
		offer_options(c);
		return;
	}
	c->lead = word;
	c->lead_len = (int)len + 1;
	c->word = word + len + 1;
	if (o->arg)
		offer_argument(c, o);
}

static void offer_commands(const char *word, bool is_first)
{
	completion c = {.word = word, .lead = ""};
	for (const cli_command *const *command = cli_commands; *command; command++)
		offer(&c, (*command)->name);
	if (is_first)
		offer_items(&c, "", "help, --help, --version");
}

int cli_complete(int n, char **words)
{
	if (n < 1)
		return CLI_USAGE;
	if (n == 1 || !strcmp(words[0], "help")) {
		offer_commands(words[n - 1], n == 1);
		return CLI_OK;
	}
	completion c = {.command = cli_command_find(words[0]), .lead = "", .common = {.connect_timeout_ms = TOPICS_TIMEOUT_MS}};
	for (int i = 1; c.command && i < n - 1; i++)
		take_word(&c, words[i]);
	if (c.command)
		complete_word(&c, words[n - 1]);
	cli_common_deinit(&c.common);
	return CLI_OK;
}
