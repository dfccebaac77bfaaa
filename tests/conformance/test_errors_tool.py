"""`kproducer errors`: what a code means, for the one on call."""

import re

import pytest

from command import REPOSITORY, kproducer


def errors(*args, code=0):
    result = kproducer("errors", *args)
    assert result.code == code, result
    return result


def test_all_codes_are_listed():
    lines = errors().out.decode().splitlines()
    codes = [int(line.split()[0]) for line in lines]
    assert codes[:135] == list(range(-1, 134)) and codes[135:] == list(range(-1001, -1001 - len(codes[135:]), -1))
    table = errors("--json").json
    assert [entry["code"] for entry in table] == codes
    assert [entry["name"] for entry in table] == [line.split()[1] for line in lines]
    page = (REPOSITORY / "docs" / "errors.md").read_text()
    assert [(int(code), name) for code, name in re.findall(r"^\| (-?\d+) \| `(\w+)` ", page, re.M)] == [(e["code"], e["name"]) for e in table]


@pytest.mark.parametrize("asked", ["6", "NOT_LEADER_OR_FOLLOWER", "not-leader-or-follower", "NotLeaderOrFollowerException", "KP_ERR_NOT_LEADER_OR_FOLLOWER"])
def test_a_code_is_found_by_number_and_by_each_of_its_names(asked):
    assert errors(asked, "--json").json == {
        "code": 6, "name": "NOT_LEADER_OR_FOLLOWER", "class": "refresh", "retriable": True, "scope": "partition", "append": "maybe",
        "on_produce": "sends the batch to the leader that the answer or new metadata names",
        "on_metadata": "keeps the topic's records and asks again after a pause", "text": "the broker does not lead the partition any more",
        "advice": errors(asked).out.decode().partition("\n\n")[2].replace("\n", " ").strip()}


def test_each_name_in_javas_spelling_finds_its_code():
    table = errors("--json").json
    for entry in table[::7]:
        java = "".join(word.capitalize() for word in entry["name"].split("_"))
        java += "" if java.endswith("Exception") else "Exception"
        assert errors(java, "--json").json == entry


def test_several_codes_and_negative_ones_in_any_order():
    assert [entry["code"] for entry in errors("-1", "--json", "-1003", "10").json] == [-1, -1003, 10]
    text = errors("--", "-1", "6").out.decode()
    assert text.startswith("UNKNOWN_SERVER_ERROR (-1)\n") and "\n\nNOT_LEADER_OR_FOLLOWER (6)\n" in text
    local = errors("DELIVERY_TIMEOUT", "--json").json
    assert local["code"] == -1003 and local["append"] is local["on_produce"] is local["on_metadata"] is None


@pytest.mark.parametrize("asked, says", [
    ("134", "134 is no error code: Kafka's go from -1 to 133"), ("-2", "-2 is no error code"), ("99999999999999999999", "is no error code"),
    ("MESAGE_TO_LARGE", "'MESAGE_TO_LARGE' is no error code, did you mean MESSAGE_TOO_LARGE?"), ("", "'' is no error code"), ("x" * 5000, "is no error code"),
])
def test_what_is_no_code_is_told(asked, says):
    result = errors(asked, "6", code=2)
    assert len(result.lines) == 1 and says in result.err
    assert result.out.startswith(b"NOT_LEADER_OR_FOLLOWER (6)\n")
