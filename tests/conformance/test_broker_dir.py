"""`broker --dir`: what was acknowledged is there after every kind of end, in Kafka's own format; folders that are not sound are refused."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import threading

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from brokers import kafka_tool
from command import finish, kproducer, produce, run, start, wait_until
from readers import all_records, bounds, consumer, count, kcat, records, values
from stream import Stream

KILLS = 20
CHUNK = 20000  # records between two kills
PATIENT = ["-X", "delivery.timeout.ms=120000", "-X", "retry.backoff.ms=20", "-X", "retry.backoff.max.ms=100",
           "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=50"]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def lives(own_devbroker, folder):
    """A function that starts the broker of the folder, on the same port each time; it kills the one before it."""
    previous = []

    def start_again(*options, how=signal.SIGKILL):
        where = ["--listen", previous[-1].servers] if previous else []
        if previous:
            previous[-1].stop(how)
        previous.append(own_devbroker("--dir", folder, *where, *options))
        return previous[-1]

    return start_again


def refusal(folder, *options):
    """The one line with which a broker refuses to start."""
    result = kproducer("broker", "--listen", "127.0.0.1:0", "--dir", folder, *options, timeout=20)
    assert result.code == 1 and not result.out and len(result.lines) == 1, result
    return result.lines[0]


def segment(folder, topic, partition=0, offset=0):
    return folder / "topics" / topic / str(partition) / f"{offset:020}.log"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_restart_keeps_everything(lives, folder, log_file, how):
    broker = lives()
    broker.create_topic("lines", 3, max_message_bytes=900000)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        produce(broker, "lines", "-z", codec, "-k", ":", "-H", "a=b", stdin=b"".join(b"%s%d:value %d\n" % (codec.encode(), i, i) for i in range(500)))
    produce(broker, "file", log_file)
    before, text = all_records(broker, "lines"), kcat(broker, "file")
    assert sum(map(len, before.values())) == 2500 and text == log_file.read_bytes()
    for _ in range(3):
        broker = lives(how=how)
        assert all_records(broker, "lines") == before
        assert kcat(broker, "file") == text
    config = kafka_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.servers, "--describe", "--topic", "lines").decode()
    assert "PartitionCount: 3" in config and "max.message.bytes=900000" in config
    broker.delete_topic("file")
    broker = lives(how=how)
    assert broker.partitions("file") == 0 and broker.partitions("lines") == 3


def test_kafka_reads_the_segments(lives, folder):
    broker = lives()
    produce(broker, "t", "-z", "lz4", stdin=b"".join(b"%d\n" % i for i in range(5000)))
    produce(broker, "t", stdin=b"last\n")
    broker.stop()
    dump = kafka_tool("org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", segment(folder, "t")).decode()
    assert re.findall(r"payload: (\S+)", dump) == [*map(str, range(5000)), "last"]
    assert "isvalid: false" not in dump and f"Found {segment(folder, 't').stat().st_size} invalid" not in dump


def kill_in_the_middle(lives, broker, topic, begin=lambda: None):
    """Kill the broker as soon as records come in, and start it again."""
    reached = sum(count(broker, topic).values())
    begin()
    wait_until(lambda: sum(count(broker, topic).values()) > reached, "records flow")
    return lives()


def test_kill_in_the_middle_of_produce_loses_and_doubles_nothing(lives):
    broker = lives()
    broker.create_topic("t", 3)
    stream = Stream(broker, "t", *PATIENT, "-X", "batch.size=4000", "-X", "buffer.memory=1000000")
    turns = threading.Semaphore(0)

    def feed():
        for i in range(KILLS):
            turns.acquire()
            stream.send(*(b"%0100d" % n for n in range(i * CHUNK, (i + 1) * CHUNK)))

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    for _ in range(KILLS):
        broker = kill_in_the_middle(lives, broker, "t", turns.release)
    feeder.join(60)
    stream.close()
    figures = stream.result(seconds=60).json
    assert figures["persisted"] == figures["records"] == KILLS * CHUNK
    found = {partition: [int(r.value) for r in of_one] for partition, of_one in all_records(broker, "t").items()}
    assert sorted(n for numbers in found.values() for n in numbers) == list(range(KILLS * CHUNK))
    assert all(numbers == sorted(numbers) for numbers in found.values())


def test_kill_in_the_middle_of_perf_loses_nothing(lives):
    broker = lives()
    broker.create_topic("t", 6)
    process = start("perf", "-b", broker.servers, "-t", "t", "-n", "1000M", "--rate", "50000", "--json", "-X", "linger.ms=0",
                    *PATIENT)  # without linger a request is nearly always under way when the broker is killed
    for _ in range(KILLS):
        broker = kill_in_the_middle(lives, broker, "t")
    process.send_signal(signal.SIGINT)
    result = finish(process)
    assert result.code == 130, result
    assert (result.json["failed"], result.json["unknown"]) == (0, 0) and result.json["retries"] > 0
    assert result.json["acked"] == result.json["records"] == sum(count(broker, "t").values())


def open_at(broker, topic, offset):
    reader = Consumer({"bootstrap.servers": broker.servers, "group.id": "unused", "auto.offset.reset": "error", "log_level": 0})
    reader.assign([TopicPartition(topic, 0, offset)])
    return reader


def test_retention_moves_the_start(lives):
    broker = lives()
    broker.create_topic("t", retention_bytes=100000)
    produce(broker, "t", "-X", "batch.size=2000", stdin=b"".join(b"%0100d\n" % i for i in range(5000)))
    reader = consumer(broker)
    first, end = wait_until(lambda: (found := bounds(reader, "t", 0))[0] > 3500 and found, "earliest moves")
    reader.close()
    assert end == 5000 and first < 4200
    for _ in range(2):
        assert [r.value for r in records(broker, "t")] == [b"%0100d" % i for i in range(first, 5000)]
        reader = open_at(broker, "t", first - 1)
        error = wait_until(lambda: (m := reader.poll(1)) and m.error(), "an error below the start")
        reader.close()
        assert error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)
        broker = lives()


def test_retention_by_time_in_memory(own_devbroker):
    broker = own_devbroker()
    broker.create_topic("t", retention_ms=1000)
    produce(broker, "t", stdin=b"a\nb\n")
    reader = consumer(broker)
    wait_until(lambda: bounds(reader, "t", 0) == (2, 2), "both records are gone")
    reader.close()
    produce(broker, "t", stdin=b"c\n")
    assert count(broker, "t") == {0: 3}


@contextlib.contextmanager
def small_disk(path, size):
    path.mkdir()
    done = run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path])
    assert done.code == 0, f"this case needs to mount a small file system: {done.err}"
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_full_disk_refuses_and_recovers(own_devbroker, tmp_path):
    with small_disk(tmp_path / "disk", "3m") as disk:
        broker = own_devbroker("--dir", disk)
        (disk / "ballast").write_bytes(b"x" * 2000000)
        stream = Stream(broker, broker.create_topic("t"), *PATIENT, "-X", "batch.size=20000", "-X", "linger.ms=0")
        stream.send(*(b"%01000d" % i for i in range(2000)))
        errors = tmp_path / "devbroker-0" / "stderr"
        wait_until(lambda: "No space left on device" in errors.read_text(), "the disk is full")
        reached = count(broker, "t")[0]
        assert 500 < reached < 2000
        (disk / "ballast").unlink()
        stream.close()
        assert stream.result(seconds=60).json["persisted"] == 2000
        assert errors.read_text().count("No space left on device") == 1
        assert "can be written to again" in errors.read_text()
        broker.stop(signal.SIGKILL)
        broker = own_devbroker("--dir", disk)
        assert [r.value for r in records(broker, "t")] == [b"%01000d" % i for i in range(2000)]
        assert broker.stop() == 0


def test_full_disk_ends_as_a_storage_error(lives, folder):
    broker = lives()
    broker.create_topic("t")
    resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (100000, resource.RLIM_INFINITY))
    result = produce(broker, "t", "-X", "batch.size=5000", "-X", "delivery.timeout.ms=2000", "-X", "request.timeout.ms=1000", "-X", "linger.ms=0",
                     stdin=b"".join(b"%01000d\n" % i for i in range(300)), code=1)
    assert "KAFKA_STORAGE_ERROR" in result.err
    kept = count(broker, "t")[0]
    assert 80 < kept < 110
    broker = lives()
    assert count(broker, "t")[0] == kept
    produce(broker, "t", stdin=b"more\n")
    assert records(broker, "t")[-1].value == b"more"


def test_folders_that_are_refused(lives, folder, tmp_path):
    broker = lives()
    line = refusal(folder)
    assert f"{folder} is in use by process {broker.process.pid}: stop that one, or choose another folder" in line
    broker.stop()
    (folder / "kproducer-broker").write_text("format=7\n")
    assert f"{folder} is of format 7, this kproducer reads format 1: use the version that wrote it, or another folder" in refusal(folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("")
    assert "is not empty and holds no broker's data (there is thesis.tex): choose an empty folder" in refusal(other)
    assert os.listdir(other) == ["thesis.tex"]
    assert "thesis.tex/x: Not a directory" in refusal(other / "thesis.tex" / "x")
    assert kproducer("broker", "--repair").code == 2
    assert kproducer("broker", "--dir", "").code == 2
    assert "give one of them" in kproducer("broker", "--dir", folder, "--discard").err


def test_damage_is_named_and_repaired(lives, folder):
    broker = lives()
    broker.create_topic("t")
    for i in range(10):
        produce(broker, "t", stdin=b"record %d\n" % i)
    broker.stop(signal.SIGKILL)
    path = segment(folder, "t")
    content = bytearray(path.read_bytes())
    at = content.index(b"record 6")
    content[at] ^= 1
    path.write_bytes(content)
    line = refusal(folder)
    assert re.search(rf"{path} is damaged at byte \d+ \(offset 6\): a batch's checksum is wrong: start once with --repair", line)
    broker = lives("--repair")
    assert [r.value for r in records(broker, "t")] == [b"record %d" % i for i in range(6)]
    kept = path.with_name(path.name + ".damaged").read_bytes()
    assert content.endswith(kept) and b"record 9" in kept
    produce(broker, "t", stdin=b"after\n")
    assert count(lives(), "t") == {0: 7}


def test_idempotent_producers_go_on_over_a_restart(lives):
    broker = lives()
    broker.create_topic("t")
    stream = Stream(broker, "t", *PATIENT)
    for i in range(5):
        stream.send(b"%d" % i)
        stream.await_persisted(i + 1)
        broker = stream.broker = lives(how=signal.SIGTERM if i % 2 else signal.SIGKILL)
    stream.close()
    assert stream.result().json["persisted"] == 5
    assert values(broker, "t") == {b"%d" % i: 1 for i in range(5)}
