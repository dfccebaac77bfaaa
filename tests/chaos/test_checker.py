"""The checker sees what it is there to see. No cluster needed."""

import pytest

from checker import N_KEYS, Told, verdict

CLEAN = {"lost": 0, "doubled": 0, "out_of_order": 0, "misplaced": 0, "denied": 0, "unreported": 0}


def report(seq, outcome="p", offset=None):
    return Told(seq, outcome, 0, seq if offset is None else offset, 0.0, 1.0, "")


def seen(records, *seqs):
    """What the checker finds when partition 0 holds these, beyond a clean log."""
    row = verdict(records, {0: [(offset, seq, 0) for offset, seq in enumerate(seqs)]})
    return {name: row[name] for name in CLEAN if row[name] != CLEAN[name]}


@pytest.mark.parametrize("outcome", ["u", "-"])
def test_record_of_open_fate_may_be_there_or_not_or_late(outcome):
    rest = {"unreported": 1} if outcome == "-" else {}
    records = [report(0, outcome), report(1, offset=-1)]
    assert seen(records, 1) == seen(records, 0, 1) == seen(records, 0, 0, 1) == rest


def test_clean_log_is_clean():
    assert seen([report(0), report(1), report(2)], 0, 1, 2) == {}


def test_record_that_is_missing_is_lost():
    assert seen([report(0), report(1)], 0) == {"lost": 1}
    assert seen([report(0), report(1, "w", -1)], 0) == {"lost": 1}


def test_loss_that_does_not_count_is_not_counted():
    row = verdict([report(0), report(1)], {0: []}, counts=lambda record: record.seq > 0)
    assert row["lost"] == 1 and row["acknowledged"] == 2


def test_record_that_stands_twice_is_doubled():
    assert seen([report(0), report(1)], 0, 1, 1) == {"doubled": 1}


def test_record_behind_a_later_one_of_its_key_is_out_of_order():
    records = [report(0, offset=-1), report(N_KEYS, offset=-1)] + [report(seq, "u") for seq in range(1, N_KEYS)]
    assert seen(records, N_KEYS, 0) == {"out_of_order": 1}


def test_offset_of_another_record_is_seen():
    assert seen([report(0, offset=1), report(1, offset=-1)], 0, 1) == {"misplaced": 1}


def test_record_reported_as_not_persisted_must_not_be_there():
    assert seen([report(0, "n")], 0) == {"denied": 1}
    assert seen([report(0, "n")]) == {}
