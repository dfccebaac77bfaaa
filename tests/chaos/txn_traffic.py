"""The transactions of a case: a chain of instances for each coordinator, and the rows."""

import itertools
import random
import time

from confluent_kafka import IsolationLevel

import table
from command import PATIENCE, wait_until
from txn_checker import await_stable, read_topics, verdict
from txn_clients import Driven, ids

PROTOCOLS = {2: "KIP-890", 1: "classic"}
N_PARTITIONS = 6


class TxnTraffic:
    def __init__(self, scenario, version, cluster, folder, say):
        self.scenario, self.version, self.cluster, self.folder, self.say = scenario, version, cluster, folder, say
        self.protocol = PROTOCOLS[version]
        self.chains, self.topics, self.random = {}, {}, random.Random(scenario)

    def start(self, *clients):
        """Each client is (driver, label, properties), with two topics and a chain for each coordinator."""
        for driver, label, properties in clients:
            name = f"{self.scenario}-{self.version}-{label}"
            self.topics[label] = [f"{name}-{n}" for n in "ab"]
            for topic in self.topics[label]:
                self.cluster.create_topic(topic, N_PARTITIONS)
            numbers = itertools.count(1)
            self.chains[label] = [Driven(driver, self.cluster.servers, self.topics[label], properties, one, self.folder, numbers)
                                  for one in ids(name)]
        for chain in self.all:
            chain.start()
        self.await_commits(2)

    @property
    def all(self):
        return [chain for of_one in self.chains.values() for chain in of_one]

    def await_commits(self, n=1):
        """Until the newest instance of each chain was told of so many. One that gave itself up is followed by another: its row tells."""

        def has(chain):
            if chain.newest.poll() is not None:
                chain.start()
            return chain.committed() >= n

        for chain in self.all:
            wait_until(lambda chain=chain: has(chain), f"{n} commits of {chain.transactional_id}", 2 * PATIENCE)

    def last(self, seconds):
        time.sleep(seconds)

    def somewhere(self):
        """A moment that nobody knows: in the middle of what a transaction is doing."""
        time.sleep(self.random.uniform(0, 0.15))

    def end(self):
        """Stops all, reads what is visible; {label: row}."""
        self.say("waiting for the ends of all transactions")
        for chain in self.all:
            chain.stop()
        instances = {label: [one for chain in chains for one in chain.result()] for label, chains in self.chains.items()}
        self.cluster.await_healthy()
        return {label: self.row(label, found) for label, found in instances.items()}

    def row(self, label, instances):
        topics = self.topics[label]
        await_stable(self.cluster, topics)
        log = read_topics(self.cluster, topics)
        n_written = sum(map(len, read_topics(self.cluster, topics, IsolationLevel.READ_UNCOMMITTED).values()))
        records = {partition: [tuple(map(int, value.split())) for value in values] for partition, values in log.items()}
        row = {"scenario": self.scenario, "protocol": self.protocol, "client": label, "instances": len(instances),
               "version": instances[0].client, **verdict(instances, records)}
        row["hidden"] = n_written - row["seen"]
        table.TRANSACTIONS.rows.append(row)
        self.say(table.TRANSACTIONS.said(row))
        if row["errors"]:
            self.say(f"{label} errors: {row['errors']}")
        return row

    def close(self):
        for chain in self.all:
            chain.close()
        for topic in itertools.chain(*self.topics.values()):
            if self.cluster.partitions(topic):
                self.cluster.delete_topic(topic)
