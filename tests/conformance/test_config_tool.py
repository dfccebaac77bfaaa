"""`kproducer config`: list, explain, check."""

import pytest

from command import kproducer


def config(*args, code=0):
    result = kproducer("config", *args)
    assert result.code == code, result
    return result


def test_list_is_a_properties_file_that_has_no_mistakes(tmp_path):
    text = config("list").out
    assert b"linger.ms=5\n" in text and len(text.splitlines()) > 40
    (tmp_path / "all.properties").write_bytes(text)
    config("check", tmp_path / "all.properties")


def test_list_can_be_narrowed_by_a_word():
    names = [line.split("=")[0] for line in config("list", "TimeOut").out.decode().splitlines()]
    assert "request.timeout.ms" in names and "linger.ms" not in names
    assert [p["name"] for p in config("list", "queue.buffering.max.ms", "--json").json] == ["linger.ms"]
    assert "'zzz'" in config("list", "zzz", code=1).err


def test_json_has_all_of_a_property():
    entry = config("explain", "acks", "--json").json
    assert entry.keys() == {"name", "type", "default", "range", "aliases", "importance", "doc"}
    assert entry == next(p for p in config("list", "--json").json if p["name"] == "acks")
    assert [p["name"] for p in config("explain", "acks", "linger.ms", "--json").json] == ["acks", "linger.ms"]


@pytest.mark.parametrize("asked, found", [("linger.ms", "linger.ms"), ("queue.buffering.max.ms", "linger.ms"), ("Producer.RequiredAcks", "acks")])
def test_explain_understands_other_clients_names(asked, found):
    text = config("explain", asked).out.decode()
    assert text.startswith(f"{found}\n") and "KPRODUCER_" + found.upper().replace(".", "_") in text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("  "))


def test_explain_tells_several():
    text = config("explain", "acks", "batch.size").out.decode()
    assert text.startswith("acks\n") and "\n\nbatch.size\n" in text


@pytest.mark.parametrize("name, said", [
    ("lingr.ms", 'did you mean "linger.ms"'), ("ssl.cipher.suites", "not supported here"), ("zzz.qqq", 'unknown property "zzz.qqq"'),
])
def test_explain_of_what_is_no_property(name, said):
    assert said in config("explain", name, code=2).err


def test_check_tells_every_mistake_with_its_line(lines):
    file = lines(b"linger.ms=soon\nclient.id=me\nbogus=1\nssl.cipher.suites=t\nacks=1\nenable.idempotence=true\n")
    result = config("check", file, code=2)
    said = [line for line in result.lines if line.startswith("kproducer: ")]
    assert [line.split(": ")[1] for line in said[:3]] == [f"{file}:1", f"{file}:3", f"{file}:4"]
    assert "not supported here" in said[2]
    assert "enable.idempotence" in said[3] and "acks" in said[3] and len(said) == 4, "the rules between properties too"
    assert config("check", file, "--json", code=2).json["mistakes"] == [line.removeprefix("kproducer: ") for line in said]


def test_check_takes_files_on_top_of_each_other(lines):
    first, second = lines(b"acks=1\n", "first"), lines(b"acks=all\nenable.idempotence=true\n", "second")
    assert config("check", first, second, "--json").json == {"mistakes": []}
    assert "enable.idempotence" in config("check", second, first, code=2).err


def test_check_of_a_file_without_mistakes(lines):
    result = config("check", lines(b"bootstrap.servers=a:1\n"))
    assert result.out == b"" and result.err.endswith("no mistakes\n")
    assert "servers are to be given with -b" in config("check", lines(b"")).err
    assert config("check", lines(b""), "-q").err == ""


def test_check_of_a_file_that_cannot_be_read(tmp_path):
    result = config("check", tmp_path / "none", code=2)
    assert result.lines == [f"kproducer: {tmp_path / 'none'}: No such file or directory"]


@pytest.mark.parametrize("args", [[], ["burn"], ["explain"], ["check"], ["list", "a", "b"], ["list", "-t", "x"]], ids=" ".join)
def test_usage(args):
    assert len(config(*args, code=2).lines) == 1
