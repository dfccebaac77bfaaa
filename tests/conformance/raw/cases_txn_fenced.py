"""Who comes too late: a second instance has the name, or the coordinator has given up waiting."""

from calls import LATEST, list_offsets_body
from script import script
from transactional import ABORT, COMMIT, RESULTS, STYLES, TIMEOUT_MS, Producer, read_both, until_stable


def every_request(p, committed=COMMIT):
    """All that the one that is fenced may still send; of groups' offsets see cases_txn_offsets.py."""
    p.add()
    p.send(version=11)
    p.send(version=12)
    p.add_offsets()
    p.s.call_settled("EndTxn", p.style.end, p.who | {"Committed": committed})
    p.renew()


@script(style=STYLES, committed=RESULTS)
def txn_zombie_whose_transaction_was_open(s, style, committed):
    zombie = Producer(s, style)
    zombie.write()
    p = Producer(s, style)
    every_request(zombie, committed)
    p.write()
    read_both(s)


@script(style=STYLES, committed=RESULTS)
def txn_zombie_while_the_successor_writes(s, style, committed):
    zombie = Producer(s, style)
    zombie.write()
    zombie.end()
    p = Producer(s, style)
    p.write()
    p.s.call_settled("EndTxn", style.end, zombie.who | {"Committed": committed})
    zombie.add()
    zombie.send(version=11)
    zombie.send(version=12)
    zombie.add_offsets()
    p.end()
    read_both(s)


@script(style=STYLES, committed=RESULTS)
def txn_zombie_behind_the_successors_end(s, style, committed):
    zombie = Producer(s, style)
    p = Producer(s, style)
    p.write()
    p.end(committed)
    every_request(zombie, committed)
    p.write()
    p.end()
    read_both(s)


@script(style=STYLES, committed=RESULTS)
def txn_timed_out(s, style, committed):
    """The coordinator aborts it; its epoch rises."""
    p = Producer(s, style, timeout_ms=TIMEOUT_MS)
    p.write()
    until_stable(s)
    every_request(p, committed)
    read_both(s)
    p.init()
    p.write()
    p.end()
    read_both(s)


FIRST_REQUESTS = {
    "add": lambda p, n: p.add(n),
    "produce-11": lambda p, n: p.send(partition=n, version=11),
    "produce-12": lambda p, n: p.send(partition=n, version=12),
    "commit": lambda p, n: p.end(COMMIT),
    "abort": lambda p, n: p.end(ABORT),
    "renew": lambda p, n: p.renew(),
    "init": lambda p, n: p.init(),
}


@script(topics={"t": {"partitions": len(FIRST_REQUESTS)}}, style=STYLES)
def txn_timed_out_then_first(s, style):
    """What each request is answered when it is the first one behind the time-out, and how it goes on: each has its own partition."""
    producers = [Producer(s, style, name, TIMEOUT_MS) for name in FIRST_REQUESTS]
    for n, p in enumerate(producers):
        p.write(partition=n)
    for n in range(len(producers)):
        until_stable(s, partition=n)
    for n, (p, first) in enumerate(zip(producers, FIRST_REQUESTS.values())):
        first(p, n)
        p.renew()
        p.write(partition=n)
        p.end()
        read_both(s, partition=n)


@script(style=STYLES)
def txn_timed_out_before_its_first_record(s, style):
    """A partition was added and nothing written: there is a marker all the same."""
    p = Producer(s, style, timeout_ms=TIMEOUT_MS)
    p.add()

    def has_marker():
        return s.ask("ListOffsets", 8, list_offsets_body(s, LATEST))["Topics"][0]["Partitions"][0]["Offset"] > 0

    s.until(has_marker)
    read_both(s)
    p.send()
    p.init()


@script(style=STYLES)
def txn_empty_ones_do_not_time_out(s, style):
    p, other = Producer(s, style, timeout_ms=1), Producer(s, style, "other", timeout_ms=TIMEOUT_MS)
    other.write()
    until_stable(s)
    p.renew()
    read_both(s)
