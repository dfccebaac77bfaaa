/* test_config_file.c - .properties files: Java's format with its corners, and mistakes named by file and line. */
#include "config_support.h"

#include <unistd.h>

static char path[] = "/tmp/kp_test_config_XXXXXX";

static void write_bytes(const char *text, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static kp_config *load_ok(const char *text)
{
	char err[ERR_SIZE] = "";
	kp_config *c = kp_config_new();
	write_bytes(text, strlen(text));
	if (kp_config_load_file(c, path, err, sizeof err) != 0)
		fail_msg("%s", err);
	return c;
}

/* The property's value after loading this text. */
static void loads(const char *text, const char *name, const char *value)
{
	kp_config *c = load_ok(text);
	must_get(c, name, value);
	kp_config_free(c);
}

/* The text is refused with "PATH:<rest>", and nothing was taken from it. */
static void refuses_bytes(const char *text, size_t len, const char *rest)
{
	char err[ERR_SIZE] = "", expected[ERR_SIZE];
	kp_config *c = kp_config_new();
	write_bytes(text, len);
	assert_int_equal(kp_config_load_file(c, path, err, sizeof err), KP_ERR_BAD_CONFIG);
	snprintf(expected, sizeof expected, "%s:%s", path, rest);
	assert_string_equal(err, expected);
	must_get(c, "linger.ms", "5");
	kp_config_free(c);
}

static void refuses(const char *text, const char *rest)
{
	refuses_bytes(text, strlen(text), rest);
}

static void file_takes_every_separator(void **state)
{
	(void)state;
	loads("linger.ms=7", "linger.ms", "7");
	loads("linger.ms = 7\n", "linger.ms", "7");
	loads("linger.ms:7\r\n", "linger.ms", "7");
	loads("linger.ms 7\r", "linger.ms", "7");
	loads("\t linger.ms\f\t:\t7 \n", "linger.ms", "7");
	loads("client.id = = x", "client.id", "= x");
	loads("client.id  : x:y=z", "client.id", "x:y=z");
	loads("client.id", "client.id", "");
	loads("client.id=", "client.id", "");
}

static void file_skips_comments_and_blank_lines(void **state)
{
	(void)state;
	loads("# a comment \\\nlinger.ms=7\n", "linger.ms", "7");
	loads("  ! another\n\n \t\f\r\n\r\rlinger.ms=7", "linger.ms", "7");
	loads("client.id=a#b!c", "client.id", "a#b!c");
	loads("", "linger.ms", "5");
	loads("#", "linger.ms", "5");
	loads("\xef\xbb\xbflinger.ms=7", "linger.ms", "7");
}

static void file_joins_continued_lines(void **state)
{
	(void)state;
	loads("bootstrap.servers=a:1,\\\n   b:2,\\\r\n\tc:3", "bootstrap.servers", "a:1,b:2,c:3");
	loads("linger\\\n  .ms=\\\n  7", "linger.ms", "7");
	loads("client.id=a\\\n# b", "client.id", "a# b");
	loads("client.id=a\\\\\nlinger.ms=7", "linger.ms", "7");
	loads("client.id=a\\\\\nlinger.ms=7", "client.id", "a\\");
	loads("client.id=a\\\\\\\n b", "client.id", "a\\b");
	loads("client.id=a\\\n\nlinger.ms=7", "linger.ms", "7");
	loads("client.id=a\\", "client.id", "a");
	loads("\\\n# still a comment\nlinger.ms=7", "linger.ms", "7");
}

static void file_undoes_escapes(void **state)
{
	(void)state;
	loads("client.id=a\\=b\\:c\\ d\\#e\\q", "client.id", "a=b:c d#eq");
	loads("linger\\.ms=7", "linger.ms", "7");
	loads("cl\\u0069ent.id=\\u0041\\u00e4\\u20AC\\ud83d\\ude00", "client.id", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	loads("linger.ms=\\t7\\f", "linger.ms", "7");
	refuses("client.id=a\\nb", "1: client.id: \"a?b\" has a control character (up to 255 bytes, no control characters)");
}

static void file_refuses_malformed_escapes(void **state)
{
	(void)state;
	static const char *const bad[] = {"\\u",      "\\u12",   "\\u12g4",        "\\u0000",   "\\ud800",
	                                  "\\ud800x", "\\udc00", "\\ud800\\u0041", "\\ud800\\u"};
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		char text[ERR_SIZE];
		snprintf(text, sizeof text, "linger.ms=7\n\nclient.id=%s\n", bad[i]);
		refuses(text, "3: malformed \\uXXXX");
	}
	refuses_bytes("linger.ms=7\nclient.id=a\0b", 25, "2: a null byte, which is no text");
}

static void file_names_the_line_of_a_mistake(void **state)
{
	(void)state;
	refuses("# one\nlinger.ms=7\nbootstrap.server=x",
	        "3: unknown property \"bootstrap.server\"; did you mean \"bootstrap.servers\"?");
	refuses("linger.ms=7\r\n\r\nretries=\\\n\\\n  many\n", "3: retries: \"many\" is not a whole number (0 .. 2147483647)");
	refuses("\rlinger.ms=7\r= 5", "3: there is no name");
	refuses("linger.ms=7\nsasl.password=secret",
	        "2: sasl.password is known, not supported here: connections are PLAINTEXT only in this version");
}

static void the_last_line_for_a_name_counts(void **state)
{
	(void)state;
	loads("linger.ms=1\nqueue.buffering.max.ms=2", "linger.ms", "2");
}

static void file_overrides_what_was_set_and_keeps_the_rest(void **state)
{
	(void)state;
	char err[ERR_SIZE];
	kp_config *c = kp_config_new();
	must_set(c, "bootstrap.servers", "a:1");
	must_set(c, "linger.ms", "1");
	kp_config_use_report_queue(c);
	write_bytes("bootstrap.servers=b:2", 21);
	assert_int_equal(kp_config_load_file(c, path, err, sizeof err), 0);
	must_get(c, "bootstrap.servers", "b:2");
	must_get(c, "linger.ms", "1");
	assert_true(c->settings.use_report_queue && c->settings.is_set[KP_PROP_BOOTSTRAP_SERVERS]);
	kp_config_free(c);
}

static void a_file_that_cannot_be_read_is_an_io_error(void **state)
{
	(void)state;
	char err[ERR_SIZE] = "";
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_load_file(c, "/no/such/file", err, sizeof err), KP_ERR_IO);
	assert_string_equal(err, "/no/such/file: No such file or directory");
	assert_int_equal(kp_config_load_file(c, "/", err, sizeof err), KP_ERR_IO);
	assert_string_equal(err, "/: Is a directory");
	assert_int_equal(kp_config_load_file(c, NULL, err, sizeof err), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_config_load_file(c, "/no/such/file", NULL, 0), KP_ERR_IO);
	assert_int_equal(kp_config_load_file(c, "/dev/zero", err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "which is no configuration");
	kp_config_free(c);
}

typedef struct told {
	size_t n;
	char text[8][ERR_SIZE];
} told;

static void tell_mistake(const char *text, void *opaque)
{
	told *t = opaque;
	assert_true(t->n < 8);
	snprintf(t->text[t->n++], ERR_SIZE, "%s", text + strlen(path));
}

static void checking_tells_every_mistake_and_takes_the_rest(void **state)
{
	(void)state;
	static const char text[] =
		"linger.ms=soon\nclient.id=me\nno.such.name=1\n\\u12\n=7\nclient.id=a\0b\nssl.cipher.suites=t\nacks=1\n";
	static const char *const expected[] = {
		":1: linger.ms: \"soon\" is not", ":3: unknown property", ":4: malformed",
		":5: there is no name",           ":6: a null byte",      ":7: ssl.cipher.suites is known, not supported here",
	};
	told t = {0};
	kp_config *c = kp_config_new();
	write_bytes(text, sizeof text - 1);
	assert_int_equal(kp_config_check_file(c, path, tell_mistake, &t), KP_ERR_BAD_CONFIG);
	assert_int_equal(t.n, 6);
	for (size_t i = 0; i < t.n; i++)
		assert_memory_equal(t.text[i], expected[i], strlen(expected[i]));
	must_get(c, "client.id", "me");
	must_get(c, "acks", "1");
	must_get(c, "linger.ms", "5");
	kp_config_free(c);
}

static void checking_a_file_without_mistakes_tells_nothing(void **state)
{
	(void)state;
	told t = {0};
	kp_config *c = kp_config_new();
	write_bytes("acks=1\n", 7);
	assert_int_equal(kp_config_check_file(c, path, tell_mistake, &t), 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(kp_config_check_file(c, NULL, tell_mistake, &t), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_config_check_file(c, path, NULL, NULL), KP_ERR_BAD_ARGUMENT);
	kp_config_free(c);
}

static void tell_unreadable(const char *text, void *opaque)
{
	(*(size_t *)opaque)++;
	assert_string_equal(text, "/no/such/file: No such file or directory");
}

static void checking_a_file_that_cannot_be_read_tells_so(void **state)
{
	(void)state;
	size_t n = 0;
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_check_file(c, "/no/such/file", tell_unreadable, &n), KP_ERR_IO);
	assert_int_equal(n, 1);
	kp_config_free(c);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_takes_every_separator),
		cmocka_unit_test(file_skips_comments_and_blank_lines),
		cmocka_unit_test(file_joins_continued_lines),
		cmocka_unit_test(file_undoes_escapes),
		cmocka_unit_test(file_refuses_malformed_escapes),
		cmocka_unit_test(file_names_the_line_of_a_mistake),
		cmocka_unit_test(the_last_line_for_a_name_counts),
		cmocka_unit_test(file_overrides_what_was_set_and_keeps_the_rest),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_io_error),
		cmocka_unit_test(checking_tells_every_mistake_and_takes_the_rest),
		cmocka_unit_test(checking_a_file_without_mistakes_tells_nothing),
		cmocka_unit_test(checking_a_file_that_cannot_be_read_tells_so),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
