"""EndTxn: what it answers where the transaction stands, also when it is repeated, and what it leaves behind."""

from script import script
from transactional import ABORT, CLASSIC, COMMIT, NEW, RESULTS, STYLES, Producer, read_both

VERSIONS = range(6)


@script(committed=RESULTS, version=VERSIONS)
def txn_end_of_empty(s, committed, version):
    p = Producer(s, CLASSIC)
    p.end(committed, version)
    p.end(not committed, version)
    p.renew()


@script(committed=RESULTS, version=VERSIONS)
def txn_end_of_open(s, committed, version):
    p = Producer(s, CLASSIC)
    p.write()
    p.end(committed, version)
    read_both(s)
    p.write()
    p.end(committed, version)
    read_both(s)
    p.renew()


@script(committed=RESULTS, again=RESULTS, version=VERSIONS)
def txn_end_again(s, committed, again, version):
    """With the epoch that the first one had, and with the one that it answered."""
    p = Producer(s, CLASSIC)
    p.write()
    old = p.epoch
    p.end(committed, version)
    for _ in range(2):
        s.call_settled("EndTxn", version, p.who | {"Committed": again, "ProducerEpoch": old})
    p.end(again, version)
    read_both(s)
    p.write()
    p.end(again, version)
    read_both(s)


@script(committed=RESULTS, version=[0, 1, 2, 4, 5], changed={
    "older_epoch": {"ProducerEpoch": 0},
    "newer_epoch": {"ProducerEpoch": 2},
    "much_newer_epoch": {"ProducerEpoch": 32767},
    "negative_epoch": {"ProducerEpoch": -1},
    "other_id": {"ProducerId": 987654321},
    "negative_id": {"ProducerId": -1},
    "unknown_name": {"TransactionalId": "nobody-has-this"},
    "empty_name": {"TransactionalId": ""},
})
def txn_end_by_another(s, committed, version, changed):
    p = Producer(s, CLASSIC)
    p.init()
    body = {"Committed": committed} | p.who | changed
    s.call_settled("EndTxn", version, body)
    p.write()
    s.call_settled("EndTxn", version, body)
    p.end(COMMIT, 4)
    s.call_settled("EndTxn", version, body)
    read_both(s)


@script(first=RESULTS, then=RESULTS)
def txn_end_by_the_other_protocol(s, first, then):
    """EndTxn 5 behind classic requests, EndTxn 4 behind those of KIP-890."""
    p = Producer(s, CLASSIC)
    p.write()
    p.end(first, 5)
    q = Producer(s, NEW, "other")
    q.write()
    q.end(then, 4)
    q.write()
    q.end(then, 5)
    p.write()
    p.end(then, 4)
    read_both(s)


@script(committed=RESULTS)
def txn_end_of_empty_ones_in_a_row(s, committed):
    """Each abort of KIP-890 takes an epoch, also when nothing was done."""
    p = Producer(s, NEW)
    for _ in range(3):
        p.end(ABORT)
    p.write()
    p.end(committed)
    for _ in range(2):
        p.end(ABORT)
    p.write()
    p.end(committed)
    read_both(s)


@script(topics={"t": {"partitions": 3}, "u": {"partitions": 2}}, style=STYLES, committed=RESULTS)
def txn_end_reaches_every_partition(s, style, committed):
    p = Producer(s, style)
    for alias, partition in (("t", 0), ("t", 2), ("u", 1)):
        p.write(alias=alias, partition=partition)
    p.end(committed)
    for alias, n in (("t", 3), ("u", 2)):
        for partition in range(n):
            read_both(s, alias, partition)


@script(style=STYLES, committed=RESULTS)
def txn_many_in_a_row(s, style, committed):
    p = Producer(s, style)
    for n in range(1, 7):
        p.write(n)
        p.write(1)
        p.end(committed if n % 2 else COMMIT)
    read_both(s)


@script(how=["end", "fence"])
def txn_epochs_run_out(s, how):
    """Behind 32766 there is a new id."""
    p = Producer(s, NEW)
    asked = 32765 - 1
    while asked:
        many = min(asked, 200)
        s.ask_many("InitProducerId", 5, p.init_body(), many)
        asked -= many
    p.init()
    for _ in range(3):
        p.write()
        old = p.who
        if how == "end":
            p.end()
            s.call_settled("EndTxn", 5, old | {"Committed": COMMIT})
        else:
            s.call("InitProducerId", 5, p.init_body())
            p.init()
    read_both(s)
