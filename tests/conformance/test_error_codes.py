"""Every error code of Apache Kafka as the answer to Produce, through the command: outcome, exit code, what stands in --failed.

The expectations are written from Kafka's sources, not from our table. One topic a code: "once-N" answers its first request with N, "always-N" each.
"""

import concurrent.futures
import json

import pytest

from command import kproducer

CODES = [code for code in range(-1, 134) if code]
REFRESH = {3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103}
RETRY = REFRESH | {2, 7, 14, 15, 16, 19, 20, 41, 51, 70, 71, 75, 78, 88, 89, 106, 122, 123, 133}
SEQUENCE = {45, 47, 59}
DUPLICATE = 46
BEFORE_THE_APPEND = {2, 10, 17, 18, 19, 21, 29, 32, 48, 49, 51, 53, 76, 87, 90, 120} | SEQUENCE
QUICK = ["-X", "delivery.timeout.ms=400", "-X", "request.timeout.ms=300", "-X", "linger.ms=0", "-X", "retry.backoff.ms=20", "-X", "retry.backoff.max.ms=50"]


@pytest.fixture(scope="module")
def names():
    return {entry["code"]: entry["name"] for entry in kproducer("errors", "--json").json}


@pytest.fixture
def answers(own_devbroker, lines):
    rules = [f"on produce topic=once-{code} first=1: error {code}\non produce topic=always-{code}: error {code}" for code in CODES]
    return own_devbroker("-q", "--fault", lines("\n".join(rules).encode(), "script"))


def for_each(codes, check):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(check, codes))


def send(broker, topic, folder, *options):
    failed = folder / f"{topic}.failed"
    result = kproducer("produce", "-b", broker.servers, "-t", topic, "--failed", failed, "--json", *QUICK, *options, stdin=b"value\n")
    entries = [json.loads(line) for line in failed.read_text().splitlines()] if failed.exists() else []
    return result, entries


def check_failed(result, entries, outcome, error):
    assert result.code == 1, result
    assert [(e["outcome"], e["error"], e["value"]) for e in entries] == [(outcome, error, "value")]
    assert result.json[outcome.lower()] == 1 and [e["name"] for e in result.json["errors"]] == [error]
    assert error in result.err


def test_each_code_that_passes_or_ends_the_record(answers, tmp_path, names):
    def check(code):
        result, entries = send(answers, f"once-{code}", tmp_path, "-X", "delivery.timeout.ms=20000")
        if code in RETRY | SEQUENCE | {DUPLICATE}:
            assert (result.code, result.json["persisted"], entries) == (0, 1, []), result
        else:
            check_failed(result, entries, "NOT_PERSISTED" if code in BEFORE_THE_APPEND else "UNKNOWN", names[code])

    for_each(CODES, check)


def test_each_code_that_never_passes_ends_by_the_deadline(answers, tmp_path):
    def check(code):
        result, entries = send(answers, f"always-{code}", tmp_path)
        check_failed(result, entries, "NOT_PERSISTED" if code in BEFORE_THE_APPEND else "UNKNOWN", "DELIVERY_TIMEOUT")

    for_each(sorted(RETRY), check)


def test_each_code_about_the_sequence_is_final_without_idempotence(answers, tmp_path, names):
    def check(code):
        result, entries = send(answers, f"always-{code}", tmp_path, "-X", "enable.idempotence=false", "-X", "acks=1")
        check_failed(result, entries, "NOT_PERSISTED", names[code])

    for_each(sorted(SEQUENCE), check)


def test_no_code_comes_without_acks(answers, tmp_path):
    def check(code):
        result, entries = send(answers, f"always-{code}", tmp_path, "-X", "acks=0")
        assert (result.code, result.json["unacknowledged"], entries) == (0, 1, []), result

    for_each([6, 10, 29, 87], check)
