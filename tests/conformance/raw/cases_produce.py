"""Produce: versions, acks, who is named, codecs. What a batch has to be is in cases_batches.py, sequences are in cases_sequence.py."""

from batch import GZIP, LZ4, NONE, SNAPPY, ZSTD, batch, records
from calls import end_of_log, fetch, produce, produce_body, produce_many
from schema import NO_ID, Raw, message
from script import request_header, script

CODECS = {"none": NONE, "gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
TWO_TOPICS = {"a": {"partitions": 2}, "b": {"partitions": 2}}


@script(version=range(3, 14))
def produce_appends(s, version):
    produce(s, version=version)
    produce(s, batch(b"a", b"b"), version=version)
    end_of_log(s)


@script(version=[3, 5, 8, 9, 12, 13])
def produce_to_unknown_partition(s, version):
    produce(s, partition=1, version=version)
    produce(s, partition=-1, version=version)
    produce(s, partition=2**31 - 1, version=version)


@script(version=[3, 5, 8, 9, 12], topics={})
def produce_to_unknown_topic(s, version):
    produce(s, version=version)


@script(name={"empty": "", "dot": ".", "space": "a b", "long": "x" * 250, "null": None}, topics={})
def produce_to_invalid_name(s, name):
    body = {"Acks": -1, "TimeoutMs": 1000, "TopicData": [{"Name": name, "PartitionData": [{"Index": 0, "Records": batch()}]}]}
    s.call("Produce", 9, body)


@script(topics={}, topic_id={"zero": NO_ID, "unknown": b"\x11" * 16})
def produce_to_unknown_id(s, topic_id):
    body = {"Acks": -1, "TimeoutMs": 1000, "TopicData": [{"TopicId": topic_id, "PartitionData": [{"Index": 0, "Records": batch()}]}]}
    s.call("Produce", 13, body)


@script()
def produce_to_known_and_unknown_id(s):
    body = produce_body(s, [("t", 0, batch())], 13)
    body["TopicData"].append({"TopicId": b"\x22" * 16, "PartitionData": [{"Index": 0, "Records": batch()}]})
    s.call("Produce", 13, body)


@script(acks=[1, -1, 2, -2, 32767, -32768], version=[3, 9])
def produce_acks(s, acks, version):
    produce(s, acks=acks, version=version)
    end_of_log(s)


@script(acks=[2, -2], version=[3, 9])
def produce_bad_acks_to_unknown_topic(s, acks, version):
    produce_many(s, ("none", 0, batch()), ("t", 0, batch()), acks=acks, version=version)


@script(version=[3, 9, 13])
def produce_acks_0_has_no_answer(s, version):
    s.send("Produce", version, produce_body(s, [("t", 0, batch())], version, acks=0))
    s.forget()
    end_of_log(s)


@script(version=[3, 9])
def produce_acks_0_refused_closes(s, version):
    s.send("Produce", version, produce_body(s, [("t", 9, batch())], version, acks=0))
    s.receive()


@script(wrong={"crc": {"crc_xor": 1}, "count": {"count": 2}, "magic": {"magic": 7}})
def produce_acks_0_bad_batch_closes(s, wrong):
    s.send("Produce", 9, produce_body(s, [("t", 0, batch(**wrong))], 9, acks=0))
    s.receive()
    s.ask("Metadata", 12, {"Topics": []})


@script(topics=TWO_TOPICS, version=[3, 9, 13])
def produce_to_many(s, version):
    produce_many(s, ("a", 0, batch()), ("a", 1, batch(b"x", b"y")), ("b", 1, batch()), version=version)


@script(topics=TWO_TOPICS)
def produce_one_of_many_is_bad(s):
    produce_many(s, ("a", 0, batch()), ("a", 1, batch(crc_xor=1)), ("b", 0, batch(count=7)), ("b", 1, batch()))
    for alias in "ab":
        end_of_log(s, alias, 0)
        end_of_log(s, alias, 1)


@script(topics=TWO_TOPICS)
def produce_one_of_many_is_unknown(s):
    produce_many(s, ("a", 0, batch()), ("a", 7, batch()), ("b", 0, batch()))


@script(version=[3, 9, 13])
def produce_same_partition_twice(s, version):
    produce_many(s, ("t", 0, batch(b"first")), ("t", 0, batch(b"second", b"third")), version=version)
    fetch(s)


@script(topics=TWO_TOPICS)
def produce_same_topic_twice(s):
    produce_many(s, ("a", 0, batch(b"1")), ("b", 0, batch(b"2")), ("a", 1, batch(b"3")))
    produce_many(s, ("a", 0, batch(b"1")), ("b", 0, batch(b"2")), ("a", 0, batch(b"3")))
    fetch(s, alias="a")


@script(version=[3, 9, 13])
def produce_nothing(s, version):
    s.call("Produce", version, {"Acks": -1, "TimeoutMs": 1000, "TopicData": []})


@script(version=[3, 9])
def produce_topic_without_partitions(s, version):
    s.call("Produce", version, {"Acks": -1, "TimeoutMs": 1000, "TopicData": [{"Name": s.topic(), "PartitionData": []}]})


@script()
def produce_acks_0_of_nothing(s):
    s.send("Produce", 9, {"Acks": 0, "TimeoutMs": 1000, "TopicData": []})
    s.receive(bound=0.3)


@script(version=[3, 9])
def produce_null_records(s, version):
    s.send("Produce", version, produce_body(s, [("t", 0, None)], version, timeout_ms=100))
    s.receive(bound=0.3)


@script(version=[3, 9])
def produce_empty_records(s, version):
    produce(s, b"", version=version)
    end_of_log(s)


@script(timeout=[0, 1, -1, 2**31 - 1])
def produce_timeout(s, timeout):
    produce(s, timeout_ms=timeout)


@script(transactional_id={"empty": "", "named": "produce-a-name"}, version=[3, 9, 12])
def produce_plain_batch_with_transactional_id(s, transactional_id, version):
    produce(s, transactional_id=transactional_id, version=version)
    end_of_log(s)


@script(codec=CODECS, version=[3, 6, 7, 13])
def produce_codec(s, codec, version):
    produce(s, batch(b"a", b"b" * 500, b"c", codec=codec), version=version)
    fetch(s)


@script(codec=[5, 6, 7], version=[6, 7])
def produce_unknown_codec(s, codec, version):
    produce(s, batch(codec=codec), version=version)


@script(codec={"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD})
def produce_codec_of_garbage(s, codec):
    produce(s, batch(codec=codec, compressed=b"\x5agarbage, no compressed data at all"))
    end_of_log(s)


@script(codec={"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD})
def produce_codec_cut_short(s, codec):
    whole = batch(*[b"value %d" % i for i in range(20)], codec=codec)[61:]
    produce(s, batch(*[b"v"] * 20, codec=codec, compressed=whole[:-10]))
    produce(s, batch(codec=codec, compressed=b""))


@script(codec={"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD})
def produce_codec_around_bad_records(s, codec):
    good = records(b"a", b"b")
    produce(s, batch(b"a", b"b", codec=codec, payload=good[:-1]))
    produce(s, batch(b"a", b"b", codec=codec, payload=good + b"x"))
    produce(s, batch(b"a", b"b", b"c", codec=codec, payload=good))
    produce(s, batch(codec=codec, payload=b""))


@script(codec={"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD})
def produce_codec_with_bytes_behind(s, codec):
    whole = batch(b"a", b"b", codec=codec)[61:]
    produce(s, batch(b"a", b"b", codec=codec, compressed=whole + b"behind"))


@script()
def produce_unknown_tags_are_skipped(s):
    body = produce_body(s, [("t", 0, batch())], 9) | {"_tags": {7: b"abc", 100: b""}}
    body["TopicData"][0]["PartitionData"][0]["_tags"] = {0: b"x"}
    s.call("Produce", 9, body)


@script()
def produce_bytes_behind_the_body(s):
    body = message("ProduceRequest").encode(11, produce_body(s, [("t", 0, batch())], 11))
    s.call("Produce", 11, data=body + b"behind")


@script(version=[0, 1, 2, 14, 99, -1])
def produce_version_not_served(s, version):
    body = message("ProduceRequest").encode(3, produce_body(s, [("t", 0, batch())], 3))
    s.send("Produce", 3, header=request_header("Produce", version, 1), data=body)
    s.receive()


@script()
def produce_records_length_too_long(s):
    body = produce_body(s, [("t", 0, batch())], 3)
    body["TopicData"][0]["PartitionData"][0]["Records"] = Raw(b"\x00\x00\x10\x00" + batch())
    s.call("Produce", 3, body)


@script(lengths={"minus_2": b"\xff\xff\xff\xfe", "huge": b"\x7f\xff\xff\xff"})
def produce_array_length(s, lengths):
    s.call("Produce", 3, {"Acks": -1, "TimeoutMs": 100, "TopicData": Raw(lengths)})


@script()
def produce_null_array(s):
    s.call("Produce", 3, {"Acks": -1, "TimeoutMs": 100, "TopicData": None})
    s.call("Produce", 9, {"Acks": -1, "TimeoutMs": 100, "TopicData": None}, conn=1)
