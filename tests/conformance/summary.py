"""What a run ends with: how many cases passed against each broker, and which foreign client has read what which other has written."""

import pytest

from brokers import KAFKAS


def broker_of(item, params):
    """The broker that a case runs against, by the fixtures that it takes."""
    for fixture in ("broker", "each_kafka"):
        if fixture in params:
            return params[fixture]
    is_kafka = "kafka" in item.fixturenames or params.get("exchange") == "kafka"
    is_ours = {"devbroker", "own_devbroker", "exchange"} & set(item.fixturenames)
    return "kafka" if is_kafka else "devbroker" if is_ours else None


def pytest_collection_modifyitems(items):
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if broker := broker_of(item, params):
            item.user_properties.append(("broker", broker))
        if "exchange" in params:
            item.user_properties.append(("exchange", (params["exchange"], params["writer"].name, params["reader"].name)))


def of_reports(reporter, name):
    """(value of the property, report) of every phase of every case that has it."""
    for reports in reporter.stats.values():
        for report in (report for report in reports if isinstance(report, pytest.TestReport)):
            for key, value in report.user_properties:
                if key == name:
                    yield value, report


def title(broker):
    names = {"devbroker": "development broker", "one-node": "development broker", "three-nodes": "development broker with three nodes"}
    return f"Apache Kafka {KAFKAS[broker][0]}" if broker in KAFKAS else names.get(broker, broker)


def show_brokers(reporter):
    passed, failed, seconds = {}, {}, {}
    for broker, report in of_reports(reporter, "broker"):
        seconds[broker] = seconds.get(broker, 0) + report.duration
        passed[broker] = passed.get(broker, 0) + (report.passed and report.when == "call")
        failed[broker] = failed.get(broker, 0) + report.failed
    if seconds:
        reporter.section("brokers")
    for broker in seconds:
        reporter.line(f"{title(broker):18} {passed[broker]:4} passed {failed[broker]:4} failed {seconds[broker]:6.0f} s")


WORDS = {True: "ok", False: "FAILED", None: "-"}


def show_exchanges(reporter):
    fields = {}
    for place, report in of_reports(reporter, "exchange"):
        fields[place] = fields.get(place, True) and report.passed
    for cluster in dict.fromkeys(cluster for cluster, _, _ in fields):
        readers = list(dict.fromkeys(reader for at, _, reader in fields if at == cluster))
        reporter.section(f"foreign clients, {title(cluster)}: rows have written, columns read")
        reporter.line(" " * 12 + "".join(f"{reader:12}" for reader in readers))
        for writer in dict.fromkeys(writer for at, writer, _ in fields if at == cluster):
            words = [WORDS[fields.get((cluster, writer, reader))] for reader in readers]
            reporter.line(f"{writer:12}" + "".join(f"{word:12}" for word in words))


def pytest_terminal_summary(terminalreporter):
    show_brokers(terminalreporter)
    show_exchanges(terminalreporter)
