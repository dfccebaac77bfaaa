/* test_config_check.c - the rules between properties: Java's, and those about sizes and levels. */
#include "config_support.h"

/* A configuration with a server and more settings: name, value, ..., NULL. */
static kp_config *config_of(const char *const *settings)
{
	kp_config *c = kp_config_new();
	must_set(c, "bootstrap.servers", "localhost:9092");
	for (; *settings; settings += 2)
		must_set(c, settings[0], settings[1]);
	return c;
}

#define CONFIG(...) config_of((const char *const[]){__VA_ARGS__, NULL})

static void resolve_ok(kp_config *c, kp_settings *out, kp_settings_notes *notes)
{
	char err[ERR_SIZE] = "";
	if (kp_settings_resolve(c, out, err, sizeof err, notes) != 0)
		fail_msg("%s", err);
	assert_int_equal(kp_config_check(c, err, sizeof err), 0);
	kp_config_free(c);
}

static void refused(kp_config *c, const char *text)
{
	kp_settings out;
	kp_settings_notes notes;
	char err[ERR_SIZE] = "";
	assert_int_equal(kp_config_check(c, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_string_equal(err, text);
	err[0] = '\0';
	assert_int_equal(kp_settings_resolve(c, &out, err, sizeof err, &notes), KP_ERR_BAD_CONFIG);
	assert_string_equal(err, text);
	assert_int_equal(kp_settings_resolve(c, &out, NULL, 0, NULL), KP_ERR_BAD_CONFIG);
	kp_config_free(c);
}

static void noted(const kp_settings_notes *notes, const char *text)
{
	assert_int_equal(notes->n, 1);
	assert_string_equal(notes->line[0], text);
}

static void bootstrap_servers_are_required(void **state)
{
	(void)state;
	refused(kp_config_new(), "bootstrap.servers is required: host:port of at least one broker");
	assert_int_equal(kp_config_check(NULL, NULL, 0), KP_ERR_BAD_ARGUMENT);
}

static void defaults_need_no_notes(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes = {.n = 99};
	resolve_ok(CONFIG(NULL), &s, &notes);
	assert_int_equal(notes.n, 0);
	assert_true(s.engine.idempotent);
	assert_int_equal(s.n_bootstrap, 1);
	assert_string_equal(s.bootstrap[0].host, "localhost");
	kp_settings_deinit(&s);
}

static void idempotence_by_default_gives_way_to_acks_and_retries(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	resolve_ok(CONFIG("acks", "1"), &s, &notes);
	assert_false(s.engine.idempotent);
	noted(&notes, "enable.idempotence is off because acks is 1");
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("retries", "0"), &s, &notes);
	assert_false(s.engine.idempotent);
	noted(&notes, "enable.idempotence is off because retries is 0");
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("retries", "0", "acks", "0"), &s, &notes);
	assert_int_equal(notes.n, 2);
	kp_settings_deinit(&s);
}

static void idempotence_that_was_asked_for_contradicts_acks_and_retries(void **state)
{
	(void)state;
	refused(CONFIG("enable.idempotence", "true", "acks", "1"), "enable.idempotence=true needs acks=all, but acks is 1");
	refused(CONFIG("enable.idempotence", "true", "retries", "0"),
	        "enable.idempotence=true needs retries above 0, but retries is 0");
	refused(CONFIG("Producer.Idempotent", "true", "acks", "0"), "enable.idempotence=true needs acks=all, but acks is 0");
}

static void halting_at_a_gap_needs_idempotence(void **state)
{
	(void)state;
	refused(CONFIG("idempotence.on.gap", "halt_partition", "acks", "1"),
	        "idempotence.on.gap=halt_partition needs enable.idempotence=true, but it is off: set acks=all and retries above 0, or "
	        "idempotence.on.gap=continue");
}

/* Apache Kafka 4.3.1 was asked: it refuses acks=1 with six in flight too, unless enable.idempotence=false. */
static void more_than_five_in_flight_contradict_idempotence_even_by_default(void **state)
{
	(void)state;
	kp_settings s;
	refused(CONFIG("max.in.flight", "6"),
	        "enable.idempotence=true (the default) needs max.in.flight.requests.per.connection of at most 5, but it is 6");
	refused(CONFIG("max.in.flight", "6", "acks", "1"),
	        "enable.idempotence=true (the default) needs max.in.flight.requests.per.connection of at most 5, but it is 6");
	refused(CONFIG("max.in.flight", "6", "enable.idempotence", "true"),
	        "enable.idempotence=true needs max.in.flight.requests.per.connection of at most 5, but it is 6");
	resolve_ok(CONFIG("max.in.flight", "6", "enable.idempotence", "false"), &s, NULL);
	assert_int_equal(s.engine.max_in_flight, 6);
	kp_settings_deinit(&s);
}

static void a_set_delivery_timeout_must_cover_linger_and_request_timeout(void **state)
{
	(void)state;
	kp_settings s;
	refused(CONFIG("delivery.timeout.ms", "30004"),
	        "delivery.timeout.ms must be at least linger.ms + request.timeout.ms, that is 30005, but it is 30004");
	refused(CONFIG("delivery.timeout.ms", "30005", "linger.ms", "5.001"),
	        "delivery.timeout.ms must be at least linger.ms + request.timeout.ms, that is 30006, but it is 30005");
	resolve_ok(CONFIG("delivery.timeout.ms", "30005"), &s, NULL);
	kp_settings_deinit(&s);
}

static void a_default_delivery_timeout_is_raised(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	resolve_ok(CONFIG("request.timeout.ms", "200000", "linger.ms", "0.5"), &s, &notes);
	assert_int_equal(s.engine.delivery_timeout_us, 200001000);
	noted(&notes, "delivery.timeout.ms is raised to linger.ms + request.timeout.ms, that is 200001");
	kp_settings_deinit(&s);
}

static void an_unlimited_delivery_timeout_is_enough_for_anything(void **state)
{
	(void)state;
	kp_settings s;
	resolve_ok(CONFIG("message.timeout.ms", "0", "linger.ms", "9223372036854775807", "request.timeout.ms", "2147483647"), &s,
	           NULL);
	assert_int_equal(s.engine.delivery_timeout_us, INT64_C(2147483647000));
	kp_settings_deinit(&s);
}

static void batch_size_zero_sends_each_record_alone(void **state)
{
	(void)state;
	kp_settings s;
	resolve_ok(CONFIG("batch.size", "0"), &s, NULL);
	assert_int_equal(s.engine.batch_size, 1);
	kp_settings_deinit(&s);
}

static void sizes_that_were_set_must_fit_in_buffer_memory(void **state)
{
	(void)state;
	refused(CONFIG("buffer.memory", "2000000", "batch.size", "2000001"),
	        "batch.size is 2000001, more than buffer.memory, which is 2000000");
	refused(CONFIG("buffer.memory", "2000000", "max.request.size", "2000001"),
	        "max.request.size is 2000001, more than buffer.memory, which is 2000000");
	refused(CONFIG("buffer.memory", "4095"),
	        "buffer.memory is 4095, which has no room for two batches of batch.size: at least 4096");
	refused(CONFIG("max.request.size", "0"), "max.request.size is 0: every record would be refused");
}

static void default_sizes_are_lowered_to_buffer_memory(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	resolve_ok(CONFIG("buffer.memory", "4096"), &s, &notes);
	assert_int_equal(s.engine.batch_size, 4096);
	assert_int_equal(s.engine.max_request_size, 4096);
	assert_int_equal(notes.n, 2);
	assert_string_equal(notes.line[0], "batch.size is lowered to buffer.memory, that is 4096");
	assert_string_equal(notes.line[1], "max.request.size is lowered to buffer.memory, that is 4096");
	kp_settings_deinit(&s);
}

static void watermarks_become_bytes(void **state)
{
	(void)state;
	kp_settings s;
	resolve_ok(CONFIG("buffer.memory", "1000050"), &s, NULL);
	assert_int_equal(s.engine.high_watermark_bytes, 800040);
	assert_int_equal(s.engine.low_watermark_bytes, 500025);
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("buffer.memory", "9223372036854775807", "buffer.high.watermark.percent", "100"), &s, NULL);
	assert_int_equal(s.engine.high_watermark_bytes, INT64_MAX);
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("buffer.high.watermark.percent", "0", "buffer.low.watermark.percent", "99"), &s, NULL);
	assert_int_equal(s.engine.high_watermark_bytes, 0);
	kp_settings_deinit(&s);
}

static void the_low_watermark_is_below_the_high_one(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	refused(CONFIG("buffer.low.watermark.percent", "80"),
	        "buffer.low.watermark.percent is 80, which is not below buffer.high.watermark.percent, which is 80");
	resolve_ok(CONFIG("buffer.high.watermark.percent", "50"), &s, &notes);
	assert_int_equal(s.low_watermark_percent, 25);
	noted(&notes, "buffer.low.watermark.percent is lowered to half of buffer.high.watermark.percent, that is 25");
	kp_settings_deinit(&s);
}

static void reconnect_backoff_alone_does_not_grow(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	resolve_ok(CONFIG("reconnect.backoff.ms", "70"), &s, &notes);
	assert_int_equal(s.engine.reconnect_backoff_max_us, 70000);
	noted(&notes, "reconnect.backoff.ms does not grow because reconnect.backoff.max.ms is not set");
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("reconnect.backoff.ms", "70", "reconnect.backoff.max.ms", "1000"), &s, &notes);
	assert_int_equal(s.engine.reconnect_backoff_us, 70000);
	assert_int_equal(notes.n, 0);
	kp_settings_deinit(&s);
}

static void a_backoff_above_its_maximum_is_the_maximum(void **state)
{
	(void)state;
	kp_settings s;
	kp_settings_notes notes;
	resolve_ok(CONFIG("retry.backoff.ms", "5000"), &s, &notes);
	assert_int_equal(s.engine.retry_backoff_us, 1000000);
	noted(&notes, "retry.backoff.ms is more than retry.backoff.max.ms, which is used instead");
	kp_settings_deinit(&s);
	resolve_ok(CONFIG("reconnect.backoff.max.ms", "10"), &s, &notes);
	assert_int_equal(s.engine.reconnect_backoff_us, 10000);
	noted(&notes, "reconnect.backoff.ms is more than reconnect.backoff.max.ms, which is used instead");
	kp_settings_deinit(&s);
}

static int level_of(kp_config *c)
{
	kp_settings s;
	resolve_ok(c, &s, NULL);
	kp_settings_deinit(&s);
	return s.engine.codec_level;
}

static void the_level_is_that_of_the_active_codec(void **state)
{
	(void)state;
	assert_int_equal(level_of(CONFIG("compression.zstd.level", "19")), KP_CODEC_LEVEL_DEFAULT);
	assert_int_equal(level_of(CONFIG("compression.type", "snappy", "compression.level", "9")), KP_CODEC_LEVEL_DEFAULT);
	assert_int_equal(level_of(CONFIG("compression.type", "gzip")), KP_CODEC_LEVEL_DEFAULT);
	assert_int_equal(level_of(CONFIG("compression.type", "gzip", "compression.gzip.level", "-1")), KP_CODEC_LEVEL_DEFAULT);
	assert_int_equal(level_of(CONFIG("compression.type", "gzip", "compression.gzip.level", "9", "compression.zstd.level", "1")),
	                 9);
	assert_int_equal(level_of(CONFIG("compression.type", "lz4")), 9);
	assert_int_equal(level_of(CONFIG("compression.type", "zstd")), 3);
	assert_int_equal(level_of(CONFIG("compression.type", "zstd", "compression.zstd.level", "-5")), -5);
}

static void the_common_level_yields_to_the_codecs_own(void **state)
{
	(void)state;
	assert_int_equal(level_of(CONFIG("compression.type", "zstd", "compression.level", "12")), 12);
	assert_int_equal(level_of(CONFIG("compression.type", "lz4", "Producer.CompressionLevel", "12")), 12);
	assert_int_equal(level_of(CONFIG("compression.type", "zstd", "compression.level", "-1")), 3);
	assert_int_equal(level_of(CONFIG("compression.type", "zstd", "compression.level", "12", "compression.zstd.level", "3")), 3);
	refused(CONFIG("compression.type", "gzip", "compression.level", "10"),
	        "compression.level is 10, but compression.gzip.level goes from 1 to 9");
	refused(CONFIG("compression.type", "lz4", "compression.level", "0"),
	        "compression.level is 0, but compression.lz4.level goes from 1 to 17");
}

static void a_socket_buffer_of_zero_is_the_systems(void **state)
{
	(void)state;
	kp_settings s;
	resolve_ok(CONFIG("socket.send.buffer.bytes", "0", "receive.buffer.bytes", "0"), &s, NULL);
	assert_int_equal(s.net.send_buffer_bytes, -1);
	assert_int_equal(s.net.receive_buffer_bytes, -1);
	kp_settings_deinit(&s);
}

static unsigned number_of(const kp_settings *s)
{
	unsigned n = 0;
	assert_int_equal(sscanf(s->engine.client_id, "producer-%u", &n), 1);
	return n;
}

static void unnamed_clients_are_counted_and_checks_take_no_number(void **state)
{
	(void)state;
	kp_settings a, b;
	resolve_ok(CONFIG(NULL), &a, NULL);
	kp_config *c = CONFIG(NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(kp_config_check(c, NULL, 0), 0);
	kp_config_free(c);
	resolve_ok(CONFIG(NULL), &b, NULL);
	assert_int_equal(number_of(&b), number_of(&a) + 1);
	kp_settings_deinit(&a);
	kp_settings_deinit(&b);
	resolve_ok(CONFIG("client.id", "svc"), &a, NULL);
	assert_string_equal(a.engine.client_id, "svc");
	kp_settings_deinit(&a);
}

static void resolving_changes_nothing_in_the_configuration(void **state)
{
	(void)state;
	kp_settings s;
	char err[ERR_SIZE];
	kp_config *c = CONFIG("acks", "1", "batch.size", "0");
	assert_int_equal(kp_settings_resolve(c, &s, err, sizeof err, NULL), 0);
	must_get(c, "enable.idempotence", "true");
	must_get(c, "batch.size", "0");
	must_get(c, "client.id", "");
	kp_settings_deinit(&s);
	kp_config_free(c);
}

static void transactions_need_idempotence_and_nothing_that_loses_records(void **state)
{
	(void)state;
	refused(CONFIG("transactional.id", "t", "acks", "1"),
	        "transactional.id needs enable.idempotence=true, but it is off: set acks=all "
	        "and retries above 0");
	refused(CONFIG("transactional.id", "t", "idempotence.on.gap", "halt_partition"),
	        "transactional.id and idempotence.on.gap=halt_partition exclude each other: a lost record fails its transaction already");
	refused(CONFIG("transactional.id", "t", "queue.full.policy", "drop_oldest"),
	        "transactional.id and queue.full.policy=drop_oldest exclude each other: a dropped record fails its transaction; use block or "
	        "refuse");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_need_idempotence_and_nothing_that_loses_records),
		cmocka_unit_test(bootstrap_servers_are_required),
		cmocka_unit_test(defaults_need_no_notes),
		cmocka_unit_test(idempotence_by_default_gives_way_to_acks_and_retries),
		cmocka_unit_test(idempotence_that_was_asked_for_contradicts_acks_and_retries),
		cmocka_unit_test(halting_at_a_gap_needs_idempotence),
		cmocka_unit_test(more_than_five_in_flight_contradict_idempotence_even_by_default),
		cmocka_unit_test(a_set_delivery_timeout_must_cover_linger_and_request_timeout),
		cmocka_unit_test(a_default_delivery_timeout_is_raised),
		cmocka_unit_test(an_unlimited_delivery_timeout_is_enough_for_anything),
		cmocka_unit_test(batch_size_zero_sends_each_record_alone),
		cmocka_unit_test(sizes_that_were_set_must_fit_in_buffer_memory),
		cmocka_unit_test(default_sizes_are_lowered_to_buffer_memory),
		cmocka_unit_test(watermarks_become_bytes),
		cmocka_unit_test(the_low_watermark_is_below_the_high_one),
		cmocka_unit_test(reconnect_backoff_alone_does_not_grow),
		cmocka_unit_test(a_backoff_above_its_maximum_is_the_maximum),
		cmocka_unit_test(the_level_is_that_of_the_active_codec),
		cmocka_unit_test(the_common_level_yields_to_the_codecs_own),
		cmocka_unit_test(a_socket_buffer_of_zero_is_the_systems),
		cmocka_unit_test(unnamed_clients_are_counted_and_checks_take_no_number),
		cmocka_unit_test(resolving_changes_nothing_in_the_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
