"""`kproducer topics` against clusters, checked with clients that are not ours."""

import pytest
from confluent_kafka import Consumer

from command import kproducer, wait_until


def topics(broker, action, *args, code=0):
    result = kproducer("topics", action, "-b", broker.servers, *args)
    assert result.code == code, result
    return result


def refused(broker, action, *args, code, says):
    """The command fails in one line that holds `says`."""
    result = topics(broker, action, *args, code=code)
    assert len(result.lines) == 1 and result.err.startswith("kproducer: ")
    for text in says:
        assert text in result.err


def await_partitions(broker, n, *names):
    """The answer comes from Kafka's controller; the broker learns of it a moment later."""
    for name in names:
        wait_until(lambda: broker.partitions(name) == n, f"{n} partitions of {name}")


def config_of(broker, topic):
    [entry] = topics(broker, "describe", topic, "--json").json
    return entry["configs"]


def test_create_with_partitions_and_configuration(broker, name):
    said = topics(broker, "create", name, "--partitions", "5", "--config", "retention.ms=3600000", "--config", "cleanup.policy=compact")
    assert f"{name}: created" in said.err
    await_partitions(broker, 5, name)
    assert config_of(broker, name)["retention.ms"] == "3600000"
    assert config_of(broker, name)["cleanup.policy"] == "compact"


def test_create_by_the_brokers_defaults(broker, name):
    topics(broker, "create", name)
    await_partitions(broker, 1, name)


def test_create_several_at_once(broker, name):
    topics(broker, "create", f"{name}-a", f"{name}-b")
    await_partitions(broker, 1, f"{name}-a", f"{name}-b")


def test_list_shows_name_partitions_and_replicas(broker, name):
    broker.create_topic(name, partitions=3)
    assert f"{name}\t3\t1" in topics(broker, "list").out.decode().splitlines()
    assert {"topic": name, "partitions": 3, "replicas": 1, "is_internal": False} in topics(broker, "list", "--json").json


def test_describe_shows_leaders_and_what_is_not_default(broker, name):
    broker.create_topic(name, partitions=2, retention_ms=1234567)
    text = topics(broker, "describe", name).out.decode()
    assert text.startswith(f"{name}: 2 partitions, id ")
    assert "partition 1: leader" in text and "retention.ms=1234567" in text
    assert "segment.bytes" not in text
    [entry] = topics(broker, "describe", name, "--json").json
    assert [(p["partition"], p["replicas"], p["in_sync"]) for p in entry["partitions"]] == [(0, 1, 1), (1, 1, 1)]
    assert entry["id"].strip("0-")


def test_describe_without_a_name_shows_all(devbroker, name):
    devbroker.create_topic(f"{name}-b", partitions=2)
    devbroker.create_topic(f"{name}-a")
    found = [t["topic"] for t in topics(devbroker, "describe", "--json").json]
    assert found == sorted(found) and {f"{name}-a", f"{name}-b"} <= set(found)
    assert f"{name}-b: 2 partitions" in topics(devbroker, "describe").out.decode()


def test_internal_topics_are_shown_on_request(kafka, lines):
    consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": "makes-the-internal-topic", "log_level": 0})
    consumer.subscribe(["no-such-topic"])
    wait_until(lambda: consumer.poll(0.1) is None and kafka.partitions("__consumer_offsets"), "the internal topic")
    consumer.close()
    assert "__consumer_offsets" not in topics(kafka, "list").out.decode() + topics(kafka, "describe").out.decode()
    assert {"topic": "__consumer_offsets", "partitions": 1, "replicas": 1, "is_internal": True} in topics(kafka, "list", "--internal", "--json").json
    assert "__consumer_offsets: 1 partition, id" in topics(kafka, "describe", "--internal").out.decode()


def test_a_topic_is_there_for_others_when_create_ends(broker, name):
    for i in range(5):
        topics(broker, "create", f"{name}-{i}", "--partitions", "8")
        topics(broker, "describe", f"{name}-{i}")
        topics(broker, "add-partitions", f"{name}-{i}", "--partitions", "9")
        [entry] = topics(broker, "describe", f"{name}-{i}", "--json").json
        assert [p["leader"] >= 0 for p in entry["partitions"]] == [True] * 9


def test_if_not_exists_leaves_what_there_is(broker, name):
    broker.create_topic(name, partitions=2)
    result = topics(broker, "create", name, f"{name}-new", "--partitions", "5", "--if-not-exists", "--json")
    assert result.json == [{"topic": name, "done": "exists already"}, {"topic": f"{name}-new", "done": "created"}]
    assert (broker.partitions(name), broker.partitions(f"{name}-new")) == (2, 5)


def test_if_exists_is_content_with_nothing(broker, name):
    for action in (["delete"], ["describe"], ["add-partitions", "--partitions", "3"]):
        assert f"{name}: does not exist" in topics(broker, action[0], name, *action[1:], "--if-exists").err
    assert broker.partitions(name) == 0


def test_json_tells_of_failures_too(broker, name):
    broker.create_topic(name)
    result = topics(broker, "delete", f"{name}-none", name, "--json", code=1)
    failed, done = result.json
    assert failed["topic"] == f"{name}-none" and failed["error"] == "UNKNOWN_TOPIC_OR_PARTITION" and failed["message"]
    assert done == {"topic": name, "done": "deleted"}


def test_a_topic_may_be_named_with_the_option(devbroker, name):
    result = kproducer("topics", "create", "--bootstrap-server", devbroker.servers, "--topic", name, "--replication-factor", "1")
    assert result.code == 0 and devbroker.partitions(name) == 1


def test_replicas_are_as_many_as_asked_for(own_devbroker):
    broker = own_devbroker("--nodes", "3")
    topics(broker, "create", "t", "--partitions", "2", "--replication-factor", "3")
    [described] = topics(broker, "describe", "t", "--json").json
    assert [partition["replicas"] for partition in described["partitions"]] == [3, 3]


def test_delete(broker, name):
    broker.create_topic(name)
    topics(broker, "delete", name)
    await_partitions(broker, 0, name)


def test_add_partitions(broker, name):
    broker.create_topic(name, partitions=2)
    topics(broker, "add-partitions", name, "--partitions", "6")
    await_partitions(broker, 6, name)


def test_create_of_what_exists(broker, topic):
    refused(broker, "create", topic, code=1, says=[topic, "TOPIC_ALREADY_EXISTS"])


@pytest.mark.parametrize("bad", ["no spaces", "a" * 250, "slash/", "..", "ümlaut"])
def test_create_with_a_bad_name(broker, bad):
    refused(broker, "create", bad, code=2, says=["INVALID_TOPIC_EXCEPTION"])


def test_create_with_more_replicas_than_brokers(broker, name):
    refused(broker, "create", name, "--replication-factor", "2", code=2, says=[name, "INVALID_REPLICATION_FACTOR"])
    assert broker.partitions(name) == 0


@pytest.mark.parametrize("config", ["no.such.config=1", "retention.ms=soon", "cleanup.policy=burn"])
def test_create_with_a_bad_configuration(broker, name, config):
    refused(broker, "create", name, "--config", config, code=2, says=[name, "INVALID_CONFIG", config.split("=")[0]])


@pytest.mark.parametrize("action", [["describe"], ["delete"], ["add-partitions", "--partitions", "3"]], ids=lambda a: a[0])
def test_unknown_topic(broker, name, action):
    refused(broker, action[0], name, *action[1:], code=1, says=[name, "UNKNOWN_TOPIC_OR_PARTITION"])
    assert broker.partitions(name) == 0, "asking must not create it"


@pytest.mark.parametrize("total", ["3", "2"])
def test_partitions_cannot_be_taken_away_or_kept(broker, name, total):
    broker.create_topic(name, partitions=3)
    refused(broker, "add-partitions", name, "--partitions", total, code=2, says=[name, "INVALID_PARTITIONS"])


def test_one_bad_topic_does_not_stop_the_others(broker, name):
    broker.create_topic(f"{name}-b")
    result = topics(broker, "create", f"{name}-a", f"{name}-b", f"{name}-c", code=1)
    assert "TOPIC_ALREADY_EXISTS" in result.err
    await_partitions(broker, 1, f"{name}-a", f"{name}-c")


@pytest.mark.parametrize("args", [
    [], ["burn", "t"], ["create"], ["list", "t"], ["add-partitions", "t"], ["create", "t", "--partitions", "none"],
    ["create", "t", "--partitions", "0"], ["create", "t", "--config", "novalue"],
    ["delete", "t", "--partitions", "3"], ["list", "--if-exists"], ["create", "t", "--if-exists"], ["describe", "--if-not-exists"],
    ["create", "t", "-t", "u"], ["create", "t", "--replication-factor", "40000"], ["crate", "t"],
], ids=" ".join)
def test_usage(args):
    result = kproducer("topics", *args, "-b", "127.0.0.1:1")
    assert result.code == 2 and result.err.startswith("kproducer: ")
