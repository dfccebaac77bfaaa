"""`kproducer produce --resend`: records that failed reach the log late, once, and say how often they were sent."""

import json

import pytest

from command import PATIENCE, kproducer, produce, start
from readers import records

EAGER = "-X", "linger.ms=0", "-X", "batch.size=2000"
# A batch is given up after some two attempts, so that what --resend does is seen.
HASTY = "-X", "linger.ms=0", "-X", "request.timeout.ms=100", "-X", "delivery.timeout.ms=200", "-X", "retry.backoff.ms=80"


def numbers(n):
    return b"".join(b"%d\n" % i for i in range(n))


def counts_of(found):
    """How many records carry which retry_count; each has one at most."""
    counts = {}
    for record in found:
        values = [value for name, value in record.headers if name == "retry_count"]
        assert len(values) <= 1, record
        counts[values[0] if values else None] = counts.get(values[0] if values else None, 0) + 1
    return counts


def wait_for_failure(process):
    """Until the library's log, which -v shows, tells that a batch was given up; that line."""
    said = b""
    while b"batch_failed" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return line


@pytest.mark.parametrize("fault, options, most", [
    ("on produce first=3: error TOPIC_AUTHORIZATION_FAILED", (), 3),
    ("on produce first=6: error NOT_ENOUGH_REPLICAS", HASTY, 5),
    ("on produce every=3: error TOPIC_AUTHORIZATION_FAILED", (), 9),
])
def test_records_that_were_refused_at_first_stand_once_in_the_log(own_devbroker, fault, options, most):
    broker = own_devbroker("--fault", fault)
    broker.create_topic("t")
    result = produce(broker, "t", *EAGER, *options, "--resend", "20", "--retry-count-header", "retry_count", "--json", stdin=numbers(5000))
    found = records(broker, "t")
    assert sorted(int(r.value) for r in found) == list(range(5000))
    counts = counts_of(found)
    assert result.json["persisted"] == result.json["records"] == 5000
    assert result.json["resent"] == 5000 - counts.get(None, 0) > 0
    assert {value for value in counts if value} <= {b"%d" % i for i in range(1, most + 1)}


def test_a_summary_tells_how_many_were_sent_again_and_the_report_their_last_outcome(own_devbroker, tmp_path):
    broker = own_devbroker("--fault", "on produce first=2: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t")
    result = produce(broker, "t", "--resend", "3", "--report", tmp_path / "report", stdin=b"a\n")
    assert result.lines[-1].endswith("all persisted; 1 sent again")
    [line] = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert (line["record"], line["outcome"], line["attempts"]) == (1, "PERSISTED", 3)


def test_each_record_that_was_sent_again_is_counted_and_reported_once(own_devbroker, tmp_path):
    broker = own_devbroker("--fault", "on produce first=2: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t")
    result = produce(broker, "t", "--resend", "3", "--report", tmp_path / "report", stdin=b"a\nb\n")
    assert result.lines[-1].endswith("all persisted; 2 sent again")
    report = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert sorted((line["record"], line["outcome"]) for line in report) == [(1, "PERSISTED"), (2, "PERSISTED")]
    assert all(line["attempts"] in (2, 3) for line in report)  # as the two meet in a request, or do not


def test_attempts_come_to_an_end_and_records_into_the_failed_file(own_devbroker, tmp_path):
    broker = own_devbroker("--fault", "on produce first=3: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t", 2)
    failed = tmp_path / "failed"
    options = "--resend", "2", "--retry-count-header", "retry_count", "-K", ":", "-H", "h=1", "-p", "1", "--failed", failed
    result = produce(broker, "t", *options, stdin=b"k:v\n", code=1)
    assert "1 not persisted" in result.err
    line = json.loads(failed.read_text())
    assert (line["key"], line["value"], line["partition"], line["error"]) == ("k", "v", 1, "TOPIC_AUTHORIZATION_FAILED")
    assert line["headers"] == [{"key": "h", "value": "1"}]
    produce(broker, "t", "--input-format", "json", failed)
    [found] = records(broker, "t", 1)
    assert (found.key, found.value, found.headers) == (b"k", b"v", [("h", b"1")])


def test_what_would_fail_again_is_not_sent_again(own_devbroker):
    broker = own_devbroker("--fault", "on produce first=1: error INVALID_RECORD")
    broker.create_topic("t")
    result = produce(broker, "t", "--resend", "5", "--json", stdin=b"a\n", code=1)
    assert (result.json["not_persisted"], result.json["resent"]) == (1, 0)
    assert records(broker, "t") == []


@pytest.mark.parametrize("options, code, values", [((), 1, [b"a"]), (("--resend-unknown",), 0, [b"a", b"a"])])
def test_records_of_unknown_outcome_are_doubled_only_on_request(own_devbroker, options, code, values):
    broker = own_devbroker("--fault", "on produce first=1: drop after")
    broker.create_topic("t")
    plain = "-X", "retries=0", "-X", "enable.idempotence=false"
    result = produce(broker, "t", *plain, "--resend", "3", *options, "--json", stdin=b"a\n", code=code)
    assert [r.value for r in records(broker, "t")] == values
    assert (result.json["unknown"], result.json["persisted"]) == ((1, 0) if code else (0, 1))


def assert_all_arrive(process, broker, topic):
    """The hundred records stand once in the log, and those that were given up before were sent again."""
    process.stdin = None
    out, err = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, err
    found = records(broker, topic)
    assert sorted(int(r.value) for r in found) == list(range(100))
    # all of them were given up, unless the command had not come to the last by then
    assert json.loads(out)["resent"] == 100 - counts_of(found).get(None, 0) > 0


def test_records_for_a_topic_that_is_made_late_arrive(broker, name):
    # time enough for an answer of the new topic: one that is late would leave the outcome unknown
    hasty = "-X", "delivery.timeout.ms=2000", "-X", "request.timeout.ms=1900", "-X", "linger.ms=0", "-X", "allow.auto.create.topics=false"
    process = start("produce", "-b", broker.servers, "-t", name, "-v", *hasty, "--resend", "100", "--retry-count-header", "retry_count", "--json")
    process.stdin.write(numbers(100))
    process.stdin.close()
    wait_for_failure(process)
    broker.create_topic(name)
    assert_all_arrive(process, broker, name)


def test_records_for_which_too_few_replicas_were_in_sync_arrive(kafka_without_its_second, name):
    broker = kafka_without_its_second
    broker.create_topic(name, replicas=(1, 2), min_insync_replicas=2)
    few = "-X", "linger.ms=0", "-X", "retries=2", "-X", "retry.backoff.ms=20"
    process = start("produce", "-b", broker.servers, "-t", name, "-v", *few, "--resend", "1000", "--retry-count-header", "retry_count", "--json")
    process.stdin.write(numbers(100))
    process.stdin.close()
    assert b"error=NOT_ENOUGH_REPLICAS" in wait_for_failure(process)
    broker.alter_topic(name, min_insync_replicas=1)
    assert_all_arrive(process, broker, name)


def test_a_stop_ends_what_waits_to_be_sent_again(own_devbroker, tmp_path):
    broker = own_devbroker("--fault", "on produce: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t")
    failed = tmp_path / "failed"
    process = start("produce", "-b", broker.servers, "-t", "t", "-v", "--resend", "1000", "--flush-timeout", "1s", "--failed", failed)
    process.stdin.write(b"a\nb\n")
    process.stdin.close()
    wait_for_failure(process)
    process.terminate()
    process.stdin = None
    _, err = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 1, err
    # in the order of failing: one that the stop finds under way ends behind one that waits
    assert sorted(json.loads(line)["value"] for line in failed.read_text().splitlines()) == ["a", "b"]


@pytest.mark.parametrize("options, says", [
    (("--resend", "0"), "--resend wants how often at most, from 1 to 1000, not '0'"),
    (("--resend", "1001"), "not '1001'"),
    (("--resend-unknown",), "--resend-unknown says something about --resend, which is not given"),
    (("--retry-count-header", "n"), "--retry-count-header says something about --resend"),
    (("--resend", "1", "--retry-count-header", ""), "--retry-count-header wants a name"),
])
def test_options_that_make_no_sense_are_named(options, says):
    result = kproducer("produce", "-b", "127.0.0.1:1", "-t", "t", *options)
    assert result.code == 2 and says in result.err
