"""Metadata, DescribeCluster, FindCoordinator, InitProducerId."""

from calls import metadata, new_topic
from schema import NO_ID
from script import script

INVALID_NAMES = {"empty": "", "dot": ".", "dots": "..", "space": "a b", "slash": "a/b", "long": "x" * 250, "longest": "x" * 249, "umlaut": "ä"}


@script(topics={"t": {"partitions": 3}}, version=range(0, 14))
def metadata_of_a_topic(s, version):
    more = {"AllowAutoTopicCreation": True} if version < 4 else {}
    metadata(s, s.topic(), version=version, **more)


@script(topics={"a": {}, "b": {"partitions": 2}}, version=[0, 1, 5, 9, 12, 13])
def metadata_of_all_topics(s, version):
    more = {"AllowAutoTopicCreation": True} if version < 4 else {}
    metadata(s, version=version, **(more | {"Topics": [] if version == 0 else None}))


@script(version=[1, 4, 9, 12, 13])
def metadata_of_no_topic(s, version):
    metadata(s, version=version, **({"AllowAutoTopicCreation": True} if version < 4 else {}))


@script(version=[10, 11])
def metadata_by_id_before_12(s, version):
    metadata(s, s.topic_id(), version=version)
    metadata(s, (s.topic(), s.topic_id()), version=version)


@script(version=[12, 13])
def metadata_by_id(s, version):
    metadata(s, s.topic_id(), version=version)
    metadata(s, b"\x44" * 16, version=version)
    metadata(s, s.topic_id(), b"\x44" * 16, version=version)


@script(version=[12, 13])
def metadata_by_zero_id(s, version):
    metadata(s, NO_ID, version=version)


@script(version=[12, 13])
def metadata_by_name_and_id(s, version):
    metadata(s, (s.topic(), s.topic_id()), version=version)
    metadata(s, (s.topic(), b"\x44" * 16), version=version)
    metadata(s, ("no-such-topic", s.topic_id()), version=version)


@script(version=[12, 13])
def metadata_by_name_beside_id(s, version):
    metadata(s, s.topic(), s.topic_id(), version=version)


@script(topics={}, version=[4, 5, 9, 10, 12, 13])
def metadata_of_unknown_topic_without_creation(s, version):
    metadata(s, s.topic(), version=version)
    metadata(s, s.topic(), version=version)


@script(topics={}, name=INVALID_NAMES, auto=[0, 1])
def metadata_of_invalid_name(s, name, auto):
    if name != "x" * 249 or not auto:
        metadata(s, name, allow_auto_create=bool(auto))


@script(topics={})
def metadata_creates(s):
    metadata(s, s.topic(), allow_auto_create=True)
    s.until(lambda: s.ask("Metadata", 12, {"Topics": [{"Name": s.topic()}]})["Topics"][0]["ErrorCode"] == 0)
    metadata(s, s.topic())
    metadata(s, s.topic(), allow_auto_create=True)


@script(topics={}, version=[0, 1, 3])
def metadata_creates_before_4(s, version):
    metadata(s, s.topic(), version=version, AllowAutoTopicCreation=True)


@script(topics={"t": {}})
def metadata_of_colliding_name(s):
    s.ask("CreateTopics", 7, {"Topics": [new_topic(s.topic("") + "a.b")], "timeoutMs": 5000})
    metadata(s, s.topic("") + "a_b", allow_auto_create=True)
    metadata(s, s.topic("") + "a_b")


@script(topics={"a": {}, "b": {}})
def metadata_of_known_and_unknown(s):
    metadata(s, s.topic("b"), "no-such-topic", s.topic("a"), "")


@script(version=[9, 12])
def metadata_of_a_topic_twice(s, version):
    metadata(s, s.topic(), s.topic(), version=version)
    metadata(s, "no-such-topic", "no-such-topic", version=version)


@script(cluster=[0, 1], topic=[0, 1], version=[8, 10])
def metadata_authorized_operations(s, cluster, topic, version):
    which = {"IncludeClusterAuthorizedOperations": bool(cluster), "IncludeTopicAuthorizedOperations": bool(topic)}
    metadata(s, s.topic(), version=version, **which)


@script(topics={}, version=[0, 9, 12])
def metadata_null_name(s, version):
    s.call("Metadata", version, {"Topics": [{"Name": None}], "AllowAutoTopicCreation": True})


@script(topics={})
def metadata_null_topics_in_version_0(s):
    s.call("Metadata", 0, {"Topics": None, "AllowAutoTopicCreation": True})


@script(topics={}, version=[0, 1, 2], endpoint=[1, 2, 0, 3, -1])
def cluster_is_described(s, version, endpoint):
    body = {"EndpointType": endpoint} if version >= 1 else {}
    s.call("DescribeCluster", version, body)


@script(topics={}, version=[0, 1, 2])
def cluster_authorized_operations(s, version):
    s.call("DescribeCluster", version, {"IncludeClusterAuthorizedOperations": True})


@script(topics={})
def cluster_with_fenced_brokers(s):
    s.call("DescribeCluster", 2, {"IncludeFencedBrokers": True})


def coordinator(s, version, key_type, *keys):
    if version >= 4:
        s.call("FindCoordinator", version, {"KeyType": key_type, "CoordinatorKeys": list(keys)})
    else:
        s.call("FindCoordinator", version, {"Key": keys[0]} | ({"KeyType": key_type} if version else {}))


@script(topics={}, version=range(0, 7), key_type=[0, 1])
def coordinator_of(s, version, key_type):
    if version or key_type == 0:
        s.until_coordinators()
        coordinator(s, version, key_type, "some-name")


@script(topics={}, version=[1, 3, 4, 6], key_type=[2, 3, -1, 100])
def coordinator_of_unknown_type(s, version, key_type):
    coordinator(s, version, key_type, "some-name")


@script(topics={}, version=[0, 1, 4])
def coordinator_of_empty_name(s, version):
    s.until_coordinators()
    coordinator(s, version, 0, "")
    if version:
        coordinator(s, version, 1, "")


@script(topics={})
def coordinator_of_many(s):
    s.until_coordinators()
    coordinator(s, 4, 0, "a", "b", "c", "a")
    coordinator(s, 4, 0)


def init_producer(s, version, transactional_id=None, timeout_ms=60000, **f):
    body = {"TransactionalId": transactional_id, "TransactionTimeoutMs": timeout_ms}
    return s.call("InitProducerId", version, body | f)


@script(topics={}, version=range(0, 6))
def producer_id_of_idempotent(s, version):
    s.transactional_producer("warm-up")  # until Kafka has a block of ids it answers 14
    init_producer(s, version)
    init_producer(s, version)


@script(topics={}, version=range(0, 6))
def producer_id_of_transactional(s, version):
    s.transactional_producer("warm-up")
    init_producer(s, version, s.script.name)
    init_producer(s, version, s.script.name)
    init_producer(s, version, s.script.name + "-other")


@script(topics={}, transactional_id={"empty": ""}, version=[0, 2, 5])
def producer_id_of_empty_name(s, transactional_id, version):
    init_producer(s, version, transactional_id)


@script(topics={}, timeout_ms=[0, -1, 1, 900000, 900001, 2**31 - 1], version=[1, 4])
def producer_id_transaction_timeout(s, timeout_ms, version):
    s.transactional_producer("warm-up")
    init_producer(s, version, s.script.name, timeout_ms)
    init_producer(s, version, None, timeout_ms)


@script(topics={}, version=[3, 4, 5])
def producer_id_with_id_and_epoch(s, version):
    name = s.script.name
    made, epoch = s.transactional_producer(name)
    init_producer(s, version, name, ProducerId=made, ProducerEpoch=epoch)
    init_producer(s, version, name, ProducerId=made, ProducerEpoch=epoch + 1)
    init_producer(s, version, name, ProducerId=made, ProducerEpoch=epoch)
    init_producer(s, version, name, ProducerId=made + 10**6, ProducerEpoch=epoch + 1)
    init_producer(s, version, name, ProducerId=made, ProducerEpoch=32000)
    init_producer(s, version, name)


@script(topics={}, version=[3, 4, 5])
def producer_id_of_a_name_nobody_used_with_an_id(s, version):
    s.transactional_producer("warm-up")
    init_producer(s, version, s.script.name, ProducerId=123456789, ProducerEpoch=5)


@script(topics={}, pair={"id_only": (5, -1), "epoch_only": (-1, 5), "both": (5, 5), "negative": (-2, -2), "zero": (0, 0)}, version=[3, 5])
def producer_id_of_idempotent_with(s, pair, version):
    s.transactional_producer("warm-up")
    init_producer(s, version, ProducerId=pair[0], ProducerEpoch=pair[1])


@script(topics={}, pair={"id_only": (5, -1), "epoch_only": (-1, 5), "negative": (-2, -2)})
def producer_id_of_transactional_with(s, pair):
    s.transactional_producer("warm-up")
    init_producer(s, 4, s.script.name, ProducerId=pair[0], ProducerEpoch=pair[1])
