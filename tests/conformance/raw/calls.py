"""Requests that many scripts send."""

from batch import batch
from schema import NO_ID

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD = range(-1, -7, -1)


def produce_body(s, entries, version, acks=-1, transactional_id=None, timeout_ms=5000):
    """entries: (alias, partition, records) each; consecutive ones of one topic share its entry."""
    topics = []
    for alias, partition, data in entries:
        name = s.topic(alias)
        if not topics or topics[-1]["Name"] != name:
            topics.append({"Name": name, "PartitionData": []})
            if version >= 13:
                topics[-1]["TopicId"] = s.topic_id(alias)
        topics[-1]["PartitionData"].append({"Index": partition, "Records": data})
    return {"TransactionalId": transactional_id, "Acks": acks, "TimeoutMs": timeout_ms, "TopicData": topics}


def produce(s, data=None, alias="t", partition=0, version=11, **options):
    """One batch to one partition."""
    data = batch() if data is None else data
    return s.call("Produce", version, produce_body(s, [(alias, partition, data)], version, **options))


def produce_many(s, *entries, version=11, **options):
    return s.call("Produce", version, produce_body(s, entries, version, **options))


def fill(s, n=3, alias="t", partition=0, **fields):
    """n batches of one record, offsets 0 to n - 1: only prepares."""
    for i in range(n):
        data = batch(b"value %d" % i, **fields)
        answer = s.ask("Produce", 11, produce_body(s, [(alias, partition, data)], 11))
        assert answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == 0, answer


def fetch_body(s, version=12, alias="t", partition=0, offset=0, topic_id=None, **f):
    q = {"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": f.get("partition_max_bytes", 1 << 20)}
    for name, field in (("epoch", "CurrentLeaderEpoch"), ("last_epoch", "LastFetchedEpoch"), ("log_start", "LogStartOffset")):
        if name in f:
            q[field] = f[name]
    topic = {"Topic": s.topic(alias), "Partitions": [q]}
    if version >= 13:
        topic["TopicId"] = s.topic_id(alias) if topic_id is None else topic_id
    return {
        "ReplicaId": -1,
        "MaxWaitMs": f.get("max_wait_ms", 0),
        "MinBytes": f.get("min_bytes", 0),
        "MaxBytes": f.get("max_bytes", 1 << 20),
        "IsolationLevel": f.get("isolation", 0),
        "SessionId": f.get("session_id", 0),
        "SessionEpoch": f.get("session_epoch", -1),
        "Topics": f.get("topics", [topic]),
        "RackId": f.get("rack", ""),
    }


def fetch(s, version=12, **options):
    return s.call("Fetch", version, fetch_body(s, version, **options))


def list_offsets_body(s, *timestamps, version=8, alias="t", partition=0, **f):
    """Names the partition once for each time."""
    one = {"CurrentLeaderEpoch": f.get("epoch", -1)} if version >= 4 else {}
    partitions = [one | {"PartitionIndex": partition, "Timestamp": t} for t in timestamps]
    body = {"ReplicaId": f.get("replica_id", -1), "IsolationLevel": f.get("isolation", 0)}
    return body | {"Topics": [{"Name": s.topic(alias), "Partitions": partitions}]}


def list_offsets(s, *timestamps, version=8, **options):
    """A request for each time: Kafka refuses to be asked twice for a partition."""
    for t in timestamps:
        s.call("ListOffsets", version, list_offsets_body(s, t, version=version, **options))


def end_of_log(s, alias="t", partition=0):
    list_offsets(s, LATEST, alias=alias, partition=partition)


def metadata(s, *topics, version=12, allow_auto_create=False, **f):
    """topics: names, ids (bytes) or (name, id); none: an empty list."""
    asked = []
    for t in topics:
        name, topic_id = (None, t) if isinstance(t, bytes) else t if isinstance(t, tuple) else (t, NO_ID)
        asked.append({"Name": name, "TopicId": topic_id})
    body = {"Topics": asked, "AllowAutoTopicCreation": allow_auto_create}
    return s.call("Metadata", version, body | f)


def new_topic(name, partitions=1, replicas=1, assignments=(), config=()):
    return {
        "Name": name,
        "NumPartitions": partitions,
        "ReplicationFactor": replicas,
        "Assignments": [{"PartitionIndex": p, "BrokerIds": nodes} for p, nodes in assignments],
        "Configs": [{"Name": k, "Value": v} for k, v in config],
    }


def create_topics(s, *topics, version=7, validate_only=False):
    return s.call("CreateTopics", version, {"Topics": list(topics), "timeoutMs": 5000, "validateOnly": validate_only})
