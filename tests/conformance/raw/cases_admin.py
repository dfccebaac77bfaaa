"""CreateTopics, DeleteTopics, CreatePartitions, DescribeConfigs."""

from calls import create_topics, metadata, new_topic
from schema import NO_ID
from script import script

NOTHING = {}


@script(topics=NOTHING, version=range(2, 8))
def create_topic(s, version):
    create_topics(s, new_topic(s.topic()), version=version)
    s.until_leader()
    create_topics(s, new_topic(s.topic()), version=version)
    metadata(s, s.topic())


@script(topics=NOTHING, version=[2, 4, 5, 7])
def create_topic_validate_only(s, version):
    create_topics(s, new_topic(s.topic(), 3), version=version, validate_only=True)
    create_topics(s, new_topic(s.topic(), 0), version=version, validate_only=True)
    metadata(s, s.topic())


@script(validate_only=[0, 1])
def create_topic_that_exists(s, validate_only):
    create_topics(s, new_topic(s.topic()), validate_only=bool(validate_only))
    create_topics(s, new_topic(s.topic(), 0, 7), validate_only=bool(validate_only))


@script(topics=NOTHING, name={
    "empty": "", "dot": ".", "dots": "..", "space": "a b", "slash": "a/b", "long": "x" * 250, "umlaut": "ä", "newline": "a\nb",
    "internal": "__consumer_offsets_of_ours", "null_byte": "a\0b",
})
def create_topic_name(s, name):
    create_topics(s, new_topic(name), validate_only=True)


@script(topics=NOTHING)
def create_topic_colliding_name(s):
    create_topics(s, new_topic(s.topic("") + "a.b"))
    create_topics(s, new_topic(s.topic("") + "a_b"), validate_only=True)
    create_topics(s, new_topic(s.topic("") + "x.y"), new_topic(s.topic("") + "x_y"), validate_only=True)


@script(topics=NOTHING, partitions=[0, -1, -2, 2, 10001, 2**31 - 1], version=[3, 5, 7])
def create_topic_partitions(s, partitions, version):
    create_topics(s, new_topic(s.topic(), partitions), version=version, validate_only=True)


@script(topics=NOTHING, replicas=[0, -1, -2, 2, 3, 32767], version=[3, 5, 7])
def create_topic_replicas(s, replicas, version):
    create_topics(s, new_topic(s.topic(), 1, replicas), version=version, validate_only=True)


@script(topics=NOTHING, version=[2, 3])
def create_topic_without_counts(s, version):
    create_topics(s, new_topic(s.topic(), -1, -1), version=version, validate_only=True)


@script(topics=NOTHING, assignments={
    "good": [(0, [1])],
    "two": [(0, [1]), (1, [1])],
    "twisted": [(1, [1]), (0, [1])],
    "not_from_zero": [(1, [1])],
    "gap": [(0, [1]), (2, [1])],
    "twice": [(0, [1]), (0, [1])],
    "negative": [(-1, [1])],
    "unknown_node": [(0, [9])],
    "negative_node": [(0, [-1])],
    "node_twice": [(0, [1, 1])],
    "no_node": [(0, [])],
    "uneven": [(0, [1]), (1, [1, 2])],
})
def create_topic_assignments(s, assignments):
    create_topics(s, new_topic(s.topic(), -1, -1, assignments), validate_only=True)
    create_topics(s, new_topic(s.topic(), -1, -1, assignments), version=4, validate_only=True)


@script(topics=NOTHING, counts={"both": (1, 1), "partitions": (1, -1), "replicas": (-1, 1), "odd": (5, 9)})
def create_topic_counts_and_assignments(s, counts):
    create_topics(s, new_topic(s.topic(), *counts, assignments=[(0, [1])]), validate_only=True)


CONFIGS = {
    "max.message.bytes": ("0", "1000", "-1", "x", "", "2147483648", " 7 ", "1.5", None),
    "cleanup.policy": ("compact", "delete", "compact,delete", "delete, compact", "none", "", "Compact"),
    "message.timestamp.type": ("CreateTime", "LogAppendTime", "createtime", ""),
    "message.timestamp.before.max.ms": ("0", "-1", "9223372036854775807", "9223372036854775808"),
    "message.timestamp.after.max.ms": ("0", "-1", "3600000"),
    "min.insync.replicas": ("0", "1", "5", "x"),
    "compression.type": ("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd", "none", ""),
    "retention.ms": ("-1", "0", "-2", "86400000"),
    "retention.bytes": ("-1", "1000000", "-2", "x"),
    "segment.bytes": ("14", "1048576", "13", "1048575", "2147483648"),
    "segment.ms": ("1", "0"),
    "unclean.leader.election.enable": ("true", "FALSE", "yes", ""),
    "min.cleanable.dirty.ratio": ("0", "0.5", "1", "1.1", "-0.1", "NaN", "x"),
    "flush.messages": ("1", "0", "9223372036854775807"),
    "index.interval.bytes": ("0", "-1"),
    "preallocate": ("true", "1"),
    "file.delete.delay.ms": ("0", "-1"),
    "local.retention.ms": ("-2", "-1", "-3"),
    "remote.storage.enable": ("false", "true"),
    "message.format.version": ("3.0",),
    "message.timestamp.difference.max.ms": ("1000",),
    "message.downconversion.enable": ("true",),
    "leader.replication.throttled.replicas": ("*", "0:1", "x", ""),
    "no.such.property": ("1", None),
    "": ("x",),
}


@script(topics=NOTHING, name=CONFIGS)
def create_topic_config(s, name):
    key = next(k for k in CONFIGS if CONFIGS[k] is name)
    for value in name:
        create_topics(s, new_topic(s.topic(), config=[(key, value)]), validate_only=True)


@script(topics=NOTHING)
def create_topic_config_many(s):
    create_topics(s, new_topic(s.topic(), config=[("retention.ms", "1"), ("max.message.bytes", "x")]), validate_only=True)
    create_topics(s, new_topic(s.topic(), config=[("retention.ms", "1"), ("retention.ms", "2")]), validate_only=True)
    create_topics(s, new_topic(s.topic(), 0, config=[("retention.ms", "x")]), validate_only=True)
    create_topics(s, new_topic(s.topic(), 1, 5, config=[("retention.ms", "x")]), validate_only=True)


@script(topics=NOTHING)
def create_topic_config_is_told(s):
    create_topics(s, new_topic(s.topic(), 2, config=[("retention.ms", "12345"), ("cleanup.policy", "compact")]))


@script(topics=NOTHING, validate_only=[0, 1])
def create_topic_twice_in_a_request(s, validate_only):
    name = s.topic()
    create_topics(s, new_topic(name), new_topic(s.topic("u")), new_topic(name, 2), validate_only=bool(validate_only))
    metadata(s, name)


@script(topics=NOTHING, version=[2, 7])
def create_no_topic(s, version):
    create_topics(s, version=version)


@script()
def create_many_topics(s):
    create_topics(s, new_topic(s.topic("new")), new_topic(s.topic()), new_topic(""), new_topic(s.topic("zero"), 0), validate_only=True)


@script(topics=NOTHING)
def create_too_many_partitions(s):
    create_topics(s, new_topic(s.topic("a"), 6000), new_topic(s.topic("b"), 6000), validate_only=True)


@script(version=[1, 3, 5])
def delete_topic(s, version):
    s.call("DeleteTopics", version, {"TopicNames": [s.topic()], "TimeoutMs": 5000})
    s.until_gone()
    s.call("DeleteTopics", version, {"TopicNames": [s.topic()], "TimeoutMs": 5000})
    metadata(s, s.topic())


@script()
def delete_topic_by_name_in_6(s):
    s.call("DeleteTopics", 6, {"Topics": [{"Name": s.topic()}], "TimeoutMs": 5000})
    s.until_gone()
    metadata(s, s.topic())


@script()
def delete_topic_by_id(s):
    topic_id = s.topic_id()
    s.call("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": topic_id}], "TimeoutMs": 5000})
    s.until_gone()
    s.call("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": topic_id}], "TimeoutMs": 5000})
    metadata(s, topic_id)


@script(topics=NOTHING, version=[1, 4, 5])
def delete_unknown_topic(s, version):
    s.call("DeleteTopics", version, {"TopicNames": ["no-such-topic", "", "a b"], "TimeoutMs": 5000})


@script(topics=NOTHING)
def delete_unknown_id(s):
    s.call("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": b"\x55" * 16}], "TimeoutMs": 5000})
    s.call("DeleteTopics", 6, {"Topics": [{"Name": "no-such-topic"}], "TimeoutMs": 5000})


@script()
def delete_topic_without_name_and_id(s):
    s.call("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": NO_ID}], "TimeoutMs": 5000})
    s.call("DeleteTopics", 6, {"Topics": [{"Name": s.topic(), "TopicId": s.topic_id()}], "TimeoutMs": 5000})
    metadata(s, s.topic())


@script()
def delete_topic_twice_in_a_request(s):
    s.call("DeleteTopics", 5, {"TopicNames": [s.topic(), s.topic()], "TimeoutMs": 5000})
    s.call("DeleteTopics", 6, {"Topics": [{"Name": None, "TopicId": s.topic_id()}] * 2, "TimeoutMs": 5000})
    s.call("DeleteTopics", 6, {"Topics": [{"Name": s.topic()}, {"Name": None, "TopicId": s.topic_id()}], "TimeoutMs": 5000})
    metadata(s, s.topic())


@script(topics=NOTHING)
def delete_nothing(s):
    s.call("DeleteTopics", 5, {"TopicNames": [], "TimeoutMs": 5000})
    s.call("DeleteTopics", 6, {"Topics": [], "TimeoutMs": 5000})


def grow(s, count, version=3, assignments=None, validate_only=True, name=None):
    topic = {"Name": s.topic() if name is None else name, "Count": count, "Assignments": assignments}
    return s.call("CreatePartitions", version, {"Topics": [topic], "TimeoutMs": 5000, "ValidateOnly": validate_only})


@script(topics={"t": {"partitions": 2}}, version=range(0, 4))
def partitions_grow(s, version):
    grow(s, 4, version, validate_only=False)
    s.until_leader(partitions=4)
    metadata(s, s.topic())


@script(topics={"t": {"partitions": 2}}, count=[2, 1, 0, -1, 3, 10003, 2**31 - 1])
def partitions_count(s, count):
    grow(s, count)


@script(topics={"t": {"partitions": 2}})
def partitions_validate_only(s):
    grow(s, 5)
    metadata(s, s.topic())


@script(topics=NOTHING, name={"unknown": "no-such-topic", "empty": "", "invalid": "a b"})
def partitions_of_topic(s, name):
    grow(s, 5, name=name)


@script(topics={"t": {"partitions": 2}}, nodes={
    "good": [[1]], "too_few": [], "too_many": [[1], [1]], "unknown": [[9]], "none": [[]], "twice": [[1, 1]], "uneven": [[1, 2]], "negative": [[-1]],
})
def partitions_assignments(s, nodes):
    grow(s, 3, assignments=[{"BrokerIds": n} for n in nodes])


@script(topics={"t": {"partitions": 2}})
def partitions_assignments_of_other_sizes(s):
    grow(s, 4, assignments=[{"BrokerIds": [1]}, {"BrokerIds": [1, 2]}])


@script(topics={"t": {}, "u": {}})
def partitions_of_a_topic_twice(s):
    topics = [{"Name": s.topic(a), "Count": n, "Assignments": None} for a, n in (("t", 2), ("u", 2), ("t", 3))]
    s.call("CreatePartitions", 3, {"Topics": topics, "TimeoutMs": 5000, "ValidateOnly": True})


def describe(s, kind, name, keys=None, version=4, **f):
    resource = {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys}
    return s.call("DescribeConfigs", version, {"Resources": [resource]} | f)


@script(topics={"t": {"config": {"retention.ms": "1234567", "cleanup.policy": "compact"}}}, version=[1, 2, 3, 4])
def configs_of_a_topic(s, version):
    describe(s, 2, s.topic(), version=version)
    describe(s, 2, s.topic(), version=version, IncludeSynonyms=True)


@script(topics={"t": {"config": {"retention.ms": "1234567"}}}, keys={
    "one": ["retention.ms"], "default": ["segment.bytes"], "unknown": ["no.such"], "none": [], "twice": ["retention.ms", "retention.ms"],
    "mixed": ["retention.ms", "no.such", "cleanup.policy"],
})
def configs_of_a_topic_by_name(s, keys):
    describe(s, 2, s.topic(), keys, IncludeSynonyms=True)


@script(topics=NOTHING, name={"unknown": "no-such-topic", "empty": "", "invalid": "a b"})
def configs_of_topic(s, name):
    describe(s, 2, name)


@script(topics=NOTHING, kind=[0, 1, 3, 5, 100, -1])
def configs_of_unknown_type(s, kind):
    describe(s, kind, "1")


@script(topics=NOTHING, name={"number": "1", "empty": "", "other": "2", "word": "x", "negative": "-1", "signed": "+1", "space": " 1"})
def configs_of_broker(s, name):
    describe(s, 4, name, ["auto.create.topics.enable", "message.max.bytes", "num.partitions", "node.id"])


@script(topics=NOTHING)
def configs_of_a_broker_by_unknown_name(s):
    describe(s, 4, "1", ["no.such"])


@script()
def configs_with_documentation(s):
    describe(s, 2, s.topic(), ["retention.ms"], IncludeDocumentation=True)


@script(topics={"a": {}, "b": {}})
def configs_of_many(s):
    names = [(2, s.topic("a")), (2, "no-such-topic"), (2, s.topic("b")), (2, s.topic("a"))]
    resources = [{"ResourceType": k, "ResourceName": n, "ConfigurationKeys": ["retention.ms"]} for k, n in names]
    s.call("DescribeConfigs", 4, {"Resources": resources})
    s.call("DescribeConfigs", 4, {"Resources": []})
