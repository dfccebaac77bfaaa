"""Produce inside, outside and beside a transaction: what was added, epochs, sequences."""

from batch import TRANSACTIONAL, batch
from calls import produce
from script import script
from transactional import ABORT, CLASSIC, COMMIT, NEW, RESULTS, STYLES, Producer, now, read_both

VERSIONS = [3, 9, 11, 12, 13]


@script(version=VERSIONS)
def txn_produce_what_was_not_added(s, version):
    """Up to version 11 it is refused, from 12 on it adds."""
    p = Producer(s, CLASSIC)
    p.send(version=version)
    p.send(version=version)
    p.end(version=5)
    read_both(s)


@script(topics={"t": {"partitions": 2}}, version=VERSIONS)
def txn_produce_to_one_that_was_not_added(s, version):
    p = Producer(s, CLASSIC)
    p.write()
    p.send(partition=1, version=version)
    p.send(version=version)
    p.end(version=5)
    read_both(s, partition=1)


@script(topics={"t": {"partitions": 2}}, version=[11, 12])
def txn_produce_to_two_of_which_one_was_added(s, version):
    p = Producer(s, CLASSIC)
    p.add(0)
    data = batch(attributes=TRANSACTIONAL, base_timestamp=now(), producer_id=p.producer_id, epoch=p.epoch, sequence=0)
    partitions = [{"Index": n, "Records": data} for n in (0, 1)]
    body = {"TransactionalId": p.name, "Acks": -1, "TimeoutMs": 5000, "TopicData": [{"Name": s.topic(), "PartitionData": partitions}]}
    s.call("Produce", version, body)
    p.end(version=5)
    for partition in 0, 1:
        read_both(s, partition=partition)


@script(version=VERSIONS, committed=RESULTS)
def txn_produce_after_end(s, version, committed):
    """With the epoch of the transaction that is over; then with the one that the end gave."""
    p = Producer(s, NEW)
    p.write(2)
    old = p.epoch
    p.end(committed)
    p.send(version=version, epoch=old, sequence=2)
    p.send(version=version, sequence=2)
    p.send(version=version)
    p.end()
    read_both(s)


@script(version=[11, 12], committed=RESULTS)
def txn_produce_after_classic_end(s, version, committed):
    """The epoch stays, the sequences go on."""
    p = Producer(s, CLASSIC)
    p.write(2)
    p.end(committed)
    p.send(version=version)
    p.add()
    p.send(version=version, sequence=0)
    p.send(version=version, sequence=3)
    p.send(version=version, sequence=2)
    p.end()
    read_both(s)


@script(version=VERSIONS, sequence=[0, 1, 5, 2**31 - 1])
def txn_produce_first_sequence(s, version, sequence):
    p = Producer(s, CLASSIC)
    p.add()
    p.send(version=version, sequence=sequence)
    p.send(version=version, sequence=0)
    p.end()
    read_both(s)


@script(style=STYLES, then={"gap": [1, 3, 2], "again": [0, 1, 1, 0], "back": [1, 0, 2], "from_zero": [1, 2, 0]})
def txn_produce_sequences(s, style, then):
    p = Producer(s, style)
    p.write()
    for sequence in then:
        p.send(sequence=sequence)
    p.end()
    read_both(s)


@script(version=[3, 11, 12], epoch=[-1, 0, 2, 32767], added=[True, False])
def txn_produce_with_wrong_epoch(s, version, epoch, added):
    p = Producer(s, CLASSIC)
    p.init()
    if added:
        p.write()
    p.send(version=version, epoch=epoch, sequence=0)
    p.send(version=version, epoch=epoch, sequence=1)
    p.end(version=5)
    read_both(s)


@script(version=[3, 11, 12], changed={
    "other_id": {"producer_id": 987654321},
    "no_id": {"producer_id": -1, "epoch": -1, "sequence": -1},
    "unknown_name": {"transactional_id": "nobody-has-this"},
    "empty_name": {"transactional_id": ""},
    "no_name": {"transactional_id": None},
    "not_transactional": {"attributes": 0},
    "plain": {"attributes": 0, "transactional_id": None},
})
def txn_produce_by_another(s, version, changed):
    p = Producer(s, CLASSIC)
    p.write()
    p.send(version=version, **changed)
    p.send(version=version)
    p.end()
    p.send(version=version, **changed)
    read_both(s)


@script(acks=[0, 1, -1], style=STYLES)
def txn_produce_acks(s, acks, style):
    p = Producer(s, style)
    p.write()
    data = batch(attributes=TRANSACTIONAL, base_timestamp=now(), producer_id=p.producer_id, epoch=p.epoch, sequence=1)
    if acks:
        produce(s, data, version=style.produce, acks=acks, transactional_id=p.name)
    p.end()
    read_both(s)


@script(style=STYLES)
def txn_produce_of_two_ids_at_once(s, style):
    one, other = (Producer(s, style, name) for name in ("one", "other"))
    for n in range(3):
        one.write(1 + n)
        other.write(1)
    one.end(ABORT)
    read_both(s)
    produce(s, batch(base_timestamp=now()), version=style.produce)
    other.end(COMMIT)
    read_both(s)


@script(style=STYLES)
def txn_idempotent_batches_with_the_same_id(s, style):
    """A transactional producer's id in batches that are not of a transaction."""
    p = Producer(s, style)
    p.send(attributes=0, transactional_id=None)
    p.send(attributes=0, transactional_id=p.name)
    p.write()
    p.end()
    p.send(attributes=0, transactional_id=None)
    read_both(s)


@script(version=[3, 11, 12, 13], duplicate=[True, False])
def txn_produce_again_what_was_lost(s, version, duplicate):
    """A retry, also one behind the end."""
    p = Producer(s, CLASSIC)
    p.write(3)
    p.send(3, version=version, sequence=0)
    p.end()
    if duplicate:
        p.send(3, version=version, sequence=0)
    p.end()
    read_both(s)
