"""The checkers of transactions see what they are there to see. No cluster needed."""

from collections import Counter

from txn_checker import Instance, Transaction, longest_stall, told, verdict
from txn_copy import copied

CLEAN = ("half", "lost", "doubled", "denied", "zombie", "out_of_order", "damaged")


def committed(number, size=2, at=10.0, instance=1):
    return Transaction(instance, number, size, commit_asked=at, committed=at + 1)


def one(*transactions, number=1, initialized=0.0):
    return Instance(number, "id", initialized=initialized, transactions=list(transactions))


def whole(*transactions):
    """Their records, in order."""
    return [(t.instance, t.number, index, t.size) for t in transactions for index in range(t.size)]


def seen(instances, *partitions):
    """What the checker finds when the partitions hold these, beyond clean ones."""
    row = verdict(instances, dict(enumerate(partitions)))
    return {name: row[name] for name in CLEAN if row[name]}


def test_whole_transactions_are_clean():
    first, second = committed(1), committed(2)
    assert seen([one(first, second)], whole(first), whole(second)) == {}


def test_commit_of_open_fate_may_be_seen_or_not_as_a_whole():
    t = Transaction(1, 1, 2, commit_asked=10.0)
    assert seen([one(t)], whole(t)) == seen([one(t)], []) == {}
    assert seen([one(t)], whole(t)[:1]) == {"half": 1}


def test_transaction_that_is_left_open_or_aborted_must_not_be_seen():
    left = Transaction(1, 1, 2)
    aborted = Transaction(1, 2, 2, abort_asked=10.0, aborted=11.0)
    asked = Transaction(1, 3, 2, commit_asked=10.0, abort_asked=12.0)
    assert seen([one(left, aborted, asked)], []) == {}
    for t in left, aborted, asked:
        assert seen([one(t)], whole(t)) == {"denied": 1}


def test_commit_that_is_not_seen_is_lost():
    first, second = committed(1), committed(2)
    assert seen([one(first, second)], whole(second)) == {"lost": 1}


def test_commit_of_which_a_part_is_seen_is_half_and_lost():
    first, second = committed(1), committed(2)
    assert seen([one(first, second)], whole(first)[:1], whole(second)) == {"half": 1, "lost": 1}


def test_record_that_is_seen_twice_is_doubled():
    t = committed(1)
    assert seen([one(t)], whole(t), whole(t)[1:]) == {"doubled": 1}


def test_zombie_that_commits_behind_its_successor_is_seen():
    zombie, own = committed(1, at=30.0), committed(1, at=40.0, instance=2)
    instances = [one(zombie), one(own, number=2, initialized=20.0)]
    assert seen(instances, whole(zombie), whole(own)) == {"zombie": 1}
    assert seen(instances, whole(own)) == {"lost": 1}  # it was told so


def test_zombie_whose_commit_was_asked_for_before_its_successor_may_be_seen():
    before, own = Transaction(1, 1, 2, commit_asked=10.0), committed(1, at=40.0, instance=2)
    instances = [one(before), one(own, number=2, initialized=20.0)]
    assert seen(instances, whole(before, own)) == seen(instances, whole(own)) == {}


def test_zombie_with_records_behind_its_successors_is_seen():
    before, own = committed(1), committed(1, at=40.0, instance=2)
    instances = [one(before), one(own, number=2, initialized=20.0)]
    assert seen(instances, whole(own, before)) == {"zombie": 2}


def test_instance_of_another_id_is_no_successor():
    mine, other = committed(1, at=30.0), committed(1, at=40.0, instance=2)
    instances = [one(mine), Instance(2, "other id", initialized=20.0, transactions=[other])]
    assert seen(instances, whole(other, mine)) == {}


def test_record_behind_a_later_one_is_out_of_order():
    first, second = committed(1), committed(2)
    assert seen([one(first, second)], [*whole(second), *whole(first)]) == {"out_of_order": 2}


def test_record_of_no_transaction_is_damaged():
    t = committed(1)
    for stray in (1, 7, 0, 2), (9, 1, 0, 2), (1, 1, 1, 3):
        assert seen([one(t)], [*whole(t), stray])["damaged"] == 1


def test_stall_is_the_longest_time_between_commits_of_one_id():
    instances = [one(committed(1, at=1.0), committed(2, at=2.0)), one(committed(1, at=9.0, instance=2), number=2),
                 Instance(3, "other id", transactions=[committed(1, at=30.0, instance=3)])]
    assert longest_stall(instances) == 7.0


def test_log_of_a_killed_driver_is_understood(tmp_path):
    log = tmp_path / "log"
    log.write_text("V 0 0 1000 client 1.0\nI 0 0 1000 \ni 0 0 2000 \nB 1 5 3000 \nb 1 5 3000 \nC 1 5 4000 \nE 1 5 5000 it timed out\n"
                   "c 1 5 6000 \nB 2 6 7000 \nb 2 6 7000 \nA 2 6 8000 \na 2 6 9000 \nB 3 7 9500 \nb 3 7 9500 \nC 3 7 9600 \n")
    instance = told(log, 4, "id")
    assert instance == Instance(4, "id", "client 1.0", 2.0, "", [
        Transaction(4, 1, 5, commit_asked=4.0, committed=6.0), Transaction(4, 2, 6, abort_asked=8.0, aborted=9.0),
        Transaction(4, 3, 7, commit_asked=9.6)], ["it timed out"])
    assert instance.transactions[2].is_open_fate
    row = verdict([instance], {})
    assert [row[name] for name in ("begun", "committed", "aborted", "open_fate", "left_open")] == [3, 1, 1, 1, 0]


def test_copy_that_is_missing_doubled_or_of_nothing_is_seen():
    assert copied(Counter([0, 1, 2]), 3) == {"visible": 3, "missing": 0, "doubled": 0, "damaged": 0}
    assert copied(Counter([0, 2, 2, 7]), 3) == {"visible": 2, "missing": 1, "doubled": 1, "damaged": 1}
