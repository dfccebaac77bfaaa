"""Record batches (magic 2) and message sets (magic 0 and 1), in which everything can be set, also to what is wrong."""

import gzip
import struct
import zlib

BASE = 1_600_000_000_000  # the time of records that say no other: no broker's now

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL, DELETE_HORIZON = 8, 16, 32, 64


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = (n << 1 ^ n >> 63) & 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def sized(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(value=b"v", key=None, headers=(), time=0, offset=0, attributes=0, **broken):
    """One record. broken: length, n_headers, and key_length and value_length, say what is not so."""
    key_bytes = sized(key) if "key_length" not in broken else varint(broken["key_length"]) + (key or b"")
    value_bytes = sized(value) if "value_length" not in broken else varint(broken["value_length"]) + (value or b"")
    body = bytes([attributes]) + varint(time) + varint(offset) + key_bytes + value_bytes
    body += varint(broken.get("n_headers", len(headers))) + b"".join(sized(k) + sized(v) for k, v in headers)
    return varint(broken.get("length", len(body))) + body


def records(*values, **same):
    return b"".join(record(value, offset=i, **same) for i, value in enumerate(values))


def batch(*values, codec=NONE, payload=None, **f):
    """A batch of these values (one, "v", when there are none). `payload`: the records' bytes themselves. The rest are header fields."""
    values = values or (b"v",)
    if payload is None:
        payload = records(*values)
    count = f.get("count", len(values))
    attributes = f.get("attributes", 0) | codec
    payload = f["compressed"] if "compressed" in f else COMPRESS[codec](payload)
    tail = struct.pack(
        ">hiqqqhii",
        attributes,
        f.get("last_offset_delta", count - 1),
        f.get("base_timestamp", BASE),
        f.get("max_timestamp", f.get("base_timestamp", BASE)),
        f.get("producer_id", -1),
        f.get("epoch", -1 if f.get("producer_id", -1) < 0 else 0),
        f.get("sequence", -1),
        count,
    ) + payload
    crc = f.get("crc", crc32c(tail) ^ f.get("crc_xor", 0))
    length = f.get("length", len(tail) + 9)
    return struct.pack(">qiibI", f.get("base_offset", 0), length, f.get("leader_epoch", -1), f.get("magic", 2), crc) + tail


def old_message(value=b"v", key=None, magic=1, attributes=0, timestamp=BASE, crc_xor=0):
    """A message set of one message."""
    body = struct.pack(">bb", magic, attributes) + (struct.pack(">q", timestamp) if magic else b"")
    for data in key, value:
        body += struct.pack(">i", -1 if data is None else len(data)) + (data or b"")
    message = struct.pack(">I", zlib.crc32(body) ^ crc_xor) + body
    return struct.pack(">qi", 0, len(message)) + message


def snappy_block(data):
    """Literals only, at most 60 bytes each."""
    size, out = len(data), b""
    while size > 127:
        out += bytes([size & 127 | 128])
        size >>= 7
    out += bytes([size])
    for i in range(0, len(data), 60):
        part = data[i:i + 60]
        out += bytes([len(part) - 1 << 2]) + part
    return out


def snappy(data):
    """Java's framing (xerial)."""
    block = snappy_block(data)
    return b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, len(block)) + block


def rotate(n, by):
    return (n << by | n >> 32 - by) & 0xFFFFFFFF


def xxh32(data):
    """Of less than four bytes."""
    p2, p3, p5 = 2246822519, 3266489917, 374761393
    h = p5 + len(data) & 0xFFFFFFFF
    for byte in data:
        h = rotate(h + byte * p5 & 0xFFFFFFFF, 11) * 2654435761 & 0xFFFFFFFF
    h = (h ^ h >> 15) * p2 & 0xFFFFFFFF
    h = (h ^ h >> 13) * p3 & 0xFFFFFFFF
    return h ^ h >> 16


def lz4(data):
    """A frame of one stored block of at most 64 KiB."""
    descriptor = bytes([0x60, 0x40])
    checksum = xxh32(descriptor) >> 8 & 255
    return struct.pack("<I", 0x184D2204) + descriptor + bytes([checksum]) + struct.pack("<I", len(data) | 1 << 31) + data + bytes(4)


def zstd(data):
    """A frame of one raw block."""
    return struct.pack("<IBB", 0xFD2FB528, 0x00, 0x58) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


COMPRESS = {NONE: bytes, GZIP: lambda data: gzip.compress(data, mtime=0), SNAPPY: snappy, LZ4: lz4, ZSTD: zstd}
COMPRESS |= {n: bytes for n in (5, 6, 7)}


def marker(payload):
    """The one record of a control batch; the coordinator's epoch, which rises with each restart of Kafka, as whether there is one."""
    epoch = int.from_bytes(payload[-5:-1], "big", signed=True)
    return {"Record": payload[:-5], "HasCoordinatorEpoch": epoch >= 0, "Rest": payload[-1:]}


def parse(data):
    """What a log holds, batch by batch, for comparing: the crc as whether it is right."""
    out = []
    while len(data) >= 61:
        base, length, leader_epoch, magic, crc = struct.unpack(">qiibI", data[:21])
        whole, data = data[:12 + length], data[12 + length:]
        if len(whole) < 12 + length or magic != 2:
            return out + [{"Cut": whole}]
        names = ("Attributes", "LastOffsetDelta", "BaseTimestamp", "MaxTimestamp", "ProducerId", "ProducerEpoch", "BaseSequence", "Count")
        fields = dict(zip(names, struct.unpack(">hiqqqhii", whole[21:61])))
        head = {"BaseOffset": base, "Length": length, "PartitionLeaderEpoch": leader_epoch, "Magic": magic}
        payload = {"Marker": marker(whole[61:])} if fields["Attributes"] & CONTROL else {"Payload": whole[61:]}
        out.append(head | {"CrcIsRight": crc == crc32c(whole[21:])} | fields | payload)
    return out + ([{"Rest": data}] if data else [])
