/*
 * A transactional producer that does what standard input says, a call a line, and prints what came of it as
 * "CALL ERROR NEXT STATE IN_DOUBT CAUSE TEXT".
 *
 *   txn_script SERVERS [NAME=VALUE ...]
 *   init MS | begin | send TOPIC PARTITION VALUE | offsets GROUP GENERATION MEMBER TOPIC PARTITION OFFSET MS | flush MS | commit MS | abort MS |
 *   state | close MS
 */
#include <kproducer/kproducer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long n_ended[3], n_sent;

static void on_reports(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)opaque;
	for (size_t i = 0; i < n; i++)
		n_ended[kp_report_at(reports, i)->outcome]++;
}

static void say(const char *call, int error, const kp_txn_error *e)
{
	printf("%s %s %s %s %d %s %s\n", call, kp_error_name(error), kp_txn_next_name(e->next), kp_txn_state_name(e->state),
	       e->in_doubt, kp_error_name(e->cause), e->text);
	fflush(stdout);
}

static int number(const char *text)
{
	return text ? (int)strtol(text, NULL, 10) : 0;
}

static int offsets(kp_producer *p, char **args, kp_txn_error *e)
{
	kp_group_metadata group = KP_GROUP_METADATA_INIT;
	kp_offset offset = KP_OFFSET_INIT;
	group.group_id = args[0];
	group.generation_id = number(args[1]);
	group.member_id = strcmp(args[2], "-") ? args[2] : NULL;
	offset.topic = args[3];
	offset.partition = number(args[4]);
	offset.offset = number(args[5]);
	return kp_send_offsets_to_transaction(p, &group, &offset, 1, number(args[6]), e);
}

static int send_one(kp_producer *p, char **args)
{
	kp_topic *t = kp_topic_open(p, args[0]);
	kp_record r = KP_RECORD_INIT;
	if (!t)
		return KP_ERR_BAD_ARGUMENT;
	r.partition = number(args[1]);
	r.value = args[2];
	r.value_len = strlen(args[2]);
	int err = kp_send(t, &r);
	n_sent += !err;
	return err;
}

static int act(kp_producer *p, char **args)
{
	kp_txn_error e = KP_TXN_ERROR_INIT;
	int err = 0;
	if (!strcmp(args[0], "init"))
		err = kp_init_transactions(p, number(args[1]), &e);
	else if (!strcmp(args[0], "begin"))
		err = kp_begin_transaction(p, &e);
	else if (!strcmp(args[0], "offsets"))
		err = offsets(p, args + 1, &e);
	else if (!strcmp(args[0], "commit"))
		err = kp_commit_transaction(p, number(args[1]), &e);
	else if (!strcmp(args[0], "abort"))
		err = kp_abort_transaction(p, number(args[1]), &e);
	else if (!strcmp(args[0], "send"))
		err = send_one(p, args + 1);
	else if (!strcmp(args[0], "flush"))
		err = kp_flush(p, number(args[1]));
	else if (!strcmp(args[0], "close"))
		err = kp_close(p, number(args[1]), NULL);
	else if (strcmp(args[0], "state") != 0)
		return 2;
	e.state = kp_transaction_state(p);
	say(args[0], err, &e);
	return 0;
}

static void split(char *at, char **words, int max)
{
	for (int i = 0; i < max && *(at += strspn(at, " \n")); i++) {
		words[i] = at;
		at += strcspn(at, " \n");
		if (*at)
			*at++ = 0;
	}
}

int main(int argc, char **argv)
{
	char err[256], line[4096];
	kp_config *c = kp_config_new();
	int bad = argc < 2 || kp_config_set(c, "bootstrap.servers", argv[1], err, sizeof err);
	for (int i = 2; i < argc && !bad; i++) {
		char *value = strchr(argv[i], '=');
		*value++ = 0;
		bad = kp_config_set(c, argv[i], value, err, sizeof err);
	}
	kp_config_set_report_cb(c, on_reports, NULL);
	kp_producer *p = bad ? NULL : kp_producer_new(c, NULL, err, sizeof err);
	if (!p) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	while (fgets(line, sizeof line, stdin)) {
		char *args[16] = {0};
		split(line, args, 15);
		if (args[0] && act(p, args))
			return 2;
	}
	kp_producer_free(p);
	kp_config_free(c);
	fprintf(stderr, "sent %lu persisted %lu not_persisted %lu unknown %lu\n", n_sent, n_ended[0], n_ended[1], n_ended[2]);
	return n_ended[0] + n_ended[1] + n_ended[2] == n_sent ? 0 : 1;
}
