"""Our field tables against the message schemas in the Kafka clients jar: every field, both ways.

KAFKA_JARS is a folder with the Kafka jars, KP_BUILD the build folder (for schema_dump).
"""

import json
import os
import pathlib
import subprocess
import zipfile

import pytest

from brokers import KAFKAS

NUMBERS = {"int8", "int16", "uint16", "int32", "uint32", "int64", "float64"}
VERSION = KAFKAS["kafka"][0]


def our_messages():
    dump = pathlib.Path(os.environ.get("KP_BUILD", "build")) / "schema_dump"
    return {m["name"]: m for m in json.loads(subprocess.check_output([str(dump)]))}


def kafka_schema(name):
    jar = pathlib.Path(os.environ["KAFKA_JARS"]) / f"kafka-clients-{VERSION}.jar"
    with zipfile.ZipFile(jar) as z:
        text = z.read(f"common/message/{name}.json").decode()
    return json.loads("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))


def versions(text):
    """'3+', '0-12', '3' or 'none', as (first, last)."""
    if text == "none":
        return None
    if text.endswith("+"):
        return int(text[:-1]), None
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def default(field):
    """The default as one spelling: 0x7fffffff is 2147483647, and no default is the type's own."""
    value = str(field.get("default", "")).lower()
    if field["type"] in NUMBERS:
        return int(value or "0", 0)
    if field["type"] == "bool":
        return value == "true"
    return value


def truth(value):
    return str(value).lower() == "true"


def flat(fields, path, common, out):
    for position, field in enumerate(fields):
        here = f"{path}.{field['name']}"
        out[here] = {
            "position": position,
            "type": field["type"],
            "versions": versions(field["versions"]),
            "nullableVersions": versions(field.get("nullableVersions", "none")),
            "taggedVersions": versions(field.get("taggedVersions", "none")),
            "tag": field.get("tag"),
            "default": default(field),
            "ignorable": truth(field.get("ignorable", False)),
            "flexibleVersions": field.get("flexibleVersions"),
        }
        sub = field.get("fields") or common.get(field["type"].removeprefix("[]"))
        if sub:
            flat(sub, here, common, out)
    return out


def fields_of(schema):
    common = {s["name"]: s["fields"] for s in schema.get("commonStructs", [])}
    return flat(schema["fields"], schema["name"], common, {})


def head_of(schema):
    return {
        "type": schema["type"],
        "apiKey": schema.get("apiKey"),
        "validVersions": versions(schema["validVersions"]),
        "flexibleVersions": versions(schema["flexibleVersions"]),
        "latestVersionUnstable": truth(schema.get("latestVersionUnstable", False)),
    }


if "KAFKA_JARS" not in os.environ:
    raise RuntimeError("KAFKA_JARS names the folder of Kafka's jars (scripts/setup --test)")

OURS = our_messages()


def test_every_api_has_request_and_response():
    keys = {kind: {m["apiKey"] for m in OURS.values() if m["type"] == kind} for kind in ("request", "response")}
    assert keys["request"] == keys["response"]
    assert {0, 1, 2, 3, 8, 9, 10, 18, 19, 20, 22, 24, 25, 26, 27, 28, 32, 37, 60} <= keys["request"]
    assert {"RequestHeader", "ResponseHeader"} <= OURS.keys()


@pytest.mark.parametrize("name", sorted(OURS))
def test_message_is_kafkas(name):
    kafka = kafka_schema(name)
    assert head_of(OURS[name]) == head_of(kafka)
    ours, theirs = fields_of(OURS[name]), fields_of(kafka)
    assert sorted(theirs.keys() - ours.keys()) == [], "fields that our table lacks"
    assert sorted(ours.keys() - theirs.keys()) == [], "fields that Kafka does not have"
    for path in theirs:
        assert ours[path] == theirs[path], path


def test_versions_of_kafka_that_are_promised_are_run():
    runs = {(version.rpartition(".")[0], run) for version, run in KAFKAS.values()}
    assert {("4.3", "test"), ("3.9", "test"), ("4.0", "full"), ("2.8", "full")} <= runs
