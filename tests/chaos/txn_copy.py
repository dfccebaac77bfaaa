"""Consume-transform-produce: what numbered records of an input topic become in an output topic while the copiers are killed."""

import collections
import itertools
import signal
import subprocess
import threading
import time

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, Producer, TopicPartition

import table
from clients import OUT
from command import PATIENCE, wait_until
from txn_checker import await_stable, read_topics
from txn_clients import Copier, ids, tell
from txn_traffic import PROTOCOLS

N_LANES = 2
AT_ONCE = 50000
VALUE_SIZE = 100


class Watch:
    """Sees records of the output as they become visible. Record n is of the lane n % N_LANES, the partition of the input."""

    def __init__(self, cluster, topic):
        self.times = {lane: {} for lane in range(N_LANES)}
        partitions = [str(p.id) for p in cluster.partitions(topic)]
        self.reader = subprocess.Popen([OUT / "txn_reader", cluster.servers, f"{topic}-watch", topic, *partitions], stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        for line in self.reader.stdout:
            n = int(line.split(b"\t")[3])
            self.times[n % N_LANES].setdefault(n, time.monotonic())

    def seen(self):
        return sum(map(len, self.times.values()))

    def longest_stall(self):
        gaps = [later - earlier for times in self.times.values() for earlier, later in itertools.pairwise(list(times.values()))]
        return max(gaps, default=0.0)

    def close(self):
        self.reader.kill()
        self.reader.wait()
        self.thread.join()


class Copy:
    """A copier for each partition of the input, started again whenever one ends."""

    per_transaction = 50

    def __init__(self, scenario, version, label, copier, cluster, folder, n_records, say):
        self.scenario, self.version, self.label, self.cluster, self.say = scenario, version, label, cluster, say
        self.n_records, self.servers = n_records, cluster.servers
        name = f"{scenario}-{version}-{label}"
        self.group, self.input, self.output = f"{name}-group", f"{name}-in", f"{name}-out"
        numbers = itertools.count(1)
        self.chains = [copier(self, lane, one, folder, numbers) for lane, one in zip(range(N_LANES), ids(name), strict=False)]
        self.ends = [n_records // N_LANES] * N_LANES
        self.watch = None

    def start(self):
        for topic in self.input, self.output:
            self.cluster.create_topic(topic, N_LANES)
        writer = Producer({"bootstrap.servers": self.servers, "acks": "all", "enable.idempotence": True})
        for n in range(self.n_records):
            writer.produce(self.input, f"{n:0{VALUE_SIZE}d}", partition=n % N_LANES)
            if n % AT_ONCE == AT_ONCE - 1:
                writer.flush(PATIENCE)
        assert writer.flush(PATIENCE) == 0
        self.watch = Watch(self.cluster, self.output)
        self.started = time.monotonic()
        for chain in self.chains:
            chain.start()

    def is_done(self, lane):
        return len(self.watch.times[lane]) >= self.n_records // N_LANES

    def goes_on(self, share):
        """Until so much more of the input has become visible in the output; a copier that gave up is followed by another."""
        wanted = min(self.watch.seen() + share * self.n_records, self.n_records)

        def has():
            for lane, chain in enumerate(self.chains):
                if chain.newest.poll() is not None and not self.is_done(lane):
                    chain.start()
            return self.watch.seen() >= wanted

        wait_until(has, f"{share:.0%} more of the output", 2 * PATIENCE)

    def kill(self):
        self.say(f"kill -9 of the copiers at {self.watch.seen() / self.n_records:.0%}")
        for chain in self.chains:
            chain.kill()
            chain.start()

    def replace(self, share):
        """The copiers are stopped, others take their place, and when those have come so far, the stopped ones are woken beside them."""
        self.say("the copiers are stopped, others start")
        old = [chain.newest for chain in self.chains]
        for process in old:
            tell(process, signal.SIGSTOP)
        for chain in self.chains:
            chain.start()
        self.goes_on(share)
        self.say("they are woken")
        for process in old:
            tell(process, signal.SIGCONT)

    def offsets(self):
        what = ConsumerGroupTopicPartitions(self.group, [TopicPartition(self.input, lane) for lane in range(N_LANES)])
        found = self.cluster.admin.list_consumer_group_offsets([what])[self.group].result(PATIENCE)
        return [p.offset for p in found.topic_partitions]

    def end(self):
        """Waits for the end of the input, reads what is visible; the row."""
        self.goes_on(1)
        took = time.monotonic() - self.started
        wait_until(lambda: self.offsets() == self.ends, "the group's offsets at the end of the input")
        for chain in self.chains:
            chain.kill()
        self.cluster.await_healthy()
        await_stable(self.cluster, [self.output])
        log = read_topics(self.cluster, [self.output])
        n_written = sum(map(len, read_topics(self.cluster, [self.output], IsolationLevel.READ_UNCOMMITTED).values()))
        copies = collections.Counter(int(value) for values in log.values() for value in values)
        row = {"scenario": self.scenario, "protocol": PROTOCOLS[self.version], "client": self.label, "records": self.n_records,
               "instances": sum(len(chain.processes) for chain in self.chains), "hidden": n_written - copies.total(),
               **copied(copies, self.n_records), "stall_s": self.watch.longest_stall(), "took_s": took}
        table.COPIES.rows.append(row)
        self.say(table.COPIES.said(row))
        return row

    def close(self):
        for chain in self.chains:
            chain.close()
        if self.watch:
            self.watch.close()
        for topic in self.input, self.output:
            if self.cluster.partitions(topic):
                self.cluster.delete_topic(topic)


def copied(copies, n_records):
    """The counts of a row: records 0 .. n_records - 1 should stand there once each."""
    return {
        "visible": sum(0 <= n < n_records for n in copies),
        "missing": sum(n not in copies for n in range(n_records)),
        "doubled": sum(times - 1 for times in copies.values()),
        "damaged": sum(not 0 <= n < n_records for n in copies),
    }
