"""Produce: what a batch, its records and their times have to be, and the topic's rules about them."""

import time

from batch import (BASE, CONTROL, DELETE_HORIZON, GZIP, LOG_APPEND_TIME, LZ4, TRANSACTIONAL, ZSTD, batch, old_message, record, records)
from calls import end_of_log, fetch, list_offsets, produce, produce_many
from script import script

HOUR, DAY = 3600_000, 86400_000
NOW = int(time.time() * 1000)  # the same for both brokers


@script(field={
    "crc": {"crc_xor": 1},
    "crc_zero": {"crc": 0},
    "magic_0": {"magic": 0},
    "magic_1": {"magic": 1},
    "magic_3": {"magic": 3},
    "magic_minus_1": {"magic": -1},
    "base_offset_5": {"base_offset": 5},
    "base_offset_minus_1": {"base_offset": -1},
    "leader_epoch_7": {"leader_epoch": 7},
    "count_0": {"count": 0, "last_offset_delta": 0},
    "count_minus_1": {"count": -1, "last_offset_delta": 0},
    "count_2_of_1": {"count": 2},
    "count_huge": {"count": 2**31 - 1},
    "last_offset_delta_1": {"last_offset_delta": 1},
    "last_offset_delta_minus_1": {"last_offset_delta": -1},
    "unused_attributes": {"attributes": 0x7F80},
    "negative_attributes": {"attributes": -0x8000},
    "delete_horizon": {"attributes": DELETE_HORIZON},
    "log_append_time": {"attributes": LOG_APPEND_TIME},
    "max_timestamp_early": {"max_timestamp": BASE - 1},
    "max_timestamp_late": {"max_timestamp": BASE + 12345},
    "no_time": {"base_timestamp": -1},
    "negative_time": {"base_timestamp": -2},
    "epoch_without_id": {"epoch": 3},
    "sequence_without_id": {"sequence": 3},
    "id_minus_2": {"producer_id": -2},
    "id_without_epoch": {"producer_id": 700000, "epoch": -1, "sequence": 0},
    "id_without_sequence": {"producer_id": 700001, "sequence": -1},
    "id_with_sequence_minus_2": {"producer_id": 700002, "sequence": -2},
})
def batch_field(s, field):
    produce(s, batch(**field))
    fetch(s)


@script(length=[-1, 0, 13, 14, 48, 49, 50, 1000, 2**31 - 12, 2**31 - 1])
def batch_length(s, length):
    produce(s, batch(length=length))
    end_of_log(s)


@script(keep=[1, 11, 12, 16, 17, 21, 60, 61, 66])
def batch_cut(s, keep):
    produce(s, batch(b"some value")[:keep])
    end_of_log(s)


@script()
def batch_without_records(s):
    produce(s, batch(payload=b"", count=0, last_offset_delta=0))
    produce(s, batch(payload=b"", count=0, last_offset_delta=-1))
    produce(s, batch(payload=b""))
    end_of_log(s)


@script(version=[3, 11])
def batch_twice_in_one_partition(s, version):
    produce(s, batch(b"a") + batch(b"b"), version=version)
    end_of_log(s)


@script(behind={"garbage": b"garbage", "zeros": bytes(100), "half": batch()[:40], "bad_length": batch(length=5), "bad_magic": batch(magic=9)})
def batch_with_bytes_behind(s, behind):
    produce(s, batch() + behind)
    end_of_log(s)


@script(magic=[0, 1], version=[3, 11])
def old_message_set(s, magic, version):
    produce(s, old_message(magic=magic), version=version)
    end_of_log(s)


@script(magic=[0, 1])
def old_message_set_with_bad_crc(s, magic):
    produce(s, old_message(magic=magic, crc_xor=1))


@script()
def old_message_set_before_a_batch(s):
    produce(s, old_message() + batch())
    produce(s, batch() + old_message())
    produce_many(s, ("t", 0, old_message()))


RECORDS = {
    "length_too_small": record(length=3),
    "length_too_large": record(length=100),
    "length_negative": record(length=-1),
    "length_zero": record(length=0),
    "key_null": record(key=None),
    "key_empty": record(key=b""),
    "key_length_minus_2": record(key_length=-2),
    "key_length_huge": record(key_length=2**31 - 1),
    "value_null": record(None),
    "value_empty": record(b""),
    "value_length_minus_2": record(value_length=-2),
    "value_length_too_large": record(value_length=50),
    "header": record(headers=[(b"k", b"v"), (b"k", None), (b"", b"")]),
    "header_key_null": record(headers=[(None, b"v")]),
    "header_count_negative": record(n_headers=-1),
    "header_count_too_large": record(n_headers=3),
    "header_count_huge": record(n_headers=2**31 - 1),
    "attributes": record(attributes=0x7F),
    "offset_delta_1": record(offset=1),
    "offset_delta_minus_1": record(offset=-1),
    "time_delta": record(time=1000),
    "time_delta_negative": record(time=-1000),
    "endless_varint": b"\xff" * 12,
    "empty": b"",
}


@script(payload=RECORDS)
def batch_record(s, payload):
    produce(s, batch(payload=payload))
    fetch(s)


@script(payload=RECORDS)
def compressed_record(s, payload):
    produce(s, batch(payload=payload, codec=GZIP))
    fetch(s)


@script()
def batch_offset_deltas_out_of_order(s):
    payload = record(b"a", offset=1) + record(b"b", offset=0)
    produce(s, batch(b"a", b"b", payload=payload))
    produce(s, batch(b"a", b"b", payload=payload, codec=GZIP))
    produce(s, batch(b"a", b"b", payload=record(b"a") + record(b"b"), codec=LZ4))


@script(attributes={"transactional": TRANSACTIONAL, "control": CONTROL, "both": TRANSACTIONAL | CONTROL})
def batch_of_transactions(s, attributes):
    produce(s, batch(attributes=attributes))
    produce(s, batch(attributes=attributes, producer_id=s.producer_id(), sequence=0))


@script(version=[3, 9, 11, 12])
def batch_transactional_without_transaction(s, version):
    producer_id, epoch = s.transactional_producer(s.topic())
    data = batch(attributes=TRANSACTIONAL, producer_id=producer_id, epoch=epoch, sequence=0)
    if version < 12:  # from 12 on the broker adds the partition to the transaction by itself
        produce(s, data, transactional_id=s.topic(), version=version)
    control = batch(attributes=TRANSACTIONAL | CONTROL, producer_id=producer_id, epoch=epoch, sequence=0)
    produce(s, control, transactional_id=s.topic(), version=version)
    end_of_log(s)


@script()
def batch_transactional_without_producer_id(s):
    produce(s, batch(attributes=TRANSACTIONAL), transactional_id=s.topic())
    end_of_log(s)


@script(shift={"long_ago": -10 * 365 * DAY, "half_an_hour_ahead": HOUR // 2, "two_hours_ahead": 2 * HOUR, "far_ahead": 100 * 365 * DAY})
def timestamp_default_bounds(s, shift):
    produce(s, batch(b"a", base_timestamp=NOW + shift))
    end_of_log(s)


@script(topics={"t": {"config": {"message.timestamp.before.max.ms": "9000000", "message.timestamp.after.max.ms": "9000000"}}})
def timestamp_out_of_narrow_bounds(s):
    produce(s, batch(base_timestamp=NOW))
    produce(s, batch(base_timestamp=1_000_000))
    produce(s, batch(b"a", b"b", base_timestamp=4_000_000_000_000), version=8)
    produce(s, batch(base_timestamp=4_000_000_000_000), version=7)
    produce(s, batch(base_timestamp=1_000_000, codec=GZIP))
    produce(s, batch(base_timestamp=-1))
    mixed = record(b"a", offset=0) + record(b"b", time=-10**9, offset=1) + record(b"c", time=10**10, offset=2)
    produce(s, batch(b"a", b"b", b"c", base_timestamp=NOW, payload=mixed))


@script(topics={"t": {"config": {"message.timestamp.type": "LogAppendTime"}}}, codec={"none": 0, "gzip": GZIP, "zstd": ZSTD}, version=[3, 11])
def timestamp_log_append_time(s, codec, version):
    produce(s, batch(b"a", b"b", codec=codec), version=version)
    produce(s, batch(b"a", codec=codec, attributes=LOG_APPEND_TIME), version=version)
    produce(s, batch(b"a", codec=codec, base_timestamp=-1), version=version)
    fetch(s)
    list_offsets(s, BASE, 4_000_000_000_000)


@script(topics={"t": {"config": {"message.timestamp.type": "LogAppendTime"}}}, codec={"none": 0, "gzip": GZIP}, version=[7, 8])
def timestamp_log_append_time_is_the_newest(s, codec, version):
    produce(s, batch(b"a", b"b", codec=codec))
    list_offsets(s, -3, version=version)


@script(codec={"none": 0, "gzip": GZIP})
def timestamps_of_records_make_the_maximum(s, codec):
    payload = record(b"a", time=50) + record(b"b", time=-50, offset=1) + record(b"c", time=10, offset=2)
    produce(s, batch(b"a", b"b", b"c", payload=payload, codec=codec, max_timestamp=BASE + 5))
    fetch(s)
    list_offsets(s, -3, BASE, BASE - 50, BASE + 50, BASE + 51)


COMPACTED = {"t": {"config": {"cleanup.policy": "compact"}}, "both": {"config": {"cleanup.policy": "compact,delete"}}}


@script(topics=COMPACTED, version=[3, 7, 8, 11])
def compacted_topic_wants_keys(s, version):
    keyed = record(b"v", key=b"k")
    produce(s, batch(payload=keyed), version=version)
    produce(s, batch(payload=record(b"v", key=b"")), version=version)
    produce(s, batch(payload=record(None, key=b"k")), version=version)
    produce(s, batch(), version=version)
    produce(s, batch(), alias="both", version=version)


@script(topics=COMPACTED, codec={"none": 0, "gzip": GZIP})
def compacted_topic_names_records_without_key(s, codec):
    mixed = record(b"a", key=b"k") + record(b"b", offset=1) + record(b"c", key=b"k", offset=2) + record(b"d", offset=3)
    produce(s, batch(*"abcd", payload=mixed, codec=codec))
    produce(s, batch(*[b"v"] * 5, codec=codec))
    produce(s, batch(*[b"v"] * 5, codec=codec), version=7)


@script(topics={"t": {"config": {"max.message.bytes": "200"}}}, version=[3, 11])
def message_too_large(s, version):
    room = 200 - len(batch(b"")) - 1  # its length takes two bytes from 64 on
    produce(s, batch(b"v" * (room - 1)), version=version)
    produce(s, batch(b"v" * room), version=version)
    produce(s, batch(b"v" * 1000), version=version)
    produce(s, batch(b"v" * 1000, codec=GZIP), version=version)
    produce(s, batch(b"v" * 1000, crc_xor=1), version=version)
    end_of_log(s)


@script(topics={"t": {"config": {"min.insync.replicas": "2"}}}, acks=[-1, 1])
def too_few_replicas(s, acks):
    produce(s, acks=acks)
    produce(s, batch(crc_xor=1), acks=acks)
    produce(s, batch(magic=9), acks=acks)
    end_of_log(s)


@script()
def crc_before_record_errors(s):
    produce(s, batch(count=5, crc_xor=1))
    produce(s, batch(attributes=CONTROL, crc_xor=1))
    produce(s, batch(base_offset=3, crc_xor=1))


@script()
def records_of_many_values(s):
    values = [b"value %d" % i for i in range(500)]
    produce(s, batch(*values, payload=records(*values)))
    end_of_log(s)
    fetch(s, offset=250)
