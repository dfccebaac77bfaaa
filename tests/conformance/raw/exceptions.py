"""Where the development broker's answers differ from Apache Kafka's, and why: all of it. `python exceptions.py` prints it as the page
docs/devbroker-differences.md.
"""

import dataclasses
import fnmatch
import re


@dataclasses.dataclass(frozen=True)
class Difference:
    scripts: str  # a pattern of names, as of files
    api: str
    path: str  # of the field, as the comparison says it, with * for anything; "outcome" is what became of the request
    reason: str

    def covers(self, script, api, path):
        """[*] stands for one item of a list, whatever its name; a * at the end for everything below."""
        pattern = re.escape(self.path).replace(r"\[\*\]", r"\[[^\]]*\]").replace(r"\*", ".*")
        return fnmatch.fnmatchcase(script, self.scripts) and fnmatch.fnmatchcase(api, self.api) and re.fullmatch(pattern, path)

    def scripts_of(self, names):
        return set(fnmatch.filter(names, self.scripts))


ENTRIES = "A topic that stands in several entries of a request is answered in as many; Kafka's answer joins them."
LAX = "Kafka looks at a compressed record only in part and stores what no consumer can read; here it is refused like an uncompressed one."
AT_ONCE = "A topic that Metadata creates is there in the same answer; Kafka says UNKNOWN_TOPIC_OR_PARTITION until it has made it."
CONFIGURED = "Kafka is started with log.segment.delete.delay.ms=1000 for these tests: no difference of the brokers."

DIFFERENCES = [
    Difference("api_versions*", "ApiVersions", "ApiKeys[*]", "APIs that are not offered (membership of groups, ACLs and others) are not listed."),
    Difference("unknown_api_74", "raw", "outcome", "ListConfigResources is not offered: the connection is closed."),
    Difference("fetch_session_*", "Fetch", "SessionId", "No fetch sessions are made: the id is 0, as KIP-227 allows."),
    Difference("produce_null_records_*", "Produce", "outcome", "Null records are INVALID_RECORD; Kafka's handler fails and never answers."),
    Difference("metadata_creates*", "Metadata", "Topics[*].*", AT_ONCE),
    Difference("produce_same_topic_twice", "Produce", "Responses[*]", ENTRIES),
    Difference("fetch_topic_in_two_entries", "Fetch", "Responses[*]", ENTRIES),
    Difference("offsets_topic_in_two_entries", "ListOffsets", "Topics[*]", ENTRIES),
    Difference("compressed_record_length_*", "*", "Responses[*].*", LAX),
    Difference("*_record_key_length_minus_2", "*", "Responses[*].*", "A key length below -1 is INVALID_RECORD; Kafka reads null."),
    Difference("batch_record_endless_varint", "Produce", "*.ErrorCode", "INVALID_RECORD, as for every other unreadable record; Kafka: UNKNOWN_SERVER_ERROR."),
    Difference("produce_codec_with_bytes_behind_*", "Produce", "Responses[*].*", "Bytes behind the compressed data are refused; Kafka ignores those behind gzip and lz4."),
    Difference("configs_with_documentation", "DescribeConfigs", "*.Documentation", "Kafka's texts about its properties are not copied."),
    Difference("*", "CreateTopics", "Topics[*].Configs[file.delete.delay.ms].*", CONFIGURED),
    Difference("*", "DescribeConfigs", "Results[*].Configs[file.delete.delay.ms].*", CONFIGURED),
]

HEAD = """# Where the development broker's answers differ from Apache Kafka's

`tests/conformance/raw` sends the same requests to the development broker and to Apache Kafka 4.3.1 and compares the answers field by
field. These are all the differences that it allows. An entry that is not met any more fails the tests, and so does this page when it is
not what `python tests/conformance/raw/exceptions.py` prints.

| API | field | in these scripts | what differs, and why |
|---|---|---|---|
"""


def page():
    return HEAD + "".join(f"| {d.api} | `{d.path}` | `{d.scripts}` | {d.reason} |\n" for d in DIFFERENCES)


if __name__ == "__main__":
    print(page(), end="")
