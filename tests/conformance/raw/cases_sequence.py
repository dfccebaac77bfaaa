"""Produce: producer ids, epochs and sequences. A broker keeps the last five batches of each producer and partition."""

from batch import BASE, GZIP, batch
from calls import end_of_log, fetch, produce, produce_many
from script import script

LAST = 2**31 - 1


def producer(s):
    """A function that makes this new producer's batches: sequence, number of records."""
    producer_id = s.producer_id()

    def make(sequence, n=1, epoch=0, **fields):
        return batch(*[b"v"] * n, producer_id=producer_id, epoch=epoch, sequence=sequence, **fields)

    return make


def batches(s, *sent, version=11, **options):
    """(sequence, n) or (sequence, n, epoch) each, from one producer."""
    make = producer(s)
    for one in sent:
        produce(s, make(*one), version=version, **options)
    end_of_log(s)


@script(version=[3, 5, 8, 9, 11, 12, 13])
def sequence_in_order(s, version):
    batches(s, (0, 1), (1, 3), (4, 2), (6, 1), (7, 1), (8, 1), (9, 1), version=version)


@script(first={"zero": 0, "one": 1, "some": 1000, "last": LAST})
def sequence_of_a_producer_without_state(s, first):
    batches(s, (first, 1), (first, 1), (0, 1))


@script(n=[1, 2, 3, 4, 5])
def sequence_duplicate_of_the_last_five(s, n):
    batches(s, *[(i, 1) for i in range(5)], (5 - n, 1))


@script(sent={
    "sixth": [(i, 1) for i in range(6)] + [(0, 1)],
    "seventh": [(i, 1) for i in range(7)] + [(0, 1), (1, 1), (2, 1)],
    "after_duplicate": [(0, 1), (1, 1), (0, 1), (2, 1)],
    "duplicate_of_more": [(0, 3), (0, 3), (3, 2), (0, 3)],
    "part_of_duplicate": [(0, 3), (0, 2), (1, 1), (2, 1), (1, 2)],
    "over_duplicate": [(0, 2), (0, 3), (1, 2), (0, 1)],
    "of_several": [(0, 1), (1, 1), (2, 1), (0, 2), (0, 3), (1, 2)],
    "gap": [(0, 1), (2, 1), (1, 1), (2, 1)],
    "gap_of_many": [(0, 1), (100, 1), (LAST, 1), (1, 1)],
    "back": [(10, 1), (9, 1), (8, 1), (0, 1)],
    "again_zero": [(0, 5), (0, 1), (0, 4), (5, 1)],
})
def sequence(s, sent):
    batches(s, *sent)


@script(sent={
    "at_the_end": [(LAST, 1), (0, 1), (1, 1)],
    "in_a_batch": [(LAST - 1, 4), (2, 1)],
    "in_a_batch_again": [(LAST - 1, 4), (LAST - 1, 4), (2, 1), (LAST - 1, 4)],
    "to_one": [(LAST, 1), (1, 1)],
    "to_zero_again": [(LAST - 1, 2), (0, 1), (0, 1), (LAST - 1, 2)],
    "not_yet": [(LAST - 1, 1), (0, 1), (LAST, 1), (0, 1)],
})
def sequence_wraps(s, sent):
    batches(s, *sent)


@script(sent={
    "starts_at_zero": [(0, 1, 0), (0, 1, 1), (1, 1, 1)],
    "does_not_start_at_zero": [(0, 1, 0), (1, 1, 1), (0, 1, 1)],
    "older": [(0, 1, 5), (1, 1, 4), (0, 1, 0), (1, 1, 5)],
    "older_duplicate": [(0, 1, 1), (0, 1, 2), (0, 1, 1)],
    "skips": [(0, 1, 0), (0, 1, 32766), (1, 1, 32766)],
    "largest": [(0, 1, 32767), (1, 1, 32767), (0, 1, 0)],
    "negative_later": [(0, 1, 0), (1, 1, -1)],
    "negative_first": [(0, 1, -1), (1, 1, -1)],
    "very_negative": [(0, 1, -32768), (1, 1, -32768)],
    "new_after_duplicates": [(0, 1, 0), (0, 1, 0), (0, 1, 1), (0, 1, 1)],
    "first_not_zero": [(7, 1, 3), (0, 1, 4), (8, 1, 3)],
})
def sequence_epoch(s, sent):
    batches(s, *sent)


@script()
def sequence_is_per_partition_and_producer(s):
    one, other = producer(s), producer(s)
    produce(s, one(0))
    produce(s, other(0))
    produce(s, one(1))
    produce(s, other(5))
    produce(s, other(1))


@script(topics={"t": {"partitions": 3}})
def sequence_of_many_partitions(s):
    make = producer(s)
    produce_many(s, ("t", 0, make(0)), ("t", 1, make(0, 2)), ("t", 2, make(5)))
    produce_many(s, ("t", 0, make(1)), ("t", 1, make(2)), ("t", 2, make(6)))
    produce_many(s, ("t", 0, make(1)), ("t", 1, make(9)), ("t", 2, make(6)))
    for partition in range(3):
        end_of_log(s, partition=partition)


@script(acks=[0, 1, -1])
def sequence_with_acks(s, acks):
    make = producer(s)
    produce(s, make(0))
    if acks:
        produce(s, make(0), acks=acks)
        produce(s, make(1), acks=acks)
        produce(s, make(7), acks=acks)
    end_of_log(s)


@script()
def sequence_refused_batch_leaves_no_trace(s):
    make = producer(s)
    produce(s, make(0, crc_xor=1))
    produce(s, make(0, base_offset=7))
    produce(s, make(0, n=2))
    produce(s, make(2, crc_xor=1))
    produce(s, make(2))
    end_of_log(s)


@script()
def sequence_of_an_id_nobody_gave(s):
    for producer_id in (0, 2**62, 2**63 - 1):
        produce(s, batch(producer_id=producer_id, sequence=0))
        produce(s, batch(producer_id=producer_id, sequence=1))
        produce(s, batch(producer_id=producer_id, sequence=1))


@script()
def sequence_duplicate_differs_in_content(s):
    make = producer(s)
    produce(s, make(0))
    produce(s, make(0, codec=GZIP))
    produce(s, make(0, base_timestamp=BASE + 5))
    fetch(s)


@script(topics={"t": {"config": {"message.timestamp.type": "LogAppendTime"}}}, version=[3, 11])
def sequence_duplicate_with_log_append_time(s, version):
    make = producer(s)
    produce(s, make(0), version=version)
    produce(s, make(0), version=version)
    produce(s, make(1), version=version)
    fetch(s)


@script()
def sequence_mixed_with_plain_batches(s):
    make = producer(s)
    produce(s, make(0))
    produce(s)
    produce(s, make(1))
    produce(s)
    produce(s, make(0))
    produce(s, make(1))
    fetch(s)
