"""The yardstick (bench/) with few records: it builds, the work is done and counted, and work that was not done is an error."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import types
import xml.etree.ElementTree

import confluent_kafka
import pytest

from command import BUILD, REPOSITORY, run, wait_until
from txn_script import settled

# The newest librdkafka is that of the wheel which the tests use anyway.
os.environ["KP_BENCH_WHEEL"] = str(pathlib.Path(confluent_kafka.__file__).parents[1])
sys.path.insert(0, str(REPOSITORY / "bench"))
from kpbench import build, floors, main, measure, programs, results, targets  # noqa: E402
from kpbench.cases import BASE, Case, expected_rate  # noqa: E402
from kpbench.groups import GROUPS, QUICK, SUITES, latency, transactional  # noqa: E402
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
    assert re.search(r"^kproducer +[\d.]+: our defaults, with acks=all linger.ms=5 compression.type=none$", text, re.M)
    assert "Not equal:" in text
    kept = json.loads((tmp_path / "quick.json").read_text())
    runs = [r for r in kept["runs"] if r["round"]]
    assert [r["program"] for r in runs] == [*QUICK, *QUICK[1:], QUICK[0]], "each program once a round, which another one begins"
    assert all(r["records"] >= 1000 and r["cpu_s"] > 0 and r["seconds"] > 0 and r["batch_bytes"] > 100000 for r in runs)
    assert kept["versions"]["librdkafka-newest"] == confluent_kafka.libversion()[0] != kept["versions"]["librdkafka-debian"]


@pytest.mark.full
def test_every_peer_does_the_same_work_on_both_targets(tmp_path):
    text = bench("full", "--scale", "0.002", "--rounds", "1", "--check", "--json", tmp_path / "full.json",
                 "--cases", "^(base|kafka-100B|(kafka-)?latency)$").out.decode()
    assert "Not compressed" not in text
    kept = results.read(tmp_path / "full.json")
    for name in ("base", "kafka-100B", "latency", "kafka-latency"):
        assert {(r.case, r.program) for r in kept.select(name)} == {(c.name, p) for c, p in GROUPS[name].entries}


LATENCY = latency("sink", 20000)


@pytest.mark.parametrize("program, case", [
    ("kproducer", Case(10)), ("kproducer", Case(100000)), ("kproducer", Case(keys=1000, headers=2)),
    ("kproducer", Case(threads=4, linger_ms=0)), ("kproducer", Case(producers=3, array=100, linger_ms=50)),
    ("kproducer", Case(partitions=1000, is_random=True, brokers=10)),
    ("librdkafka-newest", Case(partitions=1000, is_random=True, brokers=10)), ("librdkafka-debian", Case(threads=4)),
    ("limit-idempotent", Case(1000)),
], ids=lambda v: v if isinstance(v, str) else v.name)
def test_what_a_case_asks_for_is_done_and_counted(program, case):
    run = measured(program, 2000, case)
    assert run.records == 2000 and run.batches >= 1 and run.requests >= 1 and run.latency_us is None


SMALL = dataclasses.replace(transactional(100), partitions=1)  # reading back takes a while for each


class Committed:
    """A target: a topic of a broker that runs, in which what is committed counts."""

    def __init__(self, broker, topic):
        self.broker, self.topic, self.servers, self.pid = broker, topic, broker.servers, os.getpid()

    @contextlib.contextmanager
    def one_run(self, case):
        self.broker.create_topic(self.topic, partitions=case.partitions)
        yield

    def records(self):
        return len(settled(self.broker, self.topic)), ""

    def counted(self):
        return targets.KafkaNode.counted(self)


def check_transactions(program, target):
    build.build(programs.PROGRAMS[program].needs)
    run, _ = measure.run_once(programs.PROGRAMS[program], SMALL, target, 2000, payload(SMALL.size))
    assert run.records == 2000 and 10 <= run.transactions <= 20 and run.timed in (0, 100 * run.transactions)
    assert run.commits == pytest.approx(run.rate / 100) and 0 < run.latency_us["p50"] <= run.latency_us["p99"] < 10e6


@pytest.mark.parametrize("program", ["kproducer", "librdkafka-newest", pytest.param("java", marks=pytest.mark.full)])
def test_transactions_are_of_the_size_that_the_case_asks_for(program, kafka, name):
    check_transactions(program, Committed(kafka, name))


@pytest.mark.full
@pytest.mark.parametrize("node", [targets.KafkaNode, targets.ClassicKafkaNode])
def test_transactions_are_counted_when_they_are_committed(node):
    target = node()
    try:
        check_transactions("kproducer", target)
    finally:
        target.close()


def test_transactions_that_lack_a_record_are_an_error(kafka, name):
    lies = types.SimpleNamespace(name="kproducer", env={}, parse=programs.PROGRAMS["kproducer"].parse, command=lambda case, target, n, values:
                                 programs.PROGRAMS["kproducer"].command(case, target, n + 100, values))
    with pytest.raises(BenchError, match="2000 to send, 2100 acknowledged, 2100 counted by the target"):
        measure.run_once(lies, SMALL, Committed(kafka, name), 2000, payload(100))


@pytest.mark.parametrize("program", [
    "kproducer", "librdkafka-newest", *(pytest.param(p, marks=pytest.mark.full) for p in ("java", "franz")),
])
def test_with_a_rate_latencies_are_told_and_the_first_second_is_left_out(program):
    build.build(programs.PROGRAMS[program].needs)
    run = measured(program, 25000, LATENCY)
    latency_us = run.latency_us
    assert 0 < latency_us["p50"] <= latency_us["p99"] <= latency_us["p999"] <= latency_us["max"] < 10e6
    assert 1000 <= latency_us.get("timed", latency_us.get("n")) <= 5100
    assert run.seconds > 1.2


def test_the_most_threads_are_seen(tmp_path):
    sleepers = "import threading, time; [threading.Thread(target=time.sleep, args=[0.3]).start() for _ in range(7)]"
    assert run([OUT / "timed", tmp_path / "used", sys.executable, "-c", sleepers]).code == 0
    assert json.loads((tmp_path / "used").read_text())["max_threads"] == 8


def test_every_case_has_a_name_of_its_own_and_a_rate_to_reckon_with():
    entries = [e for suite in SUITES.values() for g in suite for e in g.entries]
    assert len({c for c, _ in entries}) == len({c.name for c, _ in entries})
    for case, program in entries:
        assert expected_rate(case, program) > 0 and programs.PROGRAMS[program].handles(case), (case, program)


def test_the_list_says_how_long_it_may_take():
    text = bench("full", "--list").out.decode()
    minutes = int(re.search(r"^about (\d+) min", text, re.M)[1])
    assert 10 < minutes <= 45, "an hour is what `make bench` may take, with builds and installation"
    assert all(re.search(rf"^{name}: ", text, re.M) for name in (*GROUPS, "probes"))


# ---------------------------------------------------------------- floors and the document, of figures that nobody measured


def invented_run(group, case, program, number):
    figure = {"kproducer": 8, "librdkafka-newest": 2, "limit-idempotent": 10}.get(program, 1) + number / 10
    return results.Run(group, case.name, program, number, 1000000, 1 / figure, 1 / figure, 10240, 3, 1, 1, 0, 100000000, 1000, 1000,
                       dict(p50=100 / figure, p99=200 / figure, p999=300 / figure) if case.rate or case.transaction else None, 5.0,
                       dict(slowest_records_per_second=4, mean_records_per_second=10),
                       timed=500000 if case.transaction else 0, transactions=50 if case.transaction else 0)


def invented(skip=()):
    r = results.Results("full", "a machine", seconds=60)
    for group in (g for g in GROUPS.values() if g.name not in skip):
        r.groups.append(group.name)
        r.rounds[group.name] = 2
        r.settings[group.name] = {p: "some" for p in group.programs}
        for case, program in group.entries:
            r.commands[case.name] = f"kproducer perf of {case.name}"
            r.runs += [invented_run(group.name, case, program, n) for n in range(3)]
    r.probes = [dict(probe="first", ms=5.0), dict(probe="flush", queued=1000, seconds=0.1),
                dict(probe="idle", wakeups_per_second=0.5, cpu_percent=0.1), dict(probe="down", cpu_percent=2, accepted=1, failed=1),
                dict(probe="codec", group="1000B-lz4", round=1, ns_per_record=100, ratio=0.5)]
    return r


def test_each_floor_has_its_figure_and_its_verdict():
    found = {f.text: (figure, holds) for f, figure, holds in floors.verdicts(invented())}
    assert len(found) == len(floors.TABLE)
    assert found["base: records/s by librdkafka-newest's: at least 4"] == (pytest.approx(8.15 / 2.15, 0.01), False)
    assert found["base: records/s by limit-idempotent's: at least 0.6"] == (pytest.approx(8.15 / 10.15, 0.01), True)
    assert found["1000B-lz4: CPU per record by the codec alone's: at most 1.2"][0] == pytest.approx(1e3 / 8.15 / 100, 0.01)
    assert found["latency-10k: p99 by the best peer's: at most 1"] == (pytest.approx(2.15 / 8.15, 0.01), True)
    assert found["4threads: the slowest thread's records/s by their mean: at least 0.5"] == (0.4, False)
    assert found["1000p-random-100brokers: threads more than with one broker: at most 0"] == (0, True)
    assert found["idle: wake-ups a second: at most 1"] == (0.5, True)
    assert found["kafka-random-transactions-100: commits/s by java's: at least 1"] == (pytest.approx(8.15 / 1.15, 0.01), True)
    assert found["all brokers down: per cent of a core: at most 1"] == (2, False)
    assert floors.verdicts(invented(skip=["base"]), "base") == []


def document_of(tmp_path):
    copy = tmp_path / "performance.md"
    copy.write_text((REPOSITORY / "docs" / "performance.md").read_text())
    return copy


def written(tmp_path):
    return {f.name: f.read_text() for f in [*tmp_path.glob("*.md"), *tmp_path.glob("performance/*.svg")]}


def test_the_document_is_written_anew_from_the_runs_that_were_kept(tmp_path):
    kept, document = tmp_path / "kept.json", document_of(tmp_path)
    invented().write(kept)
    before = document.read_text()
    for _ in range(2):
        assert "written: " in bench("full", "--from", kept, "--write", "--document", document).out.decode()
        first = written(tmp_path)
        assert set(first) == {"performance.md", *(f"{name}.svg" for name in GROUPS)}
    assert written(tmp_path) == first, "the same runs give the same bytes"
    text = document.read_text()
    assert "| base: records/s by librdkafka-newest's: at least 4 | 3.79 | **does not hold** |" in text
    assert "| kproducer | 8.1/8.15/8.2 | 3.79 | 0.803 | 122/122.7/123.5 |" in text
    assert "`kproducer perf of 4threads`" not in text and "`kproducer perf of base`" in text
    assert re.sub(r"(bench:begin \S+ -->).*?(<!-- bench:end)", r"\1\2", text, flags=re.S) == re.sub(
        r"(bench:begin \S+ -->).*?(<!-- bench:end)", r"\1\2", before, flags=re.S), "what people wrote stays"
    for name in GROUPS:
        plot = xml.etree.ElementTree.fromstring(first[f"{name}.svg"])
        assert plot.tag.endswith("svg") and f"(performance/{name}.svg)" in text and len(first[f"{name}.svg"]) < 10000


@pytest.mark.parametrize("skip, spoil, said", [
    (["linger"], None, "--write wants a whole run of full; not measured: linger"),
    ([], lambda text: text.replace("<!-- bench:begin linger -->", ""), "wrong: linger"),
    ([], lambda text: text + "<!-- bench:begin what -->\n<!-- bench:end -->\n", "wrong: what"),
], ids=["part", "lacking", "unknown"])
def test_a_document_that_would_not_be_whole_is_not_written(tmp_path, skip, spoil, said):
    kept, document = tmp_path / "kept.json", document_of(tmp_path)
    invented(skip).write(kept)
    document.write_text(before := spoil(document.read_text()) if spoil else document.read_text())
    assert said in bench("full", "--from", kept, "--write", "--document", document, code=1).err
    assert document.read_text() == before


def test_runs_that_were_kept_are_shown_again(tmp_path):
    invented().write(tmp_path / "kept.json")
    text = bench("full", "--from", tmp_path / "kept.json").out.decode()
    assert "floor: base: records/s by librdkafka-newest's: at least 4: 3.79: DOES NOT HOLD" in text


def test_a_group_that_fails_is_named_and_the_others_are_measured(tmp_path, monkeypatch, capsys):
    lies = types.SimpleNamespace(name="limit", env={}, needs=["limit"], handles=lambda case: case == BASE, settings=str,
                                 command=lambda *_: ["sh", "-c", "exit 7"])
    monkeypatch.setitem(measure.PROGRAMS, "limit", lies)
    monkeypatch.setattr("sys.argv", ["run", "full", "--cases", "^(base|linger)$", "--programs", "limit,kproducer", "--rounds", "1",
                                     "--scale", "0.001", "--json", str(tmp_path / "kept.json")])
    assert main.main() == 1
    shown = capsys.readouterr()
    assert "bench: base: limit ended with 7" in shown.err and "not measured: base; " in shown.out
    assert results.read(tmp_path / "kept.json").groups == ["linger"]


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
    (["--cases", "("], "no regular expression"), (["--from", BENCH], "is no file of runs that bench/run wrote"),
], ids=lambda v: v if isinstance(v, str) else str(v[0]))
def test_usage_of_the_driver(args, said):
    assert said in bench("quick", *args, code=1).err


@pytest.mark.parametrize("args", [["--write"], ["--rounds", "0"], ["--scale", "0"]], ids=" ".join)
def test_options_of_the_driver(args):
    assert "bench/run: error: " in bench("quick", *args, code=2).err


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


def test_a_profile_of_an_unknown_case_names_the_known_ones():
    result = run([sys.executable, REPOSITORY / "bench" / "profile", "nothing"])
    assert result.code == 2 and "no case nothing to the sink; there are" in result.err and "1000B-lz4" in result.err
