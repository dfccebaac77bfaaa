"""AddPartitionsToTxn: by clients (up to version 3) and as brokers ask each other (4 and 5)."""

from script import script
from transactional import ABORT, CLASSIC, COMMIT, NEW, RESULTS, STYLES, Producer, read_both

TWO = {"t": {"partitions": 2}, "u": {}}


@script(topics=TWO, version=[0, 1, 2, 3])
def txn_add_partitions(s, version):
    p = Producer(s, CLASSIC)
    p.add(0, version=version)
    p.add(0, version=version)
    p.add(0, 1, version=version)
    p.add(1, 1, version=version)
    p.add(0, alias="u", version=version)
    for partition in 0, 1:
        p.send(partition=partition)
    p.send(alias="u")
    p.end()
    for partition in 0, 1:
        read_both(s, partition=partition)
    read_both(s, alias="u")


@script(topics={"t": {"partitions": 2}}, version=[0, 3])
def txn_add_unknown_partitions(s, version):
    """One that is not there spoils the others of the request."""
    p = Producer(s, CLASSIC)
    p.add(2, version=version)
    p.add(0, 2, version=version)
    p.add(-1, version=version)
    p.add(0, alias="no-such", version=version)
    both = [{"Name": s.topic(alias), "Partitions": [0]} for alias in ("t", "no-such")]
    body = {f"V3AndBelow{name}": value for name, value in (p.who | {"Topics": both}).items()}
    s.call("AddPartitionsToTxn", version, body)
    p.end()  # nothing was added
    p.send()


@script(version=[0, 3])
def txn_add_nothing(s, version):
    p = Producer(s, CLASSIC)
    body = {f"V3AndBelow{name}": value for name, value in (p.who | {"Topics": []}).items()}
    s.call("AddPartitionsToTxn", version, body)
    s.call("AddPartitionsToTxn", version, body | {"V3AndBelowTopics": [{"Name": s.topic(), "Partitions": []}]})
    p.end()


WRONG = {
    "older_epoch": {"ProducerEpoch": 0},
    "newer_epoch": {"ProducerEpoch": 2},
    "negative_epoch": {"ProducerEpoch": -1},
    "other_id": {"ProducerId": 987654321},
    "negative_id": {"ProducerId": -1},
    "unknown_name": {"TransactionalId": "nobody-has-this"},
    "empty_name": {"TransactionalId": ""},
}


@script(wrong=WRONG, version=[0, 1, 2, 3])
def txn_add_by_another(s, wrong, version):
    p = Producer(s, CLASSIC)
    p.init()
    p.add(version=version, **wrong)
    p.write()
    p.add(version=version, **wrong)
    p.end()
    p.add(version=version, **wrong)
    p.add(version=version)


@script(wrong=WRONG, version=[4, 5], verify=[False, True])
def txn_add_as_broker_by_another(s, wrong, version, verify):
    p = Producer(s, CLASSIC)
    p.init()
    p.add_as_broker(version=version, verify=verify, **wrong)
    p.write()
    p.add_as_broker(version=version, verify=verify, **wrong)
    p.end()


@script(topics=TWO, version=[4, 5])
def txn_add_as_broker(s, version):
    p = Producer(s, NEW)
    p.add_as_broker(0, version=version, verify=True)
    p.add_as_broker(0, version=version)
    p.add_as_broker(0, version=version, verify=True)
    p.add_as_broker(0, 1, version=version, verify=True)
    p.add_as_broker(0, 1, version=version)
    p.add_as_broker(0, 1, version=version, verify=True)
    p.add_as_broker(0, alias="no-such", version=version)
    p.send(version=11)
    p.end()
    p.add_as_broker(0, version=version, verify=True)
    read_both(s)


@script(version=[4, 5])
def txn_add_as_broker_of_two_names(s, version):
    one, other = (Producer(s, NEW, name) for name in ("one", "other"))
    topics = [{"Name": s.topic(), "Partitions": [0]}]
    asked = [p.who | {"VerifyOnly": False, "Topics": topics} for p in (one, other)]
    asked[1]["ProducerEpoch"] = 7
    s.call("AddPartitionsToTxn", version, {"Transactions": asked})


@script(style=STYLES, committed=RESULTS)
def txn_partitions_of_the_last_transaction_are_forgotten(s, style, committed):
    p = Producer(s, style)
    p.write()
    p.end(committed)
    p.add_as_broker(0, verify=True)
    p.send(version=11)
    p.add()
    p.send(version=11)
    p.add_as_broker(0, verify=True)
    p.end(not committed)
    read_both(s)


@script(version=[0, 3])
def txn_add_without_writing(s, version):
    """The partition gets its marker all the same."""
    p = Producer(s, CLASSIC)
    for committed in COMMIT, ABORT:
        p.add(version=version)
        p.end(committed, version=version)
        read_both(s)
