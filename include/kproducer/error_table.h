/*
 * error_table.h - the table behind error.h: X(NAME, code, class, append, scope, on produce, on metadata, text, advice). Include error.h,
 * not this file. The words of the middle columns stand for KP_CLASS_, KP_APPEND_, KP_SCOPE_, KP_PRODUCE_ and KP_METADATA_ values.
 *
 * append: KP_APPEND_NEVER only when the broker gives the code before it appends. A code becomes NEVER only with its broker source
 * cited here: a record failed by a NEVER code is reported "not persisted", and must then be in no log, now or later.
 *   UnifiedLog.analyzeAndValidateRecords, LogValidator.validateMessagesAndAssignOffsets: 2, 10, 32, 76, 87
 *   UnifiedLog.append, where it looks at the segment size, before localLog.append: 18
 *   Partition.appendRecordsToLeader, which counts the in-sync set first: 19
 *   KafkaApis.handleProduceRequest, ReplicaManager.appendRecords and appendToLocalLog, before any log is touched: 17, 21, 29
 *   ProducerAppendInfo.checkSequence and checkProducerEpoch, which UnifiedLog.append calls (analyzeAndValidateProducerState) before
 *     localLog.append: 45, 47; and 59, which checkSequence threw for an unknown producer before Apache Kafka 2.5; likewise 48
 *   KafkaApis.handleProduceRequest: 53; ReplicaManager.handleProduceAppend, which has a transaction's partition added or verified before it
 *     calls appendRecords, and answers with what that said: 48, 49, 51, 90, 120
 * Most of these checks stand before the one for duplicates, and a retry may overtake its first attempt: a NEVER speaks of its own
 * attempt only, an earlier one may have appended.
 * The local codes say nothing about the broker and are MAYBE; whether an attempt was ever written is what the engine remembers.
 *
 * class: taken from the exception's type in Apache Kafka (RetriableException, InvalidMetadataException). Inside a transaction a
 * PERMANENT, USAGE or INTERNAL answer for a batch means abort too; only FATAL ends the transactional id.
 *
 * on produce, on metadata: the engine acts by these columns and by nothing else (src/producer/response.c, outcome.c, metadata.c). A local
 * code counts as "on produce" when an attempt ended by it without an answer. What is not retriable by its class fails, but for these:
 *   46 is what an earlier attempt has brought into the log, so it is persisted; 45, 59 and 47 speak of the sequence, not of the records
 *   (KIP-360); 10 is split (KIP-126); 32 and 87 may name the records that are to blame (KIP-467); 6 and 74 name the leader (KIP-951).
 */
#ifndef KPRODUCER_ERROR_TABLE_H
#define KPRODUCER_ERROR_TABLE_H

/* clang-format off */

/* Kafka's codes, in order: Errors.java of Apache Kafka 4.3.1. */
#define KP_ERROR_LIST_KAFKA(X) \
	X(UNKNOWN_SERVER_ERROR, -1, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker failed for a reason it has no code for", \
	  "Read the broker's server.log at the time of the request; the stack trace there names the cause.") \
	X(NONE, 0, NONE, MAYBE, NONE, PERSISTED, TAKE, "no error", \
	  "Nothing to do: the request succeeded.") \
	X(OFFSET_OUT_OF_RANGE, 1, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the requested offset is outside the log", \
	  "Have the consumer start at the earliest or latest offset; retention (retention.ms, retention.bytes) has probably deleted the old one.") \
	X(CORRUPT_MESSAGE, 2, RETRIABLE, NEVER, BATCH, RETRY, ASK_AGAIN, "the broker found a wrong checksum or an invalid batch", \
	  "Look for faulty memory or a proxy that changes bytes; for one record always: a compacted topic needs keys.") \
	X(UNKNOWN_TOPIC_OR_PARTITION, 3, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the broker does not know the topic or partition", \
	  "Check the topic's spelling, create it or allow auto.create.topics.enable; shortly after creation it passes by itself.") \
	X(INVALID_FETCH_SIZE, 4, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the fetch size is invalid", \
	  "Give the consumer a positive fetch size (fetch.max.bytes, max.partition.fetch.bytes).") \
	X(LEADER_NOT_AVAILABLE, 5, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the partition has no leader", \
	  "Bring the partition's replicas back: kafka-topics.sh --describe --unavailable-partitions shows which brokers are missing.") \
	X(NOT_LEADER_OR_FOLLOWER, 6, REFRESH, MAYBE, PARTITION, LEADER, ASK_AGAIN, "the broker does not lead the partition any more", \
	  "Nothing if it is brief (the client finds the new leader); if it lasts, compare kafka-topics.sh --describe with the brokers that are up.") \
	X(REQUEST_TIMED_OUT, 7, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the broker gave up waiting inside its own time limit", \
	  "Look for slow or missing in-sync replicas with acks=all, and raise request.timeout.ms if the brokers are healthy but far away.") \
	X(BROKER_NOT_AVAILABLE, 8, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker is not available", \
	  "Check that the broker is running and registered with the controller.") \
	X(REPLICA_NOT_AVAILABLE, 9, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the replica is not available", \
	  "Wait for the reassignment or the restarting broker; kafka-topics.sh --describe shows which replica is missing.") \
	X(MESSAGE_TOO_LARGE, 10, PERMANENT, NEVER, BATCH, SPLIT, FAIL_TOPIC, "the batch is larger than the topic allows", \
	  "Lower batch.size and max.request.size, or raise the topic's max.message.bytes (broker: message.max.bytes, replica.fetch.max.bytes).") \
	X(STALE_CONTROLLER_EPOCH, 11, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a request came from an old controller", \
	  "Check the controllers for a partition of the network; an old controller should have stood down.") \
	X(OFFSET_METADATA_TOO_LARGE, 12, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the committed offset's metadata string is too long", \
	  "Shorten the metadata string or raise offset.metadata.max.bytes on the brokers.") \
	X(NETWORK_EXCEPTION, 13, REFRESH, MAYBE, OPERATION, REFRESH, ASK_AGAIN, "the connection was lost before the answer came", \
	  "Check broker restarts, load balancers and idle time-outs between client and broker (connections.max.idle.ms on both sides).") \
	X(COORDINATOR_LOAD_IN_PROGRESS, 14, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the coordinator is still loading its state", \
	  "Wait: the broker is reading __transaction_state or __consumer_offsets; if it takes minutes, check that log's size and compaction.") \
	X(COORDINATOR_NOT_AVAILABLE, 15, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the coordinator is not available", \
	  "Check that __transaction_state (or __consumer_offsets) has leaders and that its replication factor fits the number of brokers.") \
	X(NOT_COORDINATOR, 16, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the broker is not this id's coordinator any more", \
	  "Nothing if it is brief (the client finds the new coordinator); if it lasts, check that the internal topics have stable leaders.") \
	X(INVALID_TOPIC_EXCEPTION, 17, USAGE, NEVER, TOPIC, FAIL, FAIL_TOPIC, "the topic name is not allowed", \
	  "Use 1 to 249 characters of [a-zA-Z0-9._-], not . or .., and do not write to internal topics.") \
	X(RECORD_LIST_TOO_LARGE, 18, PERMANENT, NEVER, BATCH, SPLIT, FAIL_TOPIC, "the batch is larger than a log segment", \
	  "Lower batch.size below the topic's segment.bytes, or raise segment.bytes.") \
	X(NOT_ENOUGH_REPLICAS, 19, RETRIABLE, NEVER, PARTITION, RETRY, ASK_AGAIN, "fewer replicas are in sync than min.insync.replicas asks", \
	  "Bring the lagging brokers back or lower the topic's min.insync.replicas; see kafka-topics.sh --describe --under-min-isr-partitions.") \
	X(NOT_ENOUGH_REPLICAS_AFTER_APPEND, 20, RETRIABLE, MAYBE, PARTITION, RETRY, ASK_AGAIN, "written, but then too few replicas were in sync", \
	  "Bring the lagging brokers back; keep enable.idempotence=true so that the retry does not write the records twice.") \
	X(INVALID_REQUIRED_ACKS, 21, USAGE, NEVER, OPERATION, FAIL, FAIL_TOPIC, "the broker does not accept this acks value", \
	  "Set acks to all, 1 or 0.") \
	X(ILLEGAL_GENERATION, 22, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group generation is not the current one", \
	  "Pass the consumer's current group metadata when offsets are sent in a transaction; the group has rebalanced since.") \
	X(INCONSISTENT_GROUP_PROTOCOL, 23, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the member's protocols do not fit the group's", \
	  "Give all members of the group a common partition.assignment.strategy.") \
	X(INVALID_GROUP_ID, 24, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group id is empty or not allowed", \
	  "Set a non-empty group.id on the consumer whose offsets are sent.") \
	X(UNKNOWN_MEMBER_ID, 25, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group does not know this member", \
	  "Let the consumer join again (it probably passed max.poll.interval.ms or session.timeout.ms) and pass its new group metadata.") \
	X(INVALID_SESSION_TIMEOUT, 26, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the session time-out is outside the broker's bounds", \
	  "Choose session.timeout.ms between group.min.session.timeout.ms and group.max.session.timeout.ms.") \
	X(REBALANCE_IN_PROGRESS, 27, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group is rebalancing", \
	  "Abort the transaction, let the consumer poll until it has joined again, and process from the committed offsets.") \
	X(INVALID_COMMIT_OFFSET_SIZE, 28, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the offset commit is too large", \
	  "Commit fewer partitions or shorter metadata at once.") \
	X(TOPIC_AUTHORIZATION_FAILED, 29, PERMANENT, NEVER, TOPIC, FAIL, FAIL_TOPIC, "the principal may not use the topic", \
	  "Grant Write and Describe on the topic: kafka-acls.sh --add --producer --topic TOPIC --allow-principal User:NAME.") \
	X(GROUP_AUTHORIZATION_FAILED, 30, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the principal may not use the group", \
	  "Grant Read on the group: kafka-acls.sh --add --operation Read --group GROUP --allow-principal User:NAME.") \
	X(CLUSTER_AUTHORIZATION_FAILED, 31, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the principal may not do this on the cluster", \
	  "Grant the cluster operation; an idempotent producer on brokers before 2.8 needs IdempotentWrite, or set enable.idempotence=false.") \
	X(INVALID_TIMESTAMP, 32, USAGE, NEVER, RECORD, RECORDS, FAIL_TOPIC, "a record's timestamp is outside the topic's bounds", \
	  "Check the timestamps' clock and unit (ms), and the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms.") \
	X(UNSUPPORTED_SASL_MECHANISM, 33, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker does not offer this SASL mechanism", \
	  "Set sasl.mechanism to one that the broker's listener lists in sasl.enabled.mechanisms.") \
	X(ILLEGAL_SASL_STATE, 34, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the SASL messages came out of order", \
	  "Check that security.protocol fits the listener's security protocol and that no proxy speaks SASL on its own.") \
	X(UNSUPPORTED_VERSION, 35, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker does not support this version of the request", \
	  "Check that no proxy in between answers ApiVersions for other brokers, and whether a downgraded broker has rejoined.") \
	X(TOPIC_ALREADY_EXISTS, 36, PERMANENT, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "a topic of this name exists", \
	  "Use the existing topic or choose another name.") \
	X(INVALID_PARTITIONS, 37, USAGE, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "the number of partitions is not allowed", \
	  "Ask for at least one partition, and for more than the topic has when adding.") \
	X(INVALID_REPLICATION_FACTOR, 38, USAGE, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "the replication factor is not allowed", \
	  "Choose a replication factor from 1 to the number of brokers that are up.") \
	X(INVALID_REPLICA_ASSIGNMENT, 39, USAGE, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "the replica assignment is not valid", \
	  "Give each partition the same number of distinct brokers that exist.") \
	X(INVALID_CONFIG, 40, USAGE, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "a configuration value is not allowed", \
	  "Read the message in the answer; it names the topic or broker property that was refused.") \
	X(NOT_CONTROLLER, 41, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the broker is not the controller", \
	  "Nothing if it is brief (the client finds the controller); if it lasts, check the controller quorum with kafka-metadata-quorum.sh.") \
	X(INVALID_REQUEST, 42, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker calls the request malformed", \
	  "Report it with the client's and the broker's version; a proxy that changes requests gives it too.") \
	X(UNSUPPORTED_FOR_MESSAGE_FORMAT, 43, PERMANENT, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "the topic's message format is too old for this", \
	  "Raise the topic's message.format.version (brokers before 3.0) to 0.11.0 or later.") \
	X(POLICY_VIOLATION, 44, PERMANENT, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "a policy of the cluster refused the request", \
	  "Read the message in the answer: the broker's create.topic.policy or alter.config.policy class states its rule.") \
	X(OUT_OF_ORDER_SEQUENCE_NUMBER, 45, PERMANENT, NEVER, PARTITION, SEQUENCE, FAIL_TOPIC, "the batch's sequence number does not follow the last one", \
	  "Check the broker for lost data (unclean leader election, a log cut after a crash); records before this one may be missing.") \
	X(DUPLICATE_SEQUENCE_NUMBER, 46, PERMANENT, MAYBE, PARTITION, PERSISTED, FAIL_TOPIC, "the broker already has this sequence number", \
	  "Nothing: the records were written by an earlier attempt, only their offset is not known.") \
	X(INVALID_PRODUCER_EPOCH, 47, PERMANENT, NEVER, PARTITION, NEW_ID, FAIL_TOPIC, "the broker has seen a newer epoch of this producer", \
	  "Check that no second process uses the same transactional.id, and that transaction.timeout.ms exceeds the longest transaction.") \
	X(INVALID_TXN_STATE, 48, PERMANENT, NEVER, TRANSACTION, FAIL, FAIL_TOPIC, "the transaction is not in a state that allows this", \
	  "Abort the transaction; if transactions end on their own, raise transaction.timeout.ms above their longest run.") \
	X(INVALID_PRODUCER_ID_MAPPING, 49, PERMANENT, NEVER, OPERATION, FAIL, FAIL_TOPIC, "the producer id does not belong to this transactional id", \
	  "Initialize transactions again: the coordinator forgot the transactional.id after transactional.id.expiration.ms without use.") \
	X(INVALID_TRANSACTION_TIMEOUT, 50, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the transaction time-out is above the broker's limit", \
	  "Lower transaction.timeout.ms below the brokers' transaction.max.timeout.ms (default 15 minutes), or raise that.") \
	X(CONCURRENT_TRANSACTIONS, 51, RETRIABLE, NEVER, TRANSACTION, RETRY, ASK_AGAIN, "the previous transaction is still being completed", \
	  "Wait: the coordinator is writing the markers; if it lasts, look for partitions of that transaction without a leader.") \
	X(TRANSACTION_COORDINATOR_FENCED, 52, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the transaction coordinator was replaced by a newer one", \
	  "Nothing on the producer; if it repeats, check why __transaction_state changes leaders.") \
	X(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 53, PERMANENT, NEVER, OPERATION, FAIL, FAIL_TOPIC, "the principal may not use the transactional id", \
	  "Grant Write and Describe on it: kafka-acls.sh --add --producer --transactional-id ID --allow-principal User:NAME.") \
	X(SECURITY_DISABLED, 54, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the cluster has no authorizer", \
	  "Set authorizer.class.name on brokers and controllers before managing ACLs.") \
	X(OPERATION_NOT_ATTEMPTED, 55, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker did not try, because another part of the request failed", \
	  "Look at the other errors of the same request; one of them is the cause.") \
	X(KAFKA_STORAGE_ERROR, 56, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the leader cannot read or write its disk", \
	  "Check the broker's server.log and its log.dirs for full or failed disks; kafka-log-dirs.sh shows offline directories.") \
	X(LOG_DIR_NOT_FOUND, 57, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker has no such log directory", \
	  "Name a directory that stands in the broker's log.dirs.") \
	X(SASL_AUTHENTICATION_FAILED, 58, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker refused the credentials", \
	  "Check user name and password (sasl.jaas.config or sasl.username and sasl.password), sasl.mechanism, and the broker's user store.") \
	X(UNKNOWN_PRODUCER_ID, 59, PERMANENT, NEVER, PARTITION, SEQUENCE, FAIL_TOPIC, "the broker has no state for this producer id", \
	  "Check the topic's retention and producer.id.expiration.ms: the state was deleted while the producer was idle.") \
	X(REASSIGNMENT_IN_PROGRESS, 60, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "a reassignment of the partition is under way", \
	  "Wait for it, or see kafka-reassign-partitions.sh --list.") \
	X(DELEGATION_TOKEN_AUTH_DISABLED, 61, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "delegation tokens are not enabled", \
	  "Set delegation.token.secret.key on the brokers and controllers.") \
	X(DELEGATION_TOKEN_NOT_FOUND, 62, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker does not know the delegation token", \
	  "Create a new token and put its id and HMAC into the SASL credentials.") \
	X(DELEGATION_TOKEN_OWNER_MISMATCH, 63, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the token belongs to another principal", \
	  "Renew or expire the token as its owner or as one of its renewers.") \
	X(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, 64, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "no delegation token on this kind of connection", \
	  "Ask for the token over SASL (not by a token) or over TLS with a client certificate.") \
	X(DELEGATION_TOKEN_AUTHORIZATION_FAILED, 65, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the principal may not use the delegation token", \
	  "Grant Describe on the DelegationToken resource to the principal.") \
	X(DELEGATION_TOKEN_EXPIRED, 66, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the delegation token has expired", \
	  "Renew the token in time or create a new one, and update the SASL credentials.") \
	X(INVALID_PRINCIPAL_TYPE, 67, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the principal type is not supported", \
	  "Use principals of type User.") \
	X(NON_EMPTY_GROUP, 68, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group still has members", \
	  "Stop the group's consumers before deleting it.") \
	X(GROUP_ID_NOT_FOUND, 69, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "there is no such group", \
	  "Check the group.id with kafka-consumer-groups.sh --list.") \
	X(FETCH_SESSION_ID_NOT_FOUND, 70, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the broker dropped the fetch session", \
	  "Nothing: the consumer opens a new session; raise max.incremental.fetch.session.cache.slots if it is constant.") \
	X(INVALID_FETCH_SESSION_EPOCH, 71, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the fetch session's epoch is wrong", \
	  "Nothing: the consumer opens a new session.") \
	X(LISTENER_NOT_FOUND, 72, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the leader has no listener of this name", \
	  "Check that every broker lists this listener in listeners and advertised.listeners.") \
	X(TOPIC_DELETION_DISABLED, 73, PERMANENT, MAYBE, TOPIC, FAIL, FAIL_TOPIC, "deleting topics is disabled", \
	  "Set delete.topic.enable=true on the brokers and controllers.") \
	X(FENCED_LEADER_EPOCH, 74, REFRESH, MAYBE, PARTITION, LEADER, ASK_AGAIN, "the client's leader epoch is older than the broker's", \
	  "Nothing if it is brief (the client refreshes its metadata); if it lasts, look for a broker that serves stale metadata.") \
	X(UNKNOWN_LEADER_EPOCH, 75, RETRIABLE, MAYBE, PARTITION, RETRY, ASK_AGAIN, "the client's leader epoch is newer than the broker's", \
	  "Nothing if it is brief (the broker catches up); if it lasts, check that broker's metadata lag with kafka-metadata-quorum.sh.") \
	X(UNSUPPORTED_COMPRESSION_TYPE, 76, PERMANENT, NEVER, BATCH, FAIL, FAIL_TOPIC, "the broker or topic does not support the compression type", \
	  "Set compression.type to none, gzip, snappy or lz4: zstd needs brokers from 2.1.") \
	X(STALE_BROKER_EPOCH, 77, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker's registration is out of date", \
	  "Restart the broker if it does not register again on its own.") \
	X(OFFSET_NOT_AVAILABLE, 78, RETRIABLE, MAYBE, PARTITION, RETRY, ASK_AGAIN, "the leader's high watermark has not caught up yet", \
	  "Nothing if it is brief (the leader was just elected); if it lasts, check the partition's followers.") \
	X(MEMBER_ID_REQUIRED, 79, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the member has to join again with the id it was given", \
	  "Nothing: the consumer joins again by itself.") \
	X(PREFERRED_LEADER_NOT_AVAILABLE, 80, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the preferred leader is not available", \
	  "Bring the first broker of the replica list back before electing it.") \
	X(GROUP_MAX_SIZE_REACHED, 81, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group is full", \
	  "Raise group.max.size on the brokers or start fewer consumers.") \
	X(FENCED_INSTANCE_ID, 82, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "another member has the same group.instance.id", \
	  "Give each consumer of the group its own group.instance.id.") \
	X(ELIGIBLE_LEADERS_NOT_AVAILABLE, 83, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "no replica is eligible to lead", \
	  "Bring an in-sync replica back, or accept loss with unclean.leader.election.enable.") \
	X(ELECTION_NOT_NEEDED, 84, REFRESH, MAYBE, PARTITION, REFRESH, ASK_AGAIN, "the partition already has the wanted leader", \
	  "Nothing: the election was not needed.") \
	X(NO_REASSIGNMENT_IN_PROGRESS, 85, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "no reassignment is under way", \
	  "Nothing: it has ended or was never started.") \
	X(GROUP_SUBSCRIBED_TO_TOPIC, 86, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a live consumer of the group is subscribed to the topic", \
	  "Stop or unsubscribe the consumers before deleting the group's offsets of the topic.") \
	X(INVALID_RECORD, 87, PERMANENT, NEVER, RECORD, RECORDS, FAIL_TOPIC, "the broker refused a record", \
	  "See the record's own error: a compacted topic needs a key in each record, and the batch must be of format v2.") \
	X(UNSTABLE_OFFSET_COMMIT, 88, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the offsets belong to an open transaction", \
	  "Wait for the transaction to end; if it hangs, find it with kafka-transactions.sh find-hanging.") \
	X(THROTTLING_QUOTA_EXCEEDED, 89, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "a quota delays the request", \
	  "Slow down, or raise the quota (controller_mutation_rate) of this user or client.id.") \
	X(PRODUCER_FENCED, 90, FATAL, NEVER, INSTANCE, FAIL, FAIL_TOPIC, "a newer producer took over the transactional id", \
	  "Let this instance end; if it was unwanted, give each running process its own transactional.id.") \
	X(RESOURCE_NOT_FOUND, 91, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the resource does not exist", \
	  "Check the name, for example the user of SCRAM credentials.") \
	X(DUPLICATE_RESOURCE, 92, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the resource stands in the request twice", \
	  "Remove the second mention.") \
	X(UNACCEPTABLE_CREDENTIAL, 93, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the credential is not acceptable", \
	  "Keep the SCRAM iterations between 4096 and 16384 and the user name non-empty.") \
	X(INCONSISTENT_VOTER_SET, 94, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the voter sets differ", \
	  "Give all controllers the same controller.quorum.voters.") \
	X(INVALID_UPDATE_VERSION, 95, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the update version is not acceptable", \
	  "Ask for a version above 0, and mark it as a downgrade when it is one.") \
	X(FEATURE_UPDATE_FAILED, 96, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the feature update failed", \
	  "Read the message in the answer, and check supported versions with kafka-features.sh describe.") \
	X(PRINCIPAL_DESERIALIZATION_FAILURE, 97, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the controller could not read a forwarded principal", \
	  "Make the principal builder of all brokers and controllers the same (principal.builder.class).") \
	X(SNAPSHOT_NOT_FOUND, 98, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the snapshot does not exist", \
	  "Nothing on the producer: the replica asks for a newer snapshot.") \
	X(POSITION_OUT_OF_RANGE, 99, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the position is outside the snapshot", \
	  "Nothing on the producer: the replica starts the snapshot again.") \
	X(UNKNOWN_TOPIC_ID, 100, REFRESH, MAYBE, TOPIC, REFRESH, ASK_AGAIN, "the broker does not know this topic id", \
	  "Check whether the topic was deleted and created again; the client refreshes its metadata.") \
	X(DUPLICATE_BROKER_REGISTRATION, 101, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "another live broker has this id", \
	  "Give each broker its own node.id, or wait until the old session ends.") \
	X(BROKER_ID_NOT_REGISTERED, 102, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker id is not registered", \
	  "Check that the broker is running and that node.id is right.") \
	X(INCONSISTENT_TOPIC_ID, 103, REFRESH, MAYBE, TOPIC, REFRESH, ASK_AGAIN, "the topic id does not fit the topic's log", \
	  "Check whether the topic was deleted and created again; restart the broker if it keeps the old id.") \
	X(INCONSISTENT_CLUSTER_ID, 104, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the cluster id is another one", \
	  "Check bootstrap.servers and controller.quorum.voters: they lead to another cluster.") \
	X(TRANSACTIONAL_ID_NOT_FOUND, 105, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the coordinator does not know the transactional id", \
	  "Check the transactional.id with kafka-transactions.sh list; unused ones go after transactional.id.expiration.ms.") \
	X(FETCH_SESSION_TOPIC_ID_ERROR, 106, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "a topic id of the fetch session is wrong", \
	  "Nothing: the consumer opens a new session.") \
	X(INELIGIBLE_REPLICA, 107, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the replica may not enter the in-sync set", \
	  "Check that the replica's broker is registered, unfenced and not shutting down.") \
	X(NEW_LEADER_ELECTED, 108, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the request made the controller elect a new leader", \
	  "Nothing: the broker refreshes its state.") \
	X(OFFSET_MOVED_TO_TIERED_STORAGE, 109, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the offset has moved to tiered storage", \
	  "Nothing on the producer: the follower builds its state from tiered storage.") \
	X(FENCED_MEMBER_EPOCH, 110, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the group coordinator has fenced the member", \
	  "Let the consumer join again with a new member epoch and pass its new group metadata.") \
	X(UNRELEASED_INSTANCE_ID, 111, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "another member still holds the group.instance.id", \
	  "Wait until the old member leaves or its session ends.") \
	X(UNSUPPORTED_ASSIGNOR, 112, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the assignor is not supported", \
	  "Choose group.remote.assignor from the brokers' group.consumer.assignors.") \
	X(STALE_MEMBER_EPOCH, 113, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the member's epoch is old", \
	  "Pass the consumer's current group metadata; the group has rebalanced since.") \
	X(MISMATCHED_ENDPOINT_TYPE, 114, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the request went to the wrong kind of endpoint", \
	  "Use bootstrap.servers for brokers and bootstrap.controllers for controllers.") \
	X(UNSUPPORTED_ENDPOINT_TYPE, 115, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the endpoint type is not known", \
	  "Use a client version that fits the cluster.") \
	X(UNKNOWN_CONTROLLER_ID, 116, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the controller id is not known", \
	  "Check the node.id of the controllers with kafka-metadata-quorum.sh describe.") \
	X(UNKNOWN_SUBSCRIPTION_ID, 117, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the telemetry subscription has changed", \
	  "Nothing: the client asks for the new subscription.") \
	X(TELEMETRY_TOO_LARGE, 118, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the telemetry push is too large", \
	  "Raise telemetry.max.bytes on the brokers, subscribe fewer metrics, or set enable.metrics.push=false.") \
	X(INVALID_REGISTRATION, 119, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the controller calls the registration invalid", \
	  "Compare the broker's listeners, log.dirs and features with what the controller's log says.") \
	X(TRANSACTION_ABORTABLE, 120, ABORTABLE, NEVER, TRANSACTION, FAIL, FAIL_TOPIC, "the transaction cannot go on and must be aborted", \
	  "Abort the transaction and run it again; the producer itself stays usable.") \
	X(INVALID_RECORD_STATE, 121, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the share group's record is not in a state that allows this", \
	  "Acknowledge records before their lock (group.share.record.lock.duration.ms) ends.") \
	X(SHARE_SESSION_NOT_FOUND, 122, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the share session does not exist", \
	  "Nothing: the share consumer opens a new session.") \
	X(INVALID_SHARE_SESSION_EPOCH, 123, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the share session's epoch is wrong", \
	  "Nothing: the share consumer opens a new session.") \
	X(FENCED_STATE_EPOCH, 124, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the share coordinator has fenced this state epoch", \
	  "Nothing on the producer: a newer share-partition leader took over.") \
	X(INVALID_VOTER_KEY, 125, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the voter's directory id is wrong", \
	  "Name the controller with the directory id that kafka-metadata-quorum.sh describe --replication shows.") \
	X(DUPLICATE_VOTER, 126, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the voter is already in the set", \
	  "Nothing: the controller is a voter already.") \
	X(VOTER_NOT_FOUND, 127, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the voter is not in the set", \
	  "Check the voters with kafka-metadata-quorum.sh describe --status.") \
	X(INVALID_REGULAR_EXPRESSION, 128, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the regular expression is not valid", \
	  "Write the subscription pattern in RE2/J syntax.") \
	X(REBOOTSTRAP_REQUIRED, 129, PERMANENT, MAYBE, OPERATION, FAIL, REBOOTSTRAP, "the client's metadata is too old, it has to bootstrap again", \
	  "Check that bootstrap.servers still names brokers of this cluster; the client starts over from there.") \
	X(STREAMS_INVALID_TOPOLOGY, 130, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the streams topology is not valid", \
	  "Read the message in the answer and correct the topology.") \
	X(STREAMS_INVALID_TOPOLOGY_EPOCH, 131, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the streams topology epoch is wrong", \
	  "Deploy the same topology on all members of the application.") \
	X(STREAMS_TOPOLOGY_FENCED, 132, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the streams topology is out of date", \
	  "Restart this member with the application's current topology.") \
	X(SHARE_SESSION_LIMIT_REACHED, 133, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the broker has no room for another share session", \
	  "Raise group.share.max.share.sessions on the brokers or run fewer share consumers.")

/* Ours: what the client finds by itself. They never travel to or from a broker. */
#define KP_ERROR_LIST_LOCAL(X) \
	X(QUEUE_FULL, -1001, RESOURCE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "buffer.memory is used up", \
	  "Raise buffer.memory or max.block.ms, send more slowly, or find out why the brokers are slow (stage times in the statistics).") \
	X(TIMED_OUT, -1002, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the call's own deadline passed", \
	  "Call again or give it more time (max.block.ms, or the call's time-out); the trail names the stage it waited in.") \
	X(DELIVERY_TIMEOUT, -1003, PERMANENT, MAYBE, RECORD, FAIL, FAIL_TOPIC, "delivery.timeout.ms passed before the record was acknowledged", \
	  "Read the report's trail for the last broker error, fix that, or raise delivery.timeout.ms above the longest outage to be ridden out.") \
	X(BAD_ARGUMENT, -1004, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "an argument of the call is not allowed", \
	  "Correct the call: the function's comment in the header states what each argument may be.") \
	X(BAD_CONFIG, -1005, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a configuration property is unknown or its value not allowed", \
	  "Correct the property that the message names; docs/configuration.md lists names, types and bounds.") \
	X(NO_MEMORY, -1006, RESOURCE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the process could not get memory", \
	  "Raise the container's memory limit or lower buffer.memory.") \
	X(CLOSED, -1007, PERMANENT, MAYBE, INSTANCE, FAIL, FAIL_TOPIC, "the producer is closed", \
	  "Flush before closing, give kp_close more time, and do not send afterwards.") \
	X(PURGED, -1008, PERMANENT, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the record was removed by a purge", \
	  "Nothing: the application asked for it; send the record again if it is still wanted.") \
	X(IN_CALLBACK, -1009, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a blocking call was made from a callback", \
	  "Make the call from another thread: on the loop thread it would wait for itself.") \
	X(FORKED, -1010, USAGE, MAYBE, INSTANCE, FAIL, FAIL_TOPIC, "the producer was created before fork()", \
	  "Create the producer in the child process; its threads and connections belong to the parent.") \
	X(RECORD_TOO_LARGE, -1011, USAGE, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the record is larger than max.request.size", \
	  "Raise max.request.size (and the topic's max.message.bytes), or keep large payloads elsewhere and send a reference.") \
	X(UNKNOWN_PARTITION, -1012, USAGE, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the topic has no partition of this number", \
	  "Check the partition number, or let the partitioner choose; kafka-topics.sh --describe shows how many there are.") \
	X(RESOLVE, -1013, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the host name could not be resolved", \
	  "Check bootstrap.servers and the brokers' advertised.listeners, and resolve the name on this host (getent hosts NAME).") \
	X(CONNECT, -1014, REFRESH, MAYBE, OPERATION, REFRESH, ASK_AGAIN, "no connection could be made", \
	  "Check that the broker's port is open from this host (nc -vz HOST PORT), firewalls, and socket.connection.setup.timeout.ms.") \
	X(TRANSPORT, -1015, REFRESH, MAYBE, OPERATION, REFRESH, ASK_AGAIN, "the connection was lost", \
	  "Look for broker restarts, proxies and firewalls at that time; a loss right after connecting hints at a wrong security.protocol.") \
	X(PROTOCOL, -1016, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the peer sent bytes that are not Kafka's", \
	  "Check that the port is a Kafka listener and that security.protocol fits it (a TLS listener answers a plaintext client like this).") \
	X(NOT_SUPPORTED, -1017, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the broker is too old for what was asked", \
	  "Upgrade the broker, or switch the feature off that the message names.") \
	X(WOULD_BLOCK, -1018, RETRIABLE, MAYBE, OPERATION, RETRY, ASK_AGAIN, "the call would have to wait", \
	  "Call again after the next event or report, or use the blocking form of the call.") \
	X(COMPRESSION, -1019, INTERNAL, MAYBE, BATCH, FAIL, FAIL_TOPIC, "the batch could not be compressed or decompressed", \
	  "Set compression.type=none to go on, and report it with the codec and its level.") \
	X(IO, -1020, PERMANENT, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a local file could not be read or written", \
	  "Check path, permissions and free space of the file that the message names.") \
	X(INTERNAL, -1021, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "a bug in this library", \
	  "Report it with the log lines before it and the library's version.") \
	X(QUEUE_EVICTED, -1022, RESOURCE, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the record was dropped as the oldest one, to make room", \
	  "Raise buffer.memory, or choose another policy for a full buffer if old records must not be lost.") \
	X(REQUEST_TIMEOUT, -1023, REFRESH, MAYBE, OPERATION, REFRESH, ASK_AGAIN, "the broker did not answer within request.timeout.ms", \
	  "Check the broker's load and the network to it; raise request.timeout.ms if answers are slow by nature.") \
	X(BAD_STATE, -1024, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the call is not allowed in the present state", \
	  "Follow the order of calls: initialize transactions once, then begin, send, commit or abort, each ended before the next.") \
	X(NOT_RETRIABLE, -1025, PERMANENT, MAYBE, RECORD, FAIL, FAIL_TOPIC, "sending this record again would fail in the same way", \
	  "Look at the report's own error and its advice: the record, the topic or the producer has to change first.") \
	X(MAY_DOUBLE, -1026, PERMANENT, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the record may be in the log already, sending it again could double it", \
	  "Look for it in the topic first, or set KP_RESEND_UNKNOWN where consumers bear a record that comes twice.") \
	X(RESENDER_FULL, -1027, RESOURCE, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the records that wait to be sent again take max_bytes", \
	  "Poll the resender, raise max_bytes of kp_resend_options, or keep the record elsewhere.") \
	X(PARTITION_HALTED, -1028, PERMANENT, MAYBE, PARTITION, FAIL, FAIL_TOPIC, "the partition is halted, a record before this one was lost", \
	  "Decide what to do about the lost record, call kp_topic_resume, and send again what is to follow it.") \
	X(TRANSACTION_ABORTED, -1029, PERMANENT, MAYBE, RECORD, FAIL, FAIL_TOPIC, "the record's transaction is aborted", \
	  "Begin a new transaction and send it again; the abort's cause stands in the failed call's error.") \
	X(NO_TRANSACTION, -1030, USAGE, MAYBE, OPERATION, FAIL, FAIL_TOPIC, "the producer has a transactional.id and no open transaction", \
	  "Call kp_begin_transaction before kp_send, or leave transactional.id unset if records are to be visible one by one.")

/* clang-format on */

#define KP_ERROR_LIST(X) KP_ERROR_LIST_KAFKA(X) KP_ERROR_LIST_LOCAL(X)

#endif
