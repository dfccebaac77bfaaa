"""InitProducerId of transactional ids: ids, epochs, time-outs, what happens to an open transaction."""

from script import script
from transactional import ABORT, CLASSIC, NEW, RESULTS, STYLES, Producer, read_both, until_stable


@script(topics={}, version=[0, 1, 2, 3, 4, 5])
def txn_init_again_and_again(s, version):
    p = Producer(s, CLASSIC)
    for _ in range(3):
        p.init(version)


@script(topics={}, version=[3, 4, 5])
def txn_init_with_id_and_epoch(s, version):
    p = Producer(s, NEW)
    p.renew(version=version)
    p.renew(version=version)
    p.init(version, producer_id=p.producer_id, epoch=p.epoch - 1)  # the same answer: its own may have been lost
    p.init(version, producer_id=p.producer_id, epoch=p.epoch - 1)
    p.init(version, producer_id=p.producer_id, epoch=p.epoch - 2)
    p.init(version, producer_id=p.producer_id, epoch=p.epoch + 1)
    p.init(version, producer_id=p.producer_id + 1000, epoch=p.epoch)
    p.init(version, producer_id=p.producer_id, epoch=-1)
    p.init(version, producer_id=-1, epoch=p.epoch)
    p.renew(version=version)
    p.init(version)
    p.init(version, producer_id=p.producer_id, epoch=p.epoch - 1)  # another instance has come between


@script(topics={}, version=[3, 5])
def txn_init_of_new_name_with_id(s, version):
    s.transactional_producer("warm-up")
    body = {"TransactionalId": s.topic("id"), "TransactionTimeoutMs": 1000, "ProducerId": 4711, "ProducerEpoch": 3}
    s.call("InitProducerId", version, body)
    s.call("InitProducerId", version, body)


TIMEOUTS = [-2**31, -1, 0, 1, 900_000, 900_001, 2**31 - 1]


@script(topics={}, timeout_ms=TIMEOUTS, version=[1, 5])
def txn_init_timeout(s, timeout_ms, version):
    s.transactional_producer("warm-up")
    for _ in range(2):
        s.call("InitProducerId", version, {"TransactionalId": s.topic("id"), "TransactionTimeoutMs": timeout_ms})


@script(style=STYLES, committed=RESULTS)
def txn_init_after_transactions(s, style, committed):
    p = Producer(s, style)
    for _ in range(2):
        p.write()
        p.end(committed)
        p.renew()
    p.write()
    p.end(committed)
    p.init()
    p.write()
    read_both(s)


@script(style=STYLES, how={"anew": False, "with_its_epoch": True})
def txn_init_aborts_what_is_open(s, style, how):
    """The first answer is CONCURRENT_TRANSACTIONS, however fast the broker is."""
    p = Producer(s, style)
    p.write()
    with_its_own = {"producer_id": p.producer_id, "epoch": p.epoch} if how else {}
    s.call("InitProducerId", style.init, p.init_body(**with_its_own))
    until_stable(s)
    if how:
        s.call_settled("InitProducerId", style.init, p.init_body(**with_its_own))
    p.init()
    p.write()
    p.end()
    read_both(s)


@script(style=STYLES, committed=RESULTS)
def txn_init_with_stale_epoch_aborts_what_is_open(s, style, committed):
    """An open transaction is ended by whoever has had the id, even if its epoch is older; a foreign id is refused."""
    p = Producer(s, style)
    p.init()
    p.write()
    s.call("InitProducerId", 4, p.init_body(producer_id=p.producer_id + 1000, epoch=p.epoch))
    s.call("InitProducerId", 4, p.init_body(producer_id=p.producer_id, epoch=p.epoch - 1))
    until_stable(s)
    s.call_settled("InitProducerId", 4, p.init_body(producer_id=p.producer_id, epoch=p.epoch - 1))
    p.end(committed)
    p.send()
    p.init()
    read_both(s)


@script(style=STYLES, first=RESULTS)
def txn_epochs_after_ends(s, style, first):
    """What the ends answer, what the next init does."""
    p = Producer(s, style)
    for n in range(3):
        p.write(n + 1)
        p.end(first)
        p.write(n + 1)
        p.end(not first)
    p.init()
    p.renew()


@script(topics={"t": {}})
def txn_of_two_names_are_apart(s):
    one, other = (Producer(s, NEW, name) for name in ("one", "other"))
    one.write()
    other.write()
    one.end()
    read_both(s)
    other.write()
    other.end(ABORT)
    read_both(s)
