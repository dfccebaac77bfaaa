"""Ten million records, counted by Kafka itself."""

from command import kproducer

N = 10_000_000


def test_getoffsetshell_counts_ten_million(each_kafka, name):
    each_kafka.create_topic(name, partitions=6)
    result = kproducer("perf", "-b", each_kafka.servers, "-t", name, "-n", N, "-s", "100", "--json", timeout=600)
    assert result.code == 0, result
    figures = result.json
    assert (figures["records"], figures["acked"], figures["failed"], figures["unknown"]) == (N, N, 0, 0)
    ends = each_kafka.offsets(name)
    assert sorted(ends) == list(range(6))
    assert sum(ends.values()) == N
    each_kafka.delete_topic(name)
