"""The yardstick (bench/) with few records: it builds, the work is done and counted, and work that was not done is an error."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import types

import confluent_kafka
import pytest

from command import BUILD, REPOSITORY, run, wait_until

# The newest librdkafka is that of the wheel which the tests use anyway.
os.environ["KP_BENCH_WHEEL"] = str(pathlib.Path(confluent_kafka.__file__).parents[1])
sys.path.insert(0, str(REPOSITORY / "bench"))
from kpbench import build, measure, programs, results, targets  # noqa: E402
from kpbench.cases import BASE, Case  # noqa: E402
from kpbench.groups import GROUPS, QUICK  # noqa: E402
from kpbench.paths import OUT, BenchError  # noqa: E402
from kpbench.payload import payload  # noqa: E402

BENCH = REPOSITORY / "bench" / "run"


@pytest.fixture(scope="module", autouse=True)
def built():
    build.build(["timed", "sink", "limit"])


def bench(*args, code=0):
    result = run([sys.executable, BENCH, *args], timeout=600, env={"KP_BENCH_WHEEL": os.environ["KP_BENCH_WHEEL"]})
    assert result.code == code, result
    return result


def measured(program, n=5000, case=BASE, command=None):
    """One run of a program of the table, or of a command in its place, to a sink that looks closely."""
    program = programs.PROGRAMS[program]
    if command:
        program = types.SimpleNamespace(name=program.name, env={}, parse=program.parse, command=command)
    run, _ = measure.run_once(program, case, targets.Sink(check=True), n, payload(case.size))
    return run


def limit(target, *args):
    return [OUT / "limit", "-p", target.servers.rpartition(":")[2], "-t", target.topic, *args]


def test_quick_measures_the_base_case_in_interleaved_rounds(tmp_path):
    text = bench("quick", "--scale", "0.001", "--rounds", "2", "--check", "--json", tmp_path / "quick.json").out.decode()
    for name in QUICK:
        assert re.search(rf"^{name} +([\d.,]+/){{2}}[\d.,]+ +([\d.,]+/){{2}}", text, re.M), text
    assert re.search(r"kproducer's records/s: " + ", ".join(rf"[\d.e+]+ x {name}" for name in QUICK if name != "kproducer"), text)
    assert re.search(r"floor: base: records/s by librdkafka-newest's: at least 4: [\d.e+]+: (holds|DOES NOT HOLD)", text)
    assert re.search(r"^kproducer +our defaults, with acks=all linger.ms=5 compression.type=none$", text, re.M)
    assert "Not equal:" in text
    kept = json.loads((tmp_path / "quick.json").read_text())
    runs = [r for r in kept["runs"] if r["round"]]
    assert [r["program"] for r in runs] == [*QUICK, *QUICK[1:], QUICK[0]], "each program once a round, which another one begins"
    assert all(r["records"] >= 1000 and r["cpu_s"] > 0 and r["seconds"] > 0 and r["batch_bytes"] > 100000 for r in runs)
    assert kept["versions"]["librdkafka-newest"] == confluent_kafka.libversion()[0] != kept["versions"]["librdkafka-debian"]


@pytest.mark.full
def test_every_peer_does_the_same_work_on_both_targets(tmp_path):
    text = bench("full", "--scale", "0.002", "--rounds", "1", "--check", "--json", tmp_path / "full.json", "--cases", "^(base|kafka-100B|(kafka-)?latency)$").out.decode()
    assert "Not compressed" not in text
    kept = results.read(tmp_path / "full.json")
    for name in ("base", "kafka-100B", "latency", "kafka-latency"):
        assert {(r.case, r.program) for r in kept.select(name)} == {(c.name, p) for c, p in GROUPS[name].entries}


@pytest.mark.parametrize("sent", [4999, 5001])
def test_a_program_that_lost_or_doubled_a_record_is_an_error(sent):
    def lies(case, target, n, values):
        return ["sh", "-c", '"$@" && echo records=5000 secs=1', "sh", *limit(target, "-n", sent)]

    with pytest.raises(BenchError, match=f"5000 to send, .* acknowledged, {sent} counted by the target"):
        measured("limit", command=lies)


@pytest.mark.parametrize("argument, wrong", [("--nocrc", r"crc_bad=\d"), ("-v", "errors|ended with")], ids=["sum", "partition"])
def test_the_sink_sees_what_is_wrong(argument, wrong):
    def bad(case, target, n, values):
        return limit(target, "-n", n, *(["--nocrc"] if argument == "--nocrc" else ["-P", 7, "-b", 1000]))

    with pytest.raises(BenchError, match=wrong):
        measured("limit", command=bad)


def test_sequences_of_the_idempotent_limit_are_whole():
    # Small batches, so that each partition has many; --check holds every one to its sequence.
    measured("limit-idempotent", n=20000, command=lambda case, target, n, values: limit(target, "-n", n, "-b", 2000, "--idempotent"))


@pytest.mark.parametrize("script, said", [
    ("echo nothing", "printed no result: nothing"), ("echo broken >&2; exit 3", "ended with 3: broken"), ("kill -9 $$", "ended with 137"),
])
def test_a_program_that_fails_is_named(script, said):
    with pytest.raises(BenchError, match=f"^limit {said}"):
        measured("limit", command=lambda *_: ["sh", "-c", script])


def test_compression_is_measured_on_the_wire():
    plain, packed = (measured("kproducer", case=Case(100, codec)) for codec in ("none", "lz4"))
    assert 0.3 * plain.batch_bytes < packed.batch_bytes < 0.7 * plain.batch_bytes
    assert plain.batch_bytes > 100 * plain.records


def test_peak_memory_is_the_programs_own(tmp_path):
    used = tmp_path / "used"
    assert run([OUT / "timed", used, "sh", "-c", "exit 5"]).code == 5
    figures = json.loads(used.read_text())
    assert figures["exit"] == 5 and figures["max_rss_kib"] < 8192, "not that of a Python interpreter"


@pytest.mark.parametrize("args, said", [
    (["--programs", "nobody"], "no program nobody; there are limit"), (["--cases", "nowhere"], "no such case of quick"),
    (["--cases", "("], "no regular expression"),
], ids=" ".join)
def test_usage_of_the_driver(args, said):
    assert said in bench("quick", *args, code=1).err


@pytest.mark.parametrize("program, args, said", [
    ("sink", ["99999", "6"], "PORT wants a number from 0 to 65535, not '99999'"), ("sink", ["0", "6", "--what"], "what is '--what'?"),
    ("limit", ["-n", "many"], "-n wants a number"), ("limit", ["-n"], "or its value?"),
], ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_usage_of_the_programs(program, args, said):
    result = run([OUT / program, *args])
    assert result.code == 2 and said in result.err


def test_the_sink_names_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        result = run([OUT / "sink", port, "6"])
        assert result.code == 1 and f"cannot listen on 127.0.0.1:{port}: Address already in use; 0 takes any free port" in result.err


def test_the_sink_lives_on_after_garbage_and_absurd_lengths():
    with subprocess.Popen([OUT / "sink", "0", "6"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sink:
        try:
            port = int(sink.stdout.readline().rpartition(":")[2])
            for bytes_ in (b"\x7f\xff\xff\xff", b"\x80\0\0\0x", b"\0\0\0\x02hi", b"\0\0\0\x0c\0\x03\0\x0d\0\0\0\x01\xff\xff\0\xff", bytes(400)):
                with socket.create_connection(("127.0.0.1", port)) as s:
                    s.sendall(bytes_)
                    s.settimeout(10)
                    assert s.recv(10) == b"", "it hangs up"
            assert run([OUT / "limit", "-p", port, "-n", 1000]).code == 0
            wait_until(lambda: sink.poll() is None, "it lives")
        finally:
            sink.terminate()
        assert "records=1000 " in sink.stdout.read()


def test_building_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "WHEEL", tmp_path)
    with pytest.raises(BenchError, match="no librdkafka in .*: run scripts/setup --bench-quick"):
        build.build(["librdkafka-newest"])
    assert BUILD in OUT.parents
