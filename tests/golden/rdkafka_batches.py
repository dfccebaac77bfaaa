#!/usr/bin/env python3
"""Writes records/rdkafka-*.bin: the record batches that librdkafka (librdkafka.so.1, by ctypes) puts into Produce requests.

A broker of three answers (ApiVersions, Metadata, InitProducerId) takes the requests and keeps the first Produce request's
batch. The .txt beside each file comes from java/GoldenBatches.java. Argument: the folder.
"""
import ctypes
import pathlib
import socket
import struct
import sys
import threading

PRODUCE, METADATA, API_VERSIONS, INIT_PRODUCER_ID = 0, 3, 18, 22
VERSIONS = {PRODUCE: 7, 1: 11, 2: 2, METADATA: 2, 10: 2, API_VERSIONS: 0, INIT_PRODUCER_ID: 0}  # highest of each
T0 = 1700000000000


def text(s):
    return struct.pack(">h", len(s)) + s.encode()


class Broker(threading.Thread):
    """Serves every connection until a Produce request is there; its batch is then in `batch`."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.batch = None
        self.captured = threading.Event()

    def run(self):
        while True:
            conn, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        stream = conn.makefile("rb")
        while len(head := stream.read(4)) == 4:
            request = stream.read(struct.unpack(">i", head)[0])
            key, version, correlation, client_len = struct.unpack_from(">hhih", request)
            body = request[10 + client_len:]
            answer = self.answer(key, version, body)
            if answer is None:
                return
            answer = struct.pack(">i", correlation) + answer
            conn.sendall(struct.pack(">i", len(answer)) + answer)

    def answer(self, key, version, body):
        if key == API_VERSIONS:
            table = b"".join(struct.pack(">hhh", k, 0, v) for k, v in VERSIONS.items())
            error = 0 if version == 0 else 35  # UNSUPPORTED_VERSION: ask again with 0
            return struct.pack(">hi", error, len(VERSIONS)) + table
        if key == METADATA:
            broker = struct.pack(">ii", 1, 1) + text("127.0.0.1") + struct.pack(">ih", self.port, -1)
            partition = struct.pack(">hiiiiii", 0, 0, 1, 1, 1, 1, 1)
            topic = struct.pack(">ih", 1, 0) + text("golden") + struct.pack(">bi", 0, 1) + partition
            return broker + text("cluster") + struct.pack(">i", 1) + topic
        if key == INIT_PRODUCER_ID:
            return struct.pack(">ihqh", 0, 0, 4711, 3)
        if key == PRODUCE:
            self.keep(body)
        return None

    def keep(self, body):
        at = 2 if body[:2] == b"\xff\xff" else 2 + struct.unpack_from(">h", body)[0]  # transactional id
        at += 2 + 4 + 4  # acks, timeout, number of topics
        at += 2 + struct.unpack_from(">h", body, at)[0] + 4 + 4  # topic, number of partitions, partition
        size = struct.unpack_from(">i", body, at)[0]
        self.batch = body[at + 4:at + 4 + size]
        self.captured.set()


class Client:
    """As much of librdkafka as is needed to send records with fixed times to partition 0."""
    END, TOPIC, PARTITION, VALUE, KEY, MSGFLAGS, TIMESTAMP, HEADER = 0, 1, 3, 4, 5, 7, 8, 9

    def __init__(self, settings):
        self.lib = lib = ctypes.CDLL("librdkafka.so.1")
        for name in ("rd_kafka_conf_new", "rd_kafka_new"):
            getattr(lib, name).restype = ctypes.c_void_p
        error = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
        for name, value in settings.items():
            if lib.rd_kafka_conf_set(conf, name.encode(), str(value).encode(), error, ctypes.c_size_t(512)):
                raise RuntimeError(error.value)
        self.handle = ctypes.c_void_p(lib.rd_kafka_new(0, conf, error, ctypes.c_size_t(512)))

    def send(self, timestamp, key, value, headers=()):
        args = [self.TOPIC, b"golden", self.PARTITION, 0, self.MSGFLAGS, 2, self.TIMESTAMP, ctypes.c_int64(timestamp),
                self.VALUE, value, ctypes.c_size_t(len(value or b"")), self.KEY, key, ctypes.c_size_t(len(key or b""))]
        for name, header in headers:
            args += [self.HEADER, name, header, ctypes.c_ssize_t(len(header or b""))]
        if self.lib.rd_kafka_producev(self.handle, *args, self.END):
            raise RuntimeError("rd_kafka_producev")


def send_small(client):
    client.send(T0, b"key", b"value")
    client.send(T0 + 5, None, b"no key")
    client.send(T0 - 86400000, b"tombstone, a day early", None)
    client.send(T0 + 1, b"", b"")
    client.send(T0 + 2, b"h", b"with headers", [(b"trace", b"\x01\xff"), (b"null", None), (b"empty", b"")])
    client.send(T0 + 3, b"k" * 63, b"v" * 8192)


def send_large(client):
    for i in range(80):
        client.send(T0 + i, b"key-%d" % i, b"record-%d " % i * 100)


def capture(codec, idempotent, send):
    broker = Broker()
    broker.start()
    client = Client({"bootstrap.servers": f"127.0.0.1:{broker.port}", "compression.codec": codec, "linger.ms": 500,
                     "enable.idempotence": str(idempotent).lower(), "log_level": 0})
    send(client)
    if not broker.captured.wait(20):
        raise RuntimeError("librdkafka sent no Produce request")
    return broker.batch


def main():
    folder = pathlib.Path(sys.argv[1])
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        (folder / f"rdkafka-{codec}.bin").write_bytes(capture(codec, True, send_small))
        if codec != "none":
            (folder / f"rdkafka-{codec}-large.bin").write_bytes(capture(codec, False, send_large))


main()
