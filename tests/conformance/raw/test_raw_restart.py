"""What the brokers still know of transactions when they have been killed and started again, the development broker with --dir.

The scripts are those of the raw differential, but each yields once: there both brokers are killed, when all scripts have come so far.
"""

import signal

import pytest

from compare import compare
from laboratory import Side, new_topic_of
from script import Script, Session
from transactional import COMMIT, RESULTS, STYLES, TIMEOUT_MS, Producer, committed_offset, read_both, until_stable

from brokers import DevBroker, Kafka

# Kafka's leader epochs rise when it starts, those of the development broker do not.
RISES = ("PartitionLeaderEpoch", "LeaderEpoch")


def open_transaction(s, style, committed):
    p = Producer(s, style)
    p.write(2)
    p.write_offset(3)
    yield
    read_both(s)
    p.send()
    p.end(committed)
    read_both(s)
    committed_offset(s)


def ended_transactions(s, style, committed):
    p = Producer(s, style)
    for result in not committed, committed:
        p.write()
        p.write_offset(3)
        old = p.who
        p.end(result)
    yield
    committed_offset(s)
    s.call_settled("EndTxn", style.end, old | {"Committed": committed})
    p.write()
    p.end(COMMIT)
    read_both(s)
    p.renew()


def zombie(s, style, committed):
    old = Producer(s, style)
    old.write()
    yield
    p = Producer(s, style)
    s.call_settled("EndTxn", style.end, old.who | {"Committed": committed})
    old.send()
    p.write()
    p.end(committed)
    read_both(s)


def timed_out(s, style, committed):
    p = Producer(s, style, timeout_ms=TIMEOUT_MS)
    p.write()
    until_stable(s)
    s.call_settled("EndTxn", style.end, p.who | {"Committed": committed})
    yield
    s.call_settled("EndTxn", style.end, p.who | {"Committed": committed})
    p.renew()
    p.init()
    p.write()
    p.end(committed)
    read_both(s)


SCRIPTS = [
    Script(f"restart_{run.__name__}_{style}_{result}", lambda s, a=(run, style, result): a[0](s, STYLES[a[1]], RESULTS[a[2]]), {"t": {}})
    for run in (open_transaction, ended_transactions, zombie, timed_out) for style in STYLES for result in RESULTS
]


def transcripts_of(broker, start_again):
    """The steps of each script with one of the brokers; `start_again` kills it and gives the new one."""
    side = Side(broker)
    side.create([new_topic_of(s, alias) for s in SCRIPTS for alias in s.topics])
    sessions = [Session(script, side.port) for script in SCRIPTS]
    runs = [session.script.run(session) for session in sessions]
    for session, run in zip(sessions, runs):
        next(run)
        session.close()
        session.connections.clear()
    side = Side(start_again())
    for session, run in zip(sessions, runs):
        session.port = side.port
        session.transactional_producer("warm-up")
        session.until_leader()
        session.until(lambda: session.ask("OffsetFetch", 7, {"GroupId": "warm-up", "Topics": None})["ErrorCode"] == 0)
        assert next(run, "the end") == "the end"
        session.close()
    return [side.symbols(session) for session in sessions]


def without(value):
    if isinstance(value, dict):
        return {k: without(v) for k, v in value.items() if k not in RISES}
    return [without(v) for v in value] if isinstance(value, list) else value


def of_devbroker(folder):
    options = "--dir", str(folder / "data")
    broker = DevBroker(folder, *options)

    def start_again():
        nonlocal broker
        broker.stop(signal.SIGKILL)
        broker = DevBroker(folder, *options)
        return broker

    try:
        return transcripts_of(broker, start_again)
    finally:
        broker.stop()


def of_kafka(folder):
    broker = Kafka(folder)

    def start_again():
        broker.stop(signal.SIGKILL)
        broker.start()
        return broker

    try:
        return transcripts_of(broker, start_again)
    finally:
        broker.close()


@pytest.fixture(scope="module")
def transcripts(tmp_path_factory):
    """{name: (steps of the development broker, of Kafka)}"""
    ours, theirs = of_devbroker(tmp_path_factory.mktemp("devbroker")), of_kafka(tmp_path_factory.mktemp("kafka"))
    return {script.name: pair for script, *pair in zip(SCRIPTS, ours, theirs)}


@pytest.mark.parametrize("name", [script.name for script in SCRIPTS])
def test_answers_are_equal_behind_a_kill(transcripts, name):
    ours, theirs = transcripts[name]
    for step in ours + theirs:
        step.body = without(step.body)
    found = [f"{step}: {path}: development broker {a!r}, Kafka {b!r}" for step, _, path, a, b in compare(ours, theirs)]
    if found:
        pytest.fail(f"{name}: {len(found)} differences\n" + "\n".join(found), pytrace=False)
