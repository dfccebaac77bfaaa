"""Options of `kproducer broker`, seen by clients that are not ours."""

import pytest

from command import kproducer, produce
from readers import bounds, consumer


def test_clients_are_told_the_advertised_host(own_devbroker):
    broker = own_devbroker("--advertised-host", "localhost")
    [node] = broker.admin.list_topics(timeout=10).brokers.values()
    assert (node.host, str(node.port)) == ("localhost", broker.servers.split(":")[1])


def test_batches_beyond_the_largest_are_refused(own_devbroker, name):
    broker = own_devbroker("--max-message-bytes", "2000")
    produce(broker, name, stdin=b"x" * 1000 + b"\n")
    assert "MESSAGE_TOO_LARGE" in produce(broker, name, stdin=b"x" * 3000 + b"\n", code=1).err


def test_memory_is_bounded_by_dropping_the_oldest(own_devbroker, name):
    broker = own_devbroker("--memory", "1M")
    broker.create_topic(name)
    produce(broker, name, "-X", "batch.size=100000", stdin=b"".join(b"%0999d\n" % i for i in range(5000)))
    first, end = bounds(consumer(broker), name, 0)
    assert end == 5000 and 4000 <= first < 5000


def test_topics_are_not_made_on_first_use_when_so_told(own_devbroker, name):
    broker = own_devbroker("--no-auto-create")
    times = ["-X", "delivery.timeout.ms=600", "-X", "request.timeout.ms=500"]
    assert "UNKNOWN_TOPIC_OR_PARTITION" in produce(broker, name, *times, stdin=b"x\n", code=1).err
    assert broker.partitions(name) == 0


def test_ids_of_topics_repeat_with_a_seed(own_devbroker, name):
    def topic_id(*options):
        broker = own_devbroker(*options)
        broker.create_topic(name)
        [entry] = kproducer("topics", "describe", name, "-b", broker.servers, "--json").json
        return entry["id"]

    assert topic_id("--seed", "7") == topic_id("--seed", "7") != topic_id("--seed", "8")


@pytest.mark.parametrize("args", [["--nodes", "0"], ["--seed", "x"], ["--seed", "0"], ["--memory", "0"], ["--max-message-bytes", "many"],
                                  ["--transaction-version", "3"], ["--listen", "nowhere"], ["operand"]],
                         ids=" ".join)
def test_usage(args):
    result = kproducer("broker", *args)
    assert result.code == 2 and len(result.lines) == 1 and not result.out
