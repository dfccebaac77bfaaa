"""ApiVersions, and the connection itself: unknown APIs, headers, frames, pipelines."""

import struct

from batch import batch
from calls import metadata, produce_body
from schema import message
from script import framed, request_header, script

NOTHING = {}
SERVED = {"ClientSoftwareName": "raw", "ClientSoftwareVersion": "1.0"}


@script(topics=NOTHING, version=range(0, 5))
def api_versions(s, version):
    s.call("ApiVersions", version, SERVED if version >= 3 else {})


@script(topics=NOTHING, version=[5, 99, 32767, -1])
def api_versions_of_unknown_version(s, version):
    s.send("ApiVersions", 4, header=request_header("ApiVersions", version, 101) + b"\0", data=b"\4raw\0041.0\0")
    s.receive(as_version=0)
    metadata(s)


@script(topics=NOTHING, names={
    "empty_name": ("", "1.0"), "empty_version": ("raw", ""), "space": ("a b", "1.0"), "dash_first": ("-a", "1.0"), "dash_last": ("a-", "1"),
    "dot_last": ("a", "1."), "umlaut": ("ä", "1"), "one_letter": ("a", "1"), "inner": ("a-b.c-d", "1-2.3"), "under": ("a_b", "1"),
    "long": ("a" * 1000, "1"), "newline": ("a\n", "1"),
})
def api_versions_software(s, names):
    s.call("ApiVersions", 3, {"ClientSoftwareName": names[0], "ClientSoftwareVersion": names[1]})
    s.call("ApiVersions", 4, {"ClientSoftwareName": names[0], "ClientSoftwareVersion": names[1]})


@script(topics=NOTHING)
def api_versions_again_and_later(s):
    metadata(s)
    s.call("ApiVersions", 3, SERVED)
    s.call("ApiVersions", 0)


@script(topics=NOTHING, client_id={"null": None, "empty": "", "long": "c" * 5000, "umlaut": "ä"})
def client_id(s, client_id):
    for api, version, body in (("Metadata", 1, {"Topics": [], "AllowAutoTopicCreation": True}), ("Metadata", 12, {"Topics": []})):
        s.send(api, version, body, header=request_header(api, version, s.correlation + 1, client_id))
        s.receive()


@script(topics=NOTHING, correlation=[0, -1, 2**31 - 1, -(2**31)])
def correlation_id(s, correlation):
    s.correlation = correlation - 1
    metadata(s)


@script(topics=NOTHING, key=[74, 92, 93, 200, 1000, 32767, -1, -32768])
def unknown_api(s, key):
    s.raw(framed(struct.pack(">hhih", key, 0, 1, -1) + bytes(8)))


@script(topics=NOTHING, key={"LeaderAndIsr": 4, "StopReplica": 5, "UpdateMetadata": 6, "ControlledShutdown": 7, "Vote": 52})
def inter_broker_api(s, key):
    s.raw(framed(struct.pack(">hhih", key, 0, 1, -1) + bytes(8)))


APIS = {api: version for api, version in (
    ("Produce", 11), ("Fetch", 12), ("ListOffsets", 8), ("Metadata", 12), ("FindCoordinator", 4), ("CreateTopics", 7), ("DeleteTopics", 5),
    ("InitProducerId", 4), ("DescribeConfigs", 4), ("CreatePartitions", 3), ("DescribeCluster", 1))}


@script(topics=NOTHING, api={api: api for api in APIS})
def version_above_the_last(s, api):
    s.send(api, APIS[api], header=request_header(api, 100, 1), data=b"")
    s.receive()


@script(topics=NOTHING, api={api: api for api in APIS})
def version_negative(s, api):
    s.send(api, APIS[api], header=request_header(api, -1, 1), data=b"")
    s.receive()


@script(topics=NOTHING, api={api: api for api in APIS})
def empty_body(s, api):
    s.send(api, APIS[api], data=b"")
    s.receive()


@script(topics=NOTHING, api={api: api for api in APIS})
def body_cut_short(s, api):
    body = message(f"{api}Request").encode(APIS[api], {})
    s.send(api, APIS[api], data=body[:-1])
    s.receive()


@script(topics=NOTHING, api={api: api for api in APIS})
def body_of_garbage(s, api):
    s.send(api, APIS[api], data=b"\xff" * 64)
    s.receive()


@script(topics=NOTHING, api={api: api for api in APIS})
def bytes_behind_the_body(s, api):
    if api not in ("Produce", "InitProducerId", "FindCoordinator"):
        s.send(api, APIS[api], data=message(f"{api}Request").encode(APIS[api], {"Topics": []} if api == "Metadata" else {}) + b"behind")
        s.receive()


@script(topics=NOTHING, size=[-1, -2**31, 2**31 - 1, 104857601])
def frame_length(s, size):
    s.raw(struct.pack(">i", size) + bytes(64))


@script(topics=NOTHING)
def frame_of_no_bytes(s):
    s.raw(framed(b""))


@script(topics=NOTHING, n=[1, 2, 7, 8, 9])
def frame_of_few_bytes(s, n):
    s.raw(framed((struct.pack(">hhih", 3, 1, 1, -1) + bytes(4))[:n]))


@script(topics=NOTHING, data={
    "zeros": bytes(300), "ones": b"\xff" * 300, "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + bytes(300),
    "tls": bytes([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]) + bytes(600),
})
def garbage(s, data):
    s.raw(data, bound=1)


@script(topics=NOTHING)
def frame_cut_by_the_end_of_the_stream(s):
    s.connection(0).send(framed(request_header("Metadata", 12, 1) + bytes(100))[:20])
    s.half_close()
    s.raw(b"")


@script(topics=NOTHING)
def frame_in_pieces(s):
    whole = framed(request_header("Metadata", 12, 101) + message("MetadataRequest").encode(12, {"Topics": []}))
    for i in range(len(whole) - 1):
        s.connection(0).send(whole[i:i + 1])
    s.send_rest("Metadata", 12, whole[-1:])
    s.receive()


@script()
def pipelined_requests_are_answered_in_order(s):
    for _ in range(3):
        s.send("Metadata", 12, {"Topics": [{"Name": s.topic()}]})
        s.send("Produce", 11, produce_body(s, [("t", 0, batch())], 11))
        s.send("ListOffsets", 8, {"ReplicaId": -1, "Topics": [{"Name": s.topic(), "Partitions": [{"PartitionIndex": 0, "Timestamp": -1}]}]})
    for _ in range(9):
        s.receive()


@script()
def pipelined_behind_a_waiting_fetch(s):
    wait = {"ReplicaId": -1, "MaxWaitMs": 100, "MinBytes": 1, "SessionEpoch": -1}
    wait["Topics"] = [{"Topic": s.topic(), "Partitions": [{"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1000}]}]
    s.send("Fetch", 12, wait)
    metadata_body = {"Topics": [{"Name": s.topic()}]}
    s.send("Metadata", 12, metadata_body)
    s.receive()
    s.receive()


@script()
def pipelined_behind_a_bad_request(s):
    s.send("Metadata", 12, {"Topics": []})
    s.send("Metadata", 12, data=b"\xff" * 20)
    s.send("Metadata", 12, {"Topics": []})
    s.receive()
    s.receive()


@script(topics=NOTHING)
def request_header_with_tags(s):
    header = request_header("Metadata", 12, 101)[:-1] + b"\x02\x00\x03abc\x05\x00"
    s.send("Metadata", 12, {"Topics": []}, header=header)
    s.receive()


@script(topics=NOTHING)
def request_header_with_too_many_tags(s):
    header = request_header("Metadata", 12, 101)[:-1] + b"\xff\xff\xff\xff\x07"
    s.send("Metadata", 12, {"Topics": []}, header=header)
    s.receive()


@script(topics=NOTHING)
def array_of_absurd_length(s):
    s.send("Metadata", 12, data=b"\xff\xff\xff\xff\x0f")
    s.receive()
    s.send("Metadata", 1, data=struct.pack(">i", 2**31 - 1), conn=1)
    s.receive(1)
