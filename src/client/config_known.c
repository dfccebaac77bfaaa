/*
 * config_known.c - the names that Java's, librdkafka's and sarama's clients have and this one does not, with the reason.
 *
 * Whoever brings a configuration along learns from the message what to do with the line, instead of "unknown".
 */
#include "base/compiler.h"
#include "client/config_table.h"

const kp_known_group kp_known_groups[] = {
	{
		"Security",
		"connections are PLAINTEXT only in this version",
		"enable.sasl.oauthbearer.unsecure.jwt enable.ssl.certificate.verification https.ca.location https.ca.pem "
		"oauthbearer_token_refresh_cb sasl.client.callback.handler.class sasl.jaas.config sasl.kerberos.keytab "
		"sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.principal sasl.kerberos.service.name "
		"sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor sasl.login.callback.handler.class "
		"sasl.login.class sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds "
		"sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter "
		"sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.mechanism sasl.mechanisms "
		"sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud "
		"sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss "
		"sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds "
		"sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.jwt.template.file "
		"sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase "
		"sasl.oauthbearer.assertion.private.key.pem sasl.oauthbearer.assertion.template.file "
		"sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret "
		"sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.clock.skew.seconds "
		"sasl.oauthbearer.config sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer "
		"sasl.oauthbearer.extensions sasl.oauthbearer.grant.type sasl.oauthbearer.header.urlencode "
		"sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms "
		"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url "
		"sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class "
		"sasl.oauthbearer.metadata.authentication.type sasl.oauthbearer.method sasl.oauthbearer.scope "
		"sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.password "
		"sasl.username security.providers ssl.ca.certificate.stores ssl.ca.location ssl.ca.pem ssl.certificate.location "
		"ssl.certificate.pem ssl.certificate.verify_cb ssl.cipher.suites ssl.crl.location ssl.curves.list "
		"ssl.enabled.protocols ssl.endpoint.identification.algorithm ssl.engine.factory.class ssl.engine.id "
		"ssl.engine.location ssl.key.location ssl.key.password ssl.key.pem ssl.keymanager.algorithm "
		"ssl.keystore.certificate.chain ssl.keystore.key ssl.keystore.location ssl.keystore.password ssl.keystore.type "
		"ssl.protocol ssl.provider ssl.providers ssl.secure.random.implementation ssl.sigalgs.list "
		"ssl.trustmanager.algorithm ssl.truststore.certificates ssl.truststore.location ssl.truststore.password "
		"ssl.truststore.type ssl_ca ssl_certificate ssl_engine_callback_data ssl_key Net.SASL.Enable=false Net.SASL.Handshake "
		"Net.SASL.Mechanism Net.SASL.Password Net.SASL.User Net.SASL.Version Net.TLS.Config Net.TLS.Enable=false",
	},
	{
		"Transactions",
		"requests of a transaction are retried as retry.backoff.ms says, for as long as the call waits; two-phase commit (KIP-939) is not "
		"offered by brokers yet",
		"transaction.two.phase.commit.enable=false Producer.Transaction.Retry.Backoff Producer.Transaction.Retry.Max",
	},
	{
		"Consumers and administration",
		"it belongs to a consumer or an admin client, and this is a producer",
		"auto.commit.enable auto.commit.interval.ms auto.offset.reset bootstrap.controllers check.crcs client.rack consume_cb "
		"consume.callback.max.messages coordinator.query.interval.ms default.api.timeout.ms enable.auto.commit "
		"enable.auto.offset.store enable.partition.eof exclude.internal.topics fetch.error.backoff.ms fetch.max.bytes "
		"fetch.max.wait.ms fetch.message.max.bytes fetch.min.bytes fetch.queue.backoff.ms fetch.wait.max.ms group.id "
		"group.instance.id group.protocol group.protocol.type group.remote.assignor heartbeat.interval.ms isolation.level "
		"key.deserializer max.partition.fetch.bytes max.poll.interval.ms max.poll.records offset_commit_cb "
		"offset.store.method offset.store.path offset.store.sync.interval.ms partition.assignment.strategy "
		"queued.max.messages.kbytes queued.min.messages rebalance_cb session.timeout.ms share.acknowledgement.mode "
		"share.acquire.mode topic.blacklist value.deserializer RackID Admin.Timeout Consumer.Return.Errors "
		"Consumer.Offsets.Initial",
	},
	{
		"Classes of the JVM",
		"it names classes of the JVM; records are bytes here, and extensions are functions",
		"config.providers interceptor.classes interceptors key.serializer metric.reporters partitioner.class value.serializer",
	},
	{
		"Metrics and telemetry",
		"this version counts (kp_counters_get) but neither pushes nor samples metrics",
		"enable.metrics.push=false metrics.num.samples metrics.recording.level metrics.sample.window.ms "
		"statistics.interval.ms=0 stats_cb MetricRegistry",
	},
	{
		"Callbacks of librdkafka",
		"callbacks are set by functions (kp_config_set_report_cb, _log_cb, _error_cb, _watermark_cb), sockets are the library's own",
		"background_event_cb closesocket_cb connect_cb default_topic_conf dr_cb dr_msg_cb enabled_events error_cb log_cb log.queue "
		"msg_order_cmp opaque open_cb partitioner_cb plugin.library.paths resolve_cb socket_cb throttle_cb",
	},
	{
		"Batches by another measure",
		"batches are bounded by bytes and time: see batch.size, linger.ms and max.request.size",
		"batch.num.messages queue.buffering.backpressure.threshold sticky.partitioning.linger.ms Producer.Flush.Bytes "
		"Producer.Flush.MaxMessages Producer.Flush.Messages Producer.MaxMessageBytes",
	},
	{
		"Time-outs of another meaning",
		"request.timeout.ms covers both the brokers' wait and ours, and socket.connection.setup.timeout.ms does not grow",
		"api.version.request.timeout.ms metadata.request.timeout.ms socket.blocking.max.ms "
		"socket.connection.setup.timeout.max.ms Net.WriteTimeout Producer.Timeout",
	},
	{
		"Order and delivery",
		"order is kept and retried as enable.idempotence and delivery.timeout.ms say",
		"enable.gapless.guarantee=false produce.offset.report=true queuing.strategy=fifo Producer.Retry.BackoffFunc "
		"Producer.Retry.MaxBufferLength",
	},
	{
		"Protocol versions",
		"the versions of every broker are asked for and obeyed",
		"api.version.fallback.ms api.version.request=true broker.version.fallback ApiVersionsRequest=true Version",
	},
	{
		"Metadata details",
		"metadata is fetched for the topics in use, on errors at once and else by metadata.max.age.ms",
		"enable.sparse.connections=true topic.metadata.propagation.max.ms topic.metadata.refresh.fast.cnt "
		"topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.sparse=true Metadata.Full=false Metadata.Retry.Backoff "
		"Metadata.Retry.BackoffFunc Metadata.Retry.Max Metadata.Timeout",
	},
	{
		"Connection details",
		"the library has no such choice",
		"broker.address.family=any broker.address.ttl message.copy.max.bytes receive.message.max.bytes "
		"reconnect.backoff.jitter.ms socket.keepalive.enable socket.max.fails socket.nagle.disable=true Net.KeepAlive "
		"Net.LocalAddr Net.Proxy.Dialer Net.Proxy.Enable=false Net.ResolveCanonicalBootstrapServers=false",
	},
	{
		"Others",
		"there is nothing here that it could set",
		"builtin.features debug enable.random.seed internal.termination.signal log.connection.close log.thread.name "
		"test.mock.broker.rtt test.mock.num.brokers ChannelBufferSize Producer.Interceptors Producer.Partitioner",
	},
};

const size_t kp_n_known_groups = KP_ARRAY_LEN(kp_known_groups);
