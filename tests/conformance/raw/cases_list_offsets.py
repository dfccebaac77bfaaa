"""ListOffsets: special times, times of records, epochs, who is named."""

from batch import BASE, GZIP, batch, record
from calls import fill, list_offsets, list_offsets_body, produce
from schema import message
from script import request_header, script

SPECIAL = (-1, -2, -3, -4, -5, -6, -7, -100, -(2**63))


@script(version=range(1, 12))
def offsets_special_times(s, version):
    list_offsets(s, *SPECIAL, version=version)
    fill(s)
    list_offsets(s, *SPECIAL, version=version)


@script(version=[1, 4, 7, 11])
def offsets_by_time(s, version):
    list_offsets(s, 0, BASE, version=version)
    for i in range(3):
        produce(s, batch(b"%d" % i, base_timestamp=BASE + 10 * i))
    list_offsets(s, 0, BASE - 1, BASE, BASE + 1, BASE + 10, BASE + 20, BASE + 21, 2**63 - 1, version=version)


@script(codec={"none": 0, "gzip": GZIP})
def offsets_by_time_inside_a_batch(s, codec):
    payload = record(b"a", time=0) + record(b"b", time=10, offset=1) + record(b"c", time=5, offset=2) + record(b"d", time=20, offset=3)
    produce(s, batch(*"abcd", payload=payload, max_timestamp=BASE + 20, codec=codec))
    list_offsets(s, BASE, BASE + 1, BASE + 6, BASE + 11, BASE + 20, BASE + 21, -3)


@script()
def offsets_by_time_not_in_order(s):
    for time in (50, 10, 30, 50, 20):
        produce(s, batch(base_timestamp=BASE + time))
    list_offsets(s, BASE, BASE + 10, BASE + 20, BASE + 31, BASE + 50, BASE + 51, -3)


@script()
def offsets_of_records_without_time(s):
    produce(s, batch(base_timestamp=-1))
    list_offsets(s, -3, 0, BASE)
    produce(s, batch(base_timestamp=0))
    list_offsets(s, -3, 0, 1)


@script(version=[1, 7])
def offsets_of_unknown_partition(s, version):
    list_offsets(s, -1, -2, BASE, partition=1, version=version)
    list_offsets(s, -1, partition=-1, version=version)


@script(topics={}, version=[1, 7])
def offsets_of_unknown_topic(s, version):
    list_offsets(s, -1, -2, BASE, -7, version=version)


@script(epoch=[-1, 0, 1, 100, -2], version=[4, 8])
def offsets_leader_epoch(s, epoch, version):
    fill(s, 1)
    list_offsets(s, -1, -2, BASE, epoch=epoch, version=version)


@script(isolation=[0, 1, 2, -1])
def offsets_isolation(s, isolation):
    fill(s, 2)
    list_offsets(s, -1, -2, BASE, -3, isolation=isolation)


@script(replica_id=[1, 2, -2, -3])
def offsets_as_a_replica(s, replica_id):
    fill(s, 2)
    list_offsets(s, -1, -2, replica_id=replica_id)


@script(version=[1, 4, 8])
def offsets_partition_twice(s, version):
    fill(s, 2)
    s.call("ListOffsets", version, list_offsets_body(s, -1, -2, version=version))


@script(topics={"t": {"partitions": 2}, "u": {}})
def offsets_partition_twice_beside_others(s):
    body = list_offsets_body(s, -1, -1)
    body["Topics"][0]["Partitions"].append({"PartitionIndex": 1, "Timestamp": -1})
    body["Topics"] += list_offsets_body(s, -1, alias="u")["Topics"]
    s.call("ListOffsets", 8, body)


@script(version=[1, 8])
def offsets_topic_twice(s, version):
    fill(s, 2)
    body = list_offsets_body(s, -1, version=version)
    body["Topics"] += list_offsets_body(s, -2, version=version)["Topics"]
    s.call("ListOffsets", version, body)


@script(topics={"t": {"partitions": 2}})
def offsets_topic_in_two_entries(s):
    body = list_offsets_body(s, -1)
    body["Topics"] += list_offsets_body(s, -2, partition=1)["Topics"]
    s.call("ListOffsets", 8, body)


@script(topics={"a": {"partitions": 2}, "b": {}})
def offsets_of_many(s):
    fill(s, 2, "a")
    body = list_offsets_body(s, -1, alias="a")
    for alias, partition in (("a", 1), ("a", 5), ("b", 0), ("none", 0)):
        more = list_offsets_body(s, -1, alias=alias, partition=partition)["Topics"]
        if alias == "a":
            body["Topics"][0]["Partitions"] += more[0]["Partitions"]
        else:
            body["Topics"] += more
    s.call("ListOffsets", 8, body)


@script()
def offsets_of_nothing(s):
    s.call("ListOffsets", 8, {"ReplicaId": -1, "Topics": []})
    s.call("ListOffsets", 8, {"ReplicaId": -1, "Topics": [{"Name": s.topic(), "Partitions": []}]})


@script(version=[0, 12, -1])
def offsets_version_not_served(s, version):
    body = message("ListOffsetsRequest").encode(1, list_offsets_body(s, -1, version=1))
    s.send("ListOffsets", 1, header=request_header("ListOffsets", version, 1), data=body)
    s.receive()
