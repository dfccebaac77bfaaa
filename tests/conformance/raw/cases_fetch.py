"""Fetch: offsets, sizes, waiting, epochs, isolation, sessions, names and ids."""

from batch import GZIP, batch
from calls import fetch, fetch_body, fill, produce, produce_body
from schema import message
from script import request_header, script

SESSION = {"none": (0, -1), "new": (0, 0), "unknown": (12345, 1), "unknown_final": (12345, -1), "epoch_without_id": (0, 1), "reset": (777, 0)}


@script(version=range(4, 19))
def fetch_version(s, version):
    fill(s)
    fetch(s, version)
    fetch(s, version, offset=2)
    fetch(s, version, offset=3)


@script(offset=[-1, -2, 4, 2**40, -(2**63), 2**63 - 1], version=[4, 12])
def fetch_offset_out_of_range(s, offset, version):
    fill(s)
    fetch(s, version, offset=offset)


@script()
def fetch_empty_log(s):
    fetch(s)
    fetch(s, offset=1)


@script()
def fetch_from_inside_a_batch(s):
    produce(s, batch(b"a", b"b", b"c"))
    produce(s, batch(b"d", b"e"))
    for offset in range(6):
        fetch(s, offset=offset)


@script(partition_max_bytes=[0, 1, -1, 69, 80, 200, 2**31 - 1])
def fetch_partition_max_bytes(s, partition_max_bytes):
    fill(s, 4)
    fetch(s, partition_max_bytes=partition_max_bytes)


@script(max_bytes=[0, 1, -1, 100, 200, 2**31 - 1])
def fetch_max_bytes(s, max_bytes):
    fill(s, 4)
    fetch(s, max_bytes=max_bytes)


@script(topics={"t": {"partitions": 3}}, max_bytes=[0, 1, 100, 180, 1000])
def fetch_max_bytes_over_partitions(s, max_bytes):
    for partition in range(3):
        fill(s, 2, partition=partition)
    body = fetch_body(s, max_bytes=max_bytes)
    one = body["Topics"][0]["Partitions"][0]
    body["Topics"][0]["Partitions"] = [one | {"Partition": p} for p in range(3)]
    s.call("Fetch", 12, body)


@script(min_bytes=[0, 1, -1, 1000], max_wait_ms=[0, 50, -1])
def fetch_waits(s, min_bytes, max_wait_ms):
    fill(s, 1)
    fetch(s, min_bytes=min_bytes, max_wait_ms=max_wait_ms)
    fetch(s, offset=1, min_bytes=min_bytes, max_wait_ms=max_wait_ms)


@script()
def fetch_is_woken_by_produce(s):
    s.send("Fetch", 12, fetch_body(s, min_bytes=1, max_wait_ms=8000))
    s.ask("Produce", 11, produce_body(s, [("t", 0, batch(b"wakes"))], 11))
    s.receive()


@script(min_bytes=[1, 100000])
def fetch_with_an_error_does_not_wait(s, min_bytes):
    fetch(s, offset=9, min_bytes=min_bytes, max_wait_ms=8000)
    fetch(s, partition=9, min_bytes=min_bytes, max_wait_ms=8000)


@script(version=[4, 5, 11, 12])
def fetch_unknown_partition(s, version):
    fetch(s, version, partition=1)
    fetch(s, version, partition=-1)


@script(version=[13, 16, 17, 18])
def fetch_unknown_partition_by_id(s, version):
    fetch(s, version, partition=1)


@script(topics={}, version=[4, 7, 12])
def fetch_unknown_topic(s, version):
    fetch(s, version)


@script(topics={}, version=[13, 16, 17, 18], topic_id={"zero": bytes(16), "unknown": b"\x33" * 16})
def fetch_unknown_id(s, version, topic_id):
    fetch(s, version, topic_id=topic_id)


@script(isolation=[0, 1, 2, -1], version=[4, 6, 7, 12, 13])
def fetch_isolation(s, isolation, version):
    fill(s)
    fetch(s, version, isolation=isolation)
    fetch(s, version, isolation=isolation, offset=9)


@script(session=SESSION, version=[7, 12])
def fetch_session(s, session, version):
    fill(s, 1)
    fetch(s, version, session_id=session[0], session_epoch=session[1])


@script(version=[7, 12])
def fetch_session_of_nothing(s, version):
    fetch(s, version, topics=[])
    fetch(s, version, topics=[], session_epoch=0)
    fetch(s, version, topics=[], session_id=5, session_epoch=3)


@script(epoch=[-1, 0, 1, 100, -2], version=[9, 12])
def fetch_leader_epoch(s, epoch, version):
    fill(s, 1)
    fetch(s, version, epoch=epoch)


@script(last_epoch=[-1, 0, 1, 5, -2])
def fetch_last_fetched_epoch(s, last_epoch):
    fill(s, 2)
    fetch(s, last_epoch=last_epoch, offset=1)
    fetch(s, last_epoch=last_epoch, offset=2)
    fetch(s, last_epoch=last_epoch, offset=9)


@script(rack={"empty": "", "some": "rack-a"})
def fetch_rack(s, rack):
    fill(s, 1)
    fetch(s, rack=rack)


@script(version=[4, 12])
def fetch_partition_twice(s, version):
    fill(s, 2)
    body = fetch_body(s, version)
    one = body["Topics"][0]["Partitions"][0]
    body["Topics"][0]["Partitions"] = [one, one | {"FetchOffset": 1}]
    s.call("Fetch", version, body)


@script(version=[4, 12])
def fetch_topic_twice(s, version):
    fill(s, 2)
    body = fetch_body(s, version)
    body["Topics"] = body["Topics"] * 2
    s.call("Fetch", version, body)


@script()
def fetch_topic_without_partitions(s):
    body = fetch_body(s)
    body["Topics"][0]["Partitions"] = []
    s.call("Fetch", 12, body)


@script(topics={"a": {}, "b": {"partitions": 2}}, version=[4, 12, 13])
def fetch_many_topics(s, version):
    fill(s, 1, "a")
    fill(s, 1, "b", 1)
    body = fetch_body(s, version, "a")
    body["Topics"] += fetch_body(s, version, "b")["Topics"]
    one = body["Topics"][1]["Partitions"][0]
    body["Topics"][1]["Partitions"] = [one | {"Partition": partition} for partition in (0, 1, 7)]
    s.call("Fetch", version, body)


@script(topics={"t": {"partitions": 2}})
def fetch_topic_in_two_entries(s):
    body = fetch_body(s)
    body["Topics"] += fetch_body(s, partition=1)["Topics"]
    s.call("Fetch", 12, body)


@script(log_start=[-1, 0, 5])
def fetch_log_start_offset_of_a_consumer(s, log_start):
    fill(s, 1)
    fetch(s, log_start=log_start)


@script(version=[4, 12, 15])
def fetch_compressed(s, version):
    produce(s, batch(b"a", b"b", codec=GZIP))
    fetch(s, version)
    fetch(s, version, offset=1)


@script(version=[0, 3, 19, -1])
def fetch_version_not_served(s, version):
    body = message("FetchRequest").encode(4, fetch_body(s, 4))
    s.send("Fetch", 4, header=request_header("Fetch", version, 1), data=body)
    s.receive()


@script(replica_id=[1, 2, -2, -3])
def fetch_as_a_replica(s, replica_id):
    fill(s, 1)
    s.call("Fetch", 12, fetch_body(s) | {"ReplicaId": replica_id})


@script()
def fetch_forgotten_topics(s):
    fill(s, 1)
    s.call("Fetch", 12, fetch_body(s) | {"ForgottenTopicsData": [{"Topic": s.topic(), "Partitions": [0]}]})


@script()
def fetch_null_topics(s):
    s.call("Fetch", 12, fetch_body(s) | {"Topics": None})
