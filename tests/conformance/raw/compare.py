"""Making what must differ equal by symbol, and comparing two transcripts field by field.

The first producer id of a transcript is PID1, the second PID2, and so on, likewise topic ids: so equal stays equal and different stays
different. Ports, cluster ids, session ids and times of now are one symbol each.
"""

import base64
import re
import time

from batch import parse

NOW_MS = 600_000  # a time this near to now is NOW
IDENTITY = ("Name", "TopicName", "Topic", "TopicId", "PartitionIndex", "Index", "Partition", "Key", "ResourceName", "NodeId", "ApiKey")
NO_FIELD = "(no such field)"


class Symbols:
    def __init__(self, port, cluster_id, topics, topic_ids):
        self.port, self.cluster_id, self.topics = port, cluster_id, topics
        self.ids, self.now_ms = {"TOPIC": dict(topic_ids)}, int(time.time() * 1000)

    def symbol(self, kind, value):
        known = self.ids.setdefault(kind, {})
        return known.setdefault(value, f"{kind}{len(known) + 1}")

    def topic_id(self, value):
        is_made_up = value == value[:1] * 16  # by the script, or zero
        return value.hex() if is_made_up else self.symbol("TOPIC", value)

    def is_now(self, ms):
        return abs(ms - self.now_ms) < NOW_MS

    def number(self, name, value):
        if name == "Port" and value == self.port:
            return "PORT"
        if name == "ProducerId" and value >= 0:
            return self.symbol("PID", value)
        if name == "SessionId" and value:
            return "SESSION"
        if name == "FinalizedFeaturesEpoch" and value >= 0:
            return "EPOCH"
        return "NOW" if self.is_now(value) else value

    def text(self, value):
        if value == self.cluster_id:
            return "CLUSTER"
        value = re.sub(r"(?<!\d)-?\d{13,}(?!\d)", lambda m: self.window(m[0]), value)
        for topic_id, symbol in self.ids.get("TOPIC", {}).items():
            value = value.replace(base64.urlsafe_b64encode(topic_id).decode().rstrip("="), symbol)
        return value

    def window(self, number):
        """A time in a text, which may be now and a bound of message.timestamp.*.max.ms."""
        distances = {"NOW": 0, "NOW+1h": 3600_000, "NOW+2.5h": 9000_000, "NOW-2.5h": -9000_000, "NOW-max": 1 - 2**63}
        return next((name for name, distance in distances.items() if self.is_now(int(number) - distance)), number)

    def value(self, name, value):
        if isinstance(value, dict):
            return {k: self.value(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return ordered([self.value(name, v) for v in ordered(self.own(value))])
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self.number(name, value)
        if isinstance(value, str):
            return self.text(value)
        if name == "Records" and isinstance(value, bytes):
            return [self.value(name, b) for b in parse(value)]
        if isinstance(value, bytes):
            return self.topic_id(value) if name == "TopicId" else value.hex()
        return value

    def own(self, items):
        """Of all topics that Metadata names, those of the script."""
        if not items or not isinstance(items[0], dict) or not {"Partitions", "ErrorCode", "Name"} <= set(items[0]):
            return items
        return [t for t in items if t["Name"] is None or t["ErrorCode"] or t["Name"].startswith(self.topics)]


def ordered(items):
    """In the order of the items' names, because Kafka's order is that of its hash maps."""
    return sorted(items, key=identity) if items and isinstance(items[0], dict) else items


def identity(item):
    return [str(item[name]) for name in IDENTITY if item.get(name) is not None]


def by_identity(items):
    """{words to tell an item by: item}, or {its place: item} when words do not tell them apart."""
    names = [next(iter(identity(item)), "") if isinstance(item, dict) else "" for item in items]
    return dict(zip(names if all(names) and len(set(names)) == len(names) else map(str, range(len(items))), items))


def differences(a, b, path=""):
    """(path, value of a, value of b) of each field that differs."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in [*a, *(n for n in b if n not in a)]:
            yield from differences(a.get(name, NO_FIELD), b.get(name, NO_FIELD), f"{path}.{name}" if path else name)
    elif isinstance(a, list) and isinstance(b, list):
        yield from items_that_differ(by_identity(a), by_identity(b), path)
    elif a != b or type(a) is not type(b):
        yield path, a, b


def items_that_differ(a, b, path):
    for name in [*a, *(n for n in b if n not in a)]:
        yield from differences(a.get(name, NO_FIELD), b.get(name, NO_FIELD), f"{path}[{name}]")


def compare(ours, theirs):
    """(step, api, path, ours, theirs) of each field that differs between two lists of steps, which are normalised."""
    assert len(ours) == len(theirs), f"{len(ours)} steps with the development broker, {len(theirs)} with Kafka"
    for a, b in zip(ours, theirs):
        if a.outcome != b.outcome:
            yield a.label, a.api, "outcome", a.outcome, b.outcome
        else:
            for path, x, y in differences(a.body, b.body):
                yield a.label, a.api, path, x, y
