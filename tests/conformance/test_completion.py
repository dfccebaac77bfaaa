"""Completion in bash: the script is sourced, and completes command lines as readline would have it do."""

import os
import shlex

import pytest

from command import KPRODUCER, REPOSITORY, kproducer, run

SCRIPT = REPOSITORY / "cli" / "kproducer.bash"

# Words are cut as readline cuts them: at blanks, and before and after the characters of `breaks`.
DRIVER = r"""
set -u
source {script}
COMP_WORDBREAKS=$' \t\n"\'><;|&('{breaks}
COMP_LINE={line} COMP_POINT=${{#COMP_LINE}} COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ echo "option ${{*: -1}}"; }}
cd {folder}
_kproducer
printf 'word %s\n' "${{COMPREPLY[@]}}"
"""


def cut(line, breaks):
    words, word = [], ""
    for c in line + " ":
        if c == " " or c in breaks or (word and word[-1] in breaks):
            if word:
                words.append(word)
            word = ""
        word += c if c != " " else ""
    return words + ([""] if line.endswith(" ") else [])


def complete(rest, folder=".", breaks="=:"):
    """(words, options of compopt) for "kproducer" + rest."""
    line = f"{KPRODUCER} {rest}"
    words = " ".join(shlex.quote(word) for word in cut(line, breaks))
    script = DRIVER.format(script=shlex.quote(str(SCRIPT)), line=shlex.quote(line), words=words, folder=shlex.quote(str(folder)), breaks=breaks)
    done = run(["bash", "--norc", "-c", script])
    assert done.code == 0 and not done.err, done
    said = [line.partition(" ") for line in done.out.decode().splitlines()]
    return [word for kind, _, word in said if kind == "word" and word], [word for kind, _, word in said if kind == "option"]


def words(rest, folder="."):
    return complete(rest, folder)[0]


@pytest.mark.parametrize("rest, expected", [
    ("", {"produce", "perf", "topics", "config", "broker", "help"}),
    ("pro", {"produce"}),
    ("--v", {"--version"}),
    ("help to", {"topics"}),
    ("perf --rec", {"--records"}),
    ("produce --key-", {"--key-delimiter"}),
    ("produce -t t -z s", {"snappy"}),
    ("perf -z ", {"none", "gzip", "snappy", "lz4", "zstd"}),
    ("perf --compression=zs", {"zstd"}),
    ("produce --input-format l", {"lines", "length", "length-kv"}),
    ("topics a", {"add-partitions"}),
    ("topics -q cr", {"create"}),
    ("topics -b h:1 des", {"describe"}),
    ("config ", {"list", "explain", "check"}),
    ("config explain linger", {"linger.ms"}),
    ("errors NOT_LEADER", {"NOT_LEADER_OR_FOLLOWER"}),
    ("perf -X lin", {"linger.ms="}),
    ("perf -X compression.type=l", {"lz4"}),
    ("perf --property enable.idempotence=", {"true", "false"}),
    ("topics create t --config retention.", {"retention.bytes=", "retention.ms="}),
    ("broker --no-auto", {"--no-auto-create"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_words(rest, expected):
    assert expected <= set(words(rest))
    last = rest.split(" ")[-1].split("=")[-1]
    assert all(word.startswith(last) for word in words(rest)), "nothing that the word cannot become"


@pytest.mark.parametrize("rest", ["nosuch ", "perf -n ", "perf --records=", "perf --nosuch ", "broker x", "topics create "], ids=str)
def test_nothing_is_offered_where_nothing_is_known(rest):
    assert words(rest) == []


def test_a_property_is_completed_without_a_blank_behind_it():
    assert complete("perf -X linger") == (["linger.ms="], ["nospace"])


@pytest.mark.parametrize("rest", ["produce -t t ", "produce --failed ", "produce -t t -- ", "perf --payload-file ", "config check ", "perf -F ", "broker --control "])
def test_files_are_offered_where_files_are_expected(rest, tmp_path):
    (tmp_path / "lines one").write_text("")
    (tmp_path / "other").write_text("")
    assert complete(rest + "li", tmp_path) == (["lines one"], ["filenames"])


def test_files_behind_an_equals_sign(tmp_path):
    (tmp_path / "lines").write_text("")
    assert words("produce --failed=li", tmp_path) == ["lines"]


@pytest.mark.parametrize("breaks, expected", [("=:", "lz4"), (":", "--compression=lz4"), ("", "--compression=lz4")])
def test_only_what_readline_replaces_is_returned(breaks, expected):
    assert complete("perf --compression=l", breaks=breaks)[0] == [expected]


def test_topics_are_asked_of_the_cluster(devbroker, name):
    devbroker.create_topic(f"{name}-one")
    devbroker.create_topic(f"{name}-two")
    expected = {f"{name}-one", f"{name}-two"}
    servers = devbroker.servers
    for rest in (f"produce -b {servers} -t {name}", f"perf -X bootstrap.servers={servers} --topic={name}", f"topics delete -b {servers} {name}"):
        assert set(words(rest)) == expected


def test_a_cluster_that_does_not_answer_costs_a_moment():
    result = kproducer("__complete", "produce", "-b", "127.0.0.1:1", "-t", "")
    assert result.out == b"" and result.seconds < 5


def test_the_script_is_installed(tmp_path):
    done = run(["cmake", "--install", KPRODUCER.parent, "--prefix", tmp_path])
    assert done.code == 0, done
    installed = tmp_path / "share" / "bash-completion" / "completions" / "kproducer"
    assert installed.read_text() == SCRIPT.read_text()
    assert {page.name for page in (tmp_path / "share" / "man" / "man1").iterdir()} == set(os.listdir(REPOSITORY / "docs" / "man"))
