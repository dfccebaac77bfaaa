"""One of six partitions takes nothing: the other five keep their rate, in a buffer of 32 MiB that the dead one would fill."""

import subprocess

import pytest

from command import BUILD, PATIENCE, REPOSITORY, kproducer, run

DEAD = 2
FAULTS = {
    "no leader": "at 0s: leader {topic}/2 = none",
    "too few replicas": "on produce topic={topic} partition=2: error NOT_ENOUGH_REPLICAS",
}


@pytest.fixture(scope="module")
def fairness(tmp_path_factory):
    binary = tmp_path_factory.mktemp("fairness") / "fairness"
    source = REPOSITORY / "tests" / "conformance" / "programs" / "fairness.c"
    done = run(["cc", "-Wall", "-Wextra", "-Werror", "-O2", f"-I{REPOSITORY}/include", "-o", binary, source, f"-L{BUILD}",
                f"-Wl,-rpath,{BUILD}", "-lkproducer", "-lpthread"])
    assert done.code == 0, done.err
    return binary


def rates(fairness, broker, control, topic, fault, seconds, mode):
    """Records persisted by partition: before the fault, and with it."""
    with subprocess.Popen([fairness, broker.servers, topic, str(seconds), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        process.stdout.readline()
        before = process.stdout.readline()
        assert process.stdout.readline() == "ready\n"
        done = kproducer("fault", "--control", control, "add", fault.format(topic=topic))
        assert done.code == 0, done
        process.stdin.write("go\n")
        process.stdin.close()
        after = process.stdout.readline()
        assert process.wait(PATIENCE) == 0
    return [[int(n) for n in line.split()] for line in (before, after)]


def five_keep_their_rate(fairness, own_devbroker, tmp_path, name, seconds, fault, mode, *options):
    control = tmp_path / "control"
    broker = own_devbroker("--control", control, "--discard", "--partitions", "6", *options)
    before, after = rates(fairness, broker, control, name, FAULTS[fault], seconds, mode)
    live = [i for i in range(6) if i != DEAD]
    print(f"{fault}, {mode}, {seconds} s: before {before}, after {after}")
    assert sum(before) > 0 and after[DEAD] < before[DEAD] / 2
    assert sum(after[i] for i in live) >= 0.8 * sum(before[i] for i in live), (before, after)


@pytest.mark.parametrize("mode", ["explicit", "keyless"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.full)])
def test_five_partitions_keep_their_rate_when_the_sixth_is_dead(fairness, own_devbroker, tmp_path, name, seconds, fault, mode):
    five_keep_their_rate(fairness, own_devbroker, tmp_path, name, seconds, fault, mode)


@pytest.mark.parametrize("mode", ["explicit", "keyless"])
def test_five_partitions_keep_their_rate_while_senders_wait_for_room(fairness, own_devbroker, tmp_path, name, mode):
    """The buffer is always full. The broker is slow, so that its speed is what is shared, and not that of a machine with other work."""
    five_keep_their_rate(fairness, own_devbroker, tmp_path, name, 5, "too few replicas", f"saturated {mode}", "--fault", "on produce: delay 10ms")


@pytest.mark.full
@pytest.mark.parametrize("mode", ["explicit", "keyless"])
@pytest.mark.parametrize("fault", FAULTS)
def test_five_partitions_keep_the_rate_of_the_machine_while_senders_wait_for_room(fairness, own_devbroker, tmp_path, name, fault, mode):
    five_keep_their_rate(fairness, own_devbroker, tmp_path, name, 60, fault, f"saturated {mode}")


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.full)])
def test_partitions_of_other_nodes_keep_their_rate_when_a_node_is_stuck(fairness, own_devbroker, tmp_path, name, seconds):
    control = tmp_path / "control"
    broker = own_devbroker("--control", control, "--discard", "--nodes", "3")
    broker.create_topic(name, partitions=6)
    status = kproducer("fault", "--control", control, "status", "--json").json
    dead = [p["partition"] for p in status["partitions"] if p["topic"] == name and p["leader"] == 2]
    assert len(dead) == 2
    fault = f"at 0s: node 2 stuck for {2 * seconds + 30}s"
    before, after = rates(fairness, broker, control, name, fault, seconds, "explicit")
    print(f"node stuck, {seconds} s: before {before}, after {after}")
    for i in range(6):
        assert (after[i] < before[i] / 2) if i in dead else (after[i] >= 0.8 * before[i]), (before, after)
