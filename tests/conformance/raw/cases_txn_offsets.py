"""Offsets of groups: in transactions and beside them."""

from script import script
from transactional import ABORT, CLASSIC, COMMIT, RESULTS, STYLES, TIMEOUT_MS, Producer, commit_offset, committed_offset, until_stable


def both_views(s, group="g", alias="t", partition=0):
    for stable in True, False:
        committed_offset(s, group, alias, partition, stable=stable)


@script(style=STYLES, committed=RESULTS)
def txn_offsets_become_visible_with_the_commit(s, style, committed):
    p = Producer(s, style)
    p.write_offset(5)
    both_views(s)
    p.end(committed)
    both_views(s)
    p.write_offset(7, metadata="second")
    both_views(s)
    p.end(COMMIT)
    both_views(s)


@script(style=STYLES, committed=RESULTS, version=[1, 2, 5, 6, 7, 8, 9, 10])
def txn_offset_fetch_versions(s, style, committed, version):
    p = Producer(s, style)
    p.write_offset(5, leader_epoch=0)
    fetch_by_version(s, version)
    p.end(committed)
    fetch_by_version(s, version)


def fetch_by_version(s, version):
    """One partition, one that has none, one that is not there; all."""
    key = {"TopicId": s.topic_id()} if version >= 10 else {"Name": s.topic()}
    topics = [key | {"PartitionIndexes": [0, 3]}]
    for asked in (topics, None) if version >= 2 else (topics,):
        for stable in (True, False) if version >= 7 else (False,):
            body = {"GroupId": s.topic("g"), "Topics": asked}
            body = body if version < 8 else {"Groups": [body]}
            s.call("OffsetFetch", version, body | ({"RequireStable": stable} if version >= 7 else {}))


@script(version=range(6), added=[True, False])
def txn_offset_commit_versions(s, version, added):
    p = Producer(s, CLASSIC)
    if added:
        p.add_offsets(version=min(version, 4))
    p.commit_offset(5, version=version)
    both_views(s)
    p.end(version=5)
    both_views(s)


@script(version=range(5))
def txn_add_offsets(s, version):
    p = Producer(s, CLASSIC)
    p.add_offsets(version=version)
    p.add_offsets(version=version)
    p.add_offsets("other", version=version)
    p.add_offsets("", version=version)
    p.end(version=4)
    p.end(version=4)


WRONG = {
    "older_epoch": {"ProducerEpoch": 0},
    "newer_epoch": {"ProducerEpoch": 2},
    "other_id": {"ProducerId": 987654321},
    "unknown_name": {"TransactionalId": "nobody-has-this"},
    "empty_name": {"TransactionalId": ""},
}


@script(wrong=WRONG, version=[0, 1, 2, 4])
def txn_add_offsets_by_another(s, wrong, version):
    p = Producer(s, CLASSIC)
    p.init()
    p.add_offsets(version=version, **wrong)
    p.add_offsets(version=version)
    p.add_offsets(version=version, **wrong)
    p.end()


@script(wrong=WRONG, version=[0, 3, 4, 5], added=[True, False])
def txn_offset_commit_by_another(s, wrong, version, added):
    p = Producer(s, CLASSIC)
    p.init()
    if added:
        p.add_offsets()
        p.commit_offset(1, version=4)
    p.commit_offset(5, version=version, **wrong)
    both_views(s)
    p.end(version=5)
    both_views(s)


MEMBERS = {
    "none": {},
    "generation_0": {"GenerationId": 0},
    "generation_1": {"GenerationId": 1},
    "generation_minus_2": {"GenerationId": -2},
    "member": {"MemberId": "someone"},
    "member_and_generation": {"MemberId": "someone", "GenerationId": 1},
    "instance": {"GroupInstanceId": "static"},
    "all": {"MemberId": "someone", "GenerationId": 1, "GroupInstanceId": "static"},
}


@script(member=MEMBERS, version=[3, 4, 5])
def txn_offset_commit_of_members_of_an_empty_group(s, member, version):
    p = Producer(s, CLASSIC)
    p.add_offsets()
    p.commit_offset(5, version=version, **member)
    p.commit_offset(6, version=version)
    p.commit_offset(7, version=version, **member)
    p.end()
    both_views(s)
    p.add_offsets()
    p.commit_offset(8, version=version, **member)
    p.end()
    both_views(s)


@script(version=[0, 3, 5], where={"topic": {"alias": "no-such"}, "partition": {"partition": 1}, "negative": {"partition": -1}})
def txn_offset_commit_of_what_is_not_there(s, version, where):
    p = Producer(s, CLASSIC)
    p.add_offsets()
    p.commit_offset(5, version=version, **where)
    p.commit_offset(6, version=version)
    p.end()
    both_views(s, **where)


@script(style=STYLES, metadata={"none": None, "empty": "", "most": "m" * 4096, "too_much": "m" * 4097})
def txn_offset_metadata(s, style, metadata):
    p = Producer(s, style)
    p.write_offset(5, metadata=metadata)
    p.end()
    both_views(s)


@script(style=STYLES, offset=[-1, -2, 0, 2**63 - 1])
def txn_offset_values(s, style, offset):
    p = Producer(s, style)
    p.write_offset(offset, leader_epoch=3)
    p.end()
    both_views(s)


@script(style=STYLES, committed=RESULTS)
def txn_offsets_last_of_several_counts(s, style, committed):
    p = Producer(s, style)
    for offset in 5, 9, 3:
        p.write_offset(offset)
    both_views(s)
    p.end(committed)
    both_views(s)


@script(style=STYLES, committed=RESULTS)
def txn_offsets_beside_plain_ones(s, style, committed):
    """A plain commit in the middle is visible at once, and is overtaken by the transaction's."""
    commit_offset(s, 1)
    p = Producer(s, style)
    p.write_offset(5)
    both_views(s)
    commit_offset(s, 8)
    both_views(s)
    p.end(committed)
    both_views(s)


@script(style=STYLES)
def txn_offsets_of_two_producers(s, style):
    one, other = (Producer(s, style, name) for name in ("one", "other"))
    one.write_offset(5)
    other.write_offset(9)
    both_views(s)
    other.end(COMMIT)
    both_views(s)
    one.end(COMMIT)
    both_views(s)


@script(topics={"t": {"partitions": 2}}, style=STYLES)
def txn_offsets_and_records_together(s, style):
    p = Producer(s, style)
    p.write()
    p.write_offset(1)
    p.write_offset(2, partition=1)
    p.write_offset(3, "h")
    p.end(ABORT)
    p.write()
    p.write_offset(4)
    p.write_offset(5, "h", partition=1)
    p.end(COMMIT)
    for group in "g", "h":
        for partition in 0, 1:
            both_views(s, group, partition=partition)


@script(version=range(2, 11))
def txn_plain_offset_commit_versions(s, version):
    one = {"PartitionIndex": 0, "CommittedOffset": 4, "CommittedMetadata": "x"}
    unknown = {"PartitionIndex": 5, "CommittedOffset": 4, "CommittedMetadata": None}
    key = {"TopicId": s.topic_id()} if version >= 10 else {"Name": s.topic()}
    s.until_coordinators()
    body = {"GroupId": s.topic("g"), "Topics": [key | {"Partitions": [one, unknown]}]}
    s.call("OffsetCommit", version, body)
    s.call("OffsetCommit", version, body | {"GenerationIdOrMemberEpoch": 1})
    s.call("OffsetCommit", version, body | {"MemberId": "someone"})
    s.call("OffsetCommit", version, body | {"GroupId": ""})
    committed_offset(s)


@script(version=[1, 5, 7, 8, 9])
def txn_offset_fetch_of_unknown_group(s, version):
    committed_offset(s, "nobody", version=version)
    committed_offset(s, "nobody", alias="no-such", version=version)
    committed_offset(s, "nobody", partition=7, version=version)


def late_offsets(p):
    p.add_offsets()
    for version in 3, 4, 5:
        p.commit_offset(9, version=version)


@script(style=STYLES)
def txn_offsets_of_a_zombie(s, style):
    zombie = Producer(s, style)
    zombie.write_offset(3)
    p = Producer(s, style)
    late_offsets(zombie)
    both_views(s)
    p.write_offset(5)
    late_offsets(zombie)
    p.end()
    late_offsets(zombie)
    both_views(s)


@script(style=STYLES)
def txn_offsets_of_one_that_timed_out(s, style):
    p = Producer(s, style, timeout_ms=TIMEOUT_MS)
    p.write()
    p.write_offset(3)
    until_stable(s)
    late_offsets(p)
    p.renew()
    both_views(s)
    p.write_offset(4)
    p.end()
    both_views(s)
