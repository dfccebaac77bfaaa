"""Kafka's messages, encoded and decoded by Kafka's own schemas (common/message/*.json of the clients jar). Nothing of ours takes part.

A message is a dictionary with the fields' names as the schema spells them; what is left out has its default. `Raw` stands for bytes that
are no value of the field's type; `_tags` for tagged fields that the schema does not know.
"""

import dataclasses
import functools
import json
import os
import pathlib
import struct
import zipfile

JAR = "kafka-clients-4.3.1.jar"
NUMBERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}
NO_ID = bytes(16)


@dataclasses.dataclass
class Raw:
    """Bytes to send in the place of a field, as they are."""

    bytes: bytes


@functools.cache
def jar():
    return zipfile.ZipFile(pathlib.Path(os.environ["KAFKA_JARS"]) / JAR)


def load(name):
    text = jar().read(f"common/message/{name}.json").decode()
    return json.loads("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))


class Versions:
    """'3+', '0-12', '3' or 'none'."""

    def __init__(self, text):
        first, _, last = text.partition("-")
        if text == "none":
            self.first, self.last = 1, 0
        elif text.endswith("+"):
            self.first, self.last = int(text[:-1]), 2**15
        else:
            self.first, self.last = int(first), int(last or first)

    def __contains__(self, version):
        return self.first <= version <= self.last


class Field:
    def __init__(self, spec, structs):
        self.name, self.type = spec["name"], spec["type"]
        self.versions = Versions(spec["versions"])
        self.nullable = Versions(spec.get("nullableVersions", "none"))
        self.tagged = Versions(spec.get("taggedVersions", "none"))
        self.tag, self.spec = spec.get("tag"), spec
        element = self.type.removeprefix("[]")
        of_struct = spec.get("fields") or structs.get(element)
        self.fields = [Field(f, structs) for f in of_struct] if of_struct else None

    @property
    def default(self):
        text = str(self.spec.get("default", ""))
        if text == "null":
            return None
        if self.type.startswith("[]"):
            return []
        if self.fields is not None:
            return {f.name: f.default for f in self.fields}
        if self.type == "bool":
            return text.lower() == "true"
        if self.type in NUMBERS:
            return float(text or 0) if self.type == "float64" else int(text or "0", 0)
        return NO_ID if self.type == "uuid" else text if self.type == "string" else b""


class Message:
    def __init__(self, name):
        spec = load(name)
        structs = {s["name"]: s["fields"] for s in spec.get("commonStructs", [])}
        self.name, self.key = name, spec.get("apiKey")
        self.valid, self.flexible = Versions(spec["validVersions"]), Versions(spec.get("flexibleVersions", "none"))
        self.fields = [Field(f, structs) for f in spec["fields"]]

    def encode(self, version, value):
        return Writer(version, version in self.flexible).struct(self.fields, value)

    def decode(self, version, data):
        """The message, and the bytes behind it."""
        reader = Reader(data, version, version in self.flexible)
        return reader.struct(self.fields), reader.rest()


@functools.cache
def message(name):
    return Message(name)


def uvarint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


class Writer:
    def __init__(self, version, flexible):
        self.version, self.flexible = version, flexible

    def struct(self, fields, value):
        unknown = set(value) - {f.name for f in fields} - {"_tags"}
        assert not unknown, f"no fields of the schema: {', '.join(sorted(unknown))}"
        out, tags = b"", dict(value.get("_tags", {}))
        for f in fields:
            if self.version not in f.versions:
                continue
            v = value.get(f.name, f.default)
            if self.version in f.tagged:
                if v != f.default:
                    tags[f.tag] = self.value(f, f.type, v)
            else:
                out += self.value(f, f.type, v)
        return out + (self.tags(tags) if self.flexible else b"")

    @staticmethod
    def tags(tags):
        return uvarint(len(tags)) + b"".join(uvarint(tag) + uvarint(len(data)) + data for tag, data in sorted(tags.items()))

    def length(self, n, short=False):
        """Of a string (short), or of bytes or an array; None: null."""
        if self.flexible:
            return uvarint(0 if n is None else n + 1)
        return struct.pack(">h" if short else ">i", -1 if n is None else n)

    def value(self, f, kind, v):
        if isinstance(v, Raw):
            return v.bytes
        if kind.startswith("[]"):
            return self.length(v if v is None else len(v)) + b"".join(self.value(f, kind[2:], item) for item in v or [])
        if kind in NUMBERS:
            return struct.pack(NUMBERS[kind], v)
        if kind == "bool":
            return bytes([v])
        if kind == "uuid":
            return v
        if kind in ("string", "bytes", "records"):
            data = v.encode() if isinstance(v, str) else v
            return self.length(data if data is None else len(data), kind == "string") + (data or b"")
        mark = b""
        if self.version in f.nullable and not f.type.startswith("[]"):
            mark = b"\xff" if v is None else b"\x01"
        return mark + (b"" if v is None else self.struct(f.fields, v))


class Reader:
    def __init__(self, data, version, flexible):
        self.data, self.at, self.version, self.flexible = data, 0, version, flexible

    def rest(self):
        return self.data[self.at:]

    def take(self, n):
        assert 0 <= n <= len(self.data) - self.at, f"{n} bytes wanted at {self.at} of {len(self.data)}"
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def length(self, short=False):
        n = self.uvarint() - 1 if self.flexible else self.number(">h" if short else ">i")
        return None if n < 0 else n

    def struct(self, fields):
        out = {}
        for f in fields:
            if self.version in f.versions:
                out[f.name] = f.default if self.version in f.tagged else self.value(f, f.type)
        if self.flexible:
            self.tags({f.tag: f for f in fields if self.version in f.tagged}, out)
        return out

    def tags(self, known, out):
        for _ in range(self.uvarint()):
            tag, data = self.uvarint(), self.take(self.uvarint())
            if tag in known:
                inner = Reader(data, self.version, self.flexible)
                out[known[tag].name] = inner.value(known[tag], known[tag].type)
                assert not inner.rest(), f"bytes left behind in tag {tag}"
            else:
                out.setdefault("_tags", {})[tag] = data

    def value(self, f, kind):
        if kind.startswith("[]"):
            n = self.length()
            return None if n is None else [self.value(f, kind[2:]) for _ in range(n)]
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind == "bool":
            return bool(self.take(1)[0])
        if kind == "uuid":
            return self.take(16)
        if kind in ("string", "bytes", "records"):
            n = self.length(kind == "string")
            data = None if n is None else self.take(n)
            return data.decode() if kind == "string" and data is not None else data
        if self.version in f.nullable and not f.type.startswith("[]") and self.number(">b") < 0:
            return None
        return self.struct(f.fields)
