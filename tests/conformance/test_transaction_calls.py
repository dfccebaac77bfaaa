"""Calls of transactions that do not fit the state, and what is refused: each names state, cause and the next call, nothing half is visible."""

import pytest
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from brokers import Kafka
from command import PATIENCE, wait_until
from readers import consumer, count
from servers import Server, old_broker
from test_library import PROGRAMS, library, prefix, program  # noqa: F401 (fixtures)
from txn_script import Script, settled, settled_offset

MS = 1000 * PATIENCE


class Transactor(Script):
    """A call is a method, time-outs in milliseconds."""

    def init(self, ms=MS):
        return self("init", ms)

    def begin(self):
        return self("begin")

    def send(self, topic, value):
        return self("send", topic, 0, value)

    def flush(self, ms=MS):
        return self("flush", ms)

    def offsets(self, group, topic, offset, generation=-1, member="-", ms=MS):
        return self("offsets", group, generation, member, topic, 0, offset, ms)

    def commit(self, ms=MS):
        return self("commit", ms)

    def abort(self, ms=MS):
        return self("abort", ms)

    @property
    def state(self):
        return self("state").state


@pytest.fixture
def transactor(program, library):
    """A function that starts producers; `id` is the transactional id."""
    binary = program(PROGRAMS / "txn_script.c").binary
    started = []

    def start(broker, id="", **properties):
        started.append(Transactor(binary, library, broker, id, **properties))
        return started[-1]

    yield start
    for one in started:
        one.__exit__()


def all_ok(*answers):
    assert all(answer.is_ok for answer in answers), answers


def assert_fenced(one):
    """A commit fails, be it for its record's sake, and so does the abort then."""
    answer = one.commit()
    if answer.next == "abort":
        assert answer.cause == "INVALID_PRODUCER_EPOCH"
        answer = one.abort()
    assert (answer.error, answer.next, answer.state) == ("PRODUCER_FENCED", "new_instance", "fenced"), answer


# ------------------------------------------------------------------ calls in the wrong state

CALLS = "init", "begin", "offsets", "commit", "abort"


def refusals(error, next, says, *calls):
    return dict.fromkeys(calls, (error, next, says))


def not_now(says, *calls):
    return refusals("BAD_STATE", "other_call", says, *calls)


# state: what each call that does not fit it is answered, and what kp_send is. The others belong there.
WRONG = {
    "none": (not_now("set transactional.id", *CALLS), "NONE"),
    "uninitialized": (not_now("call kp_init_transactions first", "begin", "offsets", "commit", "abort"), "NO_TRANSACTION"),
    "initializing": (not_now("call kp_init_transactions again", "begin", "offsets", "commit", "abort"), "NO_TRANSACTION"),
    "ready": (not_now("call kp_begin_transaction", "init", "offsets", "commit", "abort"), "NO_TRANSACTION"),
    "open": (not_now("call kp_commit_transaction or kp_abort_transaction", "init", "begin"), "NONE"),
    "must_abort": (not_now("call kp_abort_transaction", "init") |
                   refusals("TRANSACTION_ABORTABLE", "abort", "call kp_abort_transaction", "begin", "offsets", "commit"), "TRANSACTION_ABORTABLE"),
    "committing": (not_now("call kp_commit_transaction again", "init", "begin", "offsets", "abort"), "NO_TRANSACTION"),
    "aborting": (not_now("call kp_abort_transaction again", "init", "begin", "offsets", "commit"), "NO_TRANSACTION"),
    "fenced": (refusals("PRODUCER_FENCED", "new_instance", "make a new one", *CALLS), "PRODUCER_FENCED"),
}


def call(one, what, topic):
    return one.offsets("group", topic, 1) if what == "offsets" else getattr(one, what)()


def assert_refuses(one, topic):
    state = one.state
    wrong, of_send = WRONG[state]
    for what, (error, next, says) in wrong.items():
        answer = call(one, what, topic)
        assert (answer.error, answer.next, answer.state) == (error, next, state), (what, answer)
        assert says in answer.text and f"in state {state}" in answer.text, (what, answer)
    assert one.send(topic, "x").error == of_send


def test_without_a_transactional_id_there_are_no_transactions(broker, topic, transactor):
    one = transactor(broker)
    assert one.state == "none"
    assert_refuses(one, topic)
    all_ok(one.flush())
    assert settled(broker, topic) == ["x"], "and records are as ever"


def test_calls_before_init_after_it_and_in_a_transaction(broker, topic, transactor):
    one = transactor(broker, topic)
    for state, step in (("uninitialized", "init"), ("ready", "begin"), ("open", "commit")):
        assert one.state == state
        assert_refuses(one, topic)
        all_ok(call(one, step, topic))
    assert one.state == "ready" and settled(broker, topic) == ["x"]


def test_calls_after_a_record_failed(broker, name, transactor):
    broker.create_topic(name, max_message_bytes=1000)
    one = transactor(broker, name)
    all_ok(one.init(), one.begin(), one.send(name, "small"), one.send(name, "x" * 2000), one.flush())
    assert one.state == "must_abort"
    assert_refuses(one, name)
    answer = one.commit()
    assert answer.cause == "MESSAGE_TOO_LARGE" and name in answer.text
    all_ok(one.abort(), one.begin(), one.send(name, "again"), one.commit())
    assert settled(broker, name) == ["again"]


def test_calls_after_another_instance_took_over(broker, topic, transactor):
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), transactor(broker, topic).init())
    assert_fenced(one)
    assert_refuses(one, topic)
    assert one.commit().cause in ("PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH") and settled(broker, topic) == []


@pytest.mark.parametrize("step, state", [("commit", "committing"), ("abort", "aborting")])
def test_an_end_that_timed_out_is_resumed_by_the_same_call_alone(broker, topic, transactor, step, state):
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.flush())
    with broker.paused():
        answer = getattr(one, step)(100)
        assert (answer.error, answer.next, answer.state) == ("TIMED_OUT", "retry", state) and f"the coordinator of {topic}" in answer.text
        assert_refuses(one, topic)
    all_ok(getattr(one, step)())
    assert settled(broker, topic) == (["a"] if step == "commit" else [])
    all_ok(one.begin(), one.send(topic, "b"), one.commit())


def test_a_commit_that_waits_for_records_may_be_given_up(broker, topic, transactor):
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.commit(), one.begin())
    with broker.paused():
        one.send(topic, "b")
        answer = one.commit(100)
        assert (answer.error, answer.next, answer.state) == ("TIMED_OUT", "retry", "committing") and "records" in answer.text
        answer = one.abort(100)
        assert (answer.error, answer.next, answer.state) == ("TIMED_OUT", "retry", "aborting")
    all_ok(one.abort(), one.begin(), one.send(topic, "c"), one.commit())
    assert settled(broker, topic) == ["a", "c"]


def test_an_init_that_timed_out_is_resumed_by_the_same_call_alone(broker, topic, transactor):
    one = transactor(broker, topic)
    with broker.paused():
        answer = one.init(100)
        assert (answer.error, answer.next, answer.state) == ("TIMED_OUT", "retry", "initializing")
        assert_refuses(one, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "b"), one.commit())
    assert settled(broker, topic) == ["b"]


def test_offsets_that_timed_out_are_resumed_with_the_same_offsets_alone(broker, topic, transactor):
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.flush())
    with broker.paused():
        answer = one.offsets("resumed", topic, 5, ms=100)
        assert (answer.error, answer.next) == ("TIMED_OUT", "retry")
        other = one.offsets("resumed", topic, 6)
        assert (other.error, other.next) == ("BAD_STATE", "other_call") and "with the same offsets" in other.text
        commit = one.commit(100)
        assert (commit.error, commit.next) == ("BAD_STATE", "other_call") and "kp_send_offsets_to_transaction again" in commit.text
    all_ok(one.offsets("resumed", topic, 5), one.commit())
    assert settled_offset(broker, "resumed", topic) == 5


# ------------------------------------------------------------------ what is refused


def test_commit_after_a_send_that_was_refused(broker, topic, transactor):
    one = transactor(broker, topic, max_request_size=1000)
    all_ok(one.init(), one.begin(), one.send(topic, "small"))
    assert one.send(topic, "x" * 2000).error == "RECORD_TOO_LARGE"
    answer = one.commit()
    assert (answer.error, answer.cause, answer.next, answer.state) == ("TRANSACTION_ABORTABLE", "RECORD_TOO_LARGE", "abort", "must_abort")
    all_ok(one.abort(), one.begin(), one.send(topic, "again"), one.commit())
    assert settled(broker, topic) == ["again"]


@pytest.mark.parametrize("member", ["-", "gone"])
def test_offsets_of_a_generation_that_a_group_without_members_does_not_have(broker, topic, transactor, member):
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"))
    assert_not_taken(one.offsets(topic, topic, 1, 5, member), topic)
    all_ok(one.abort(), one.begin(), one.send(topic, "b"), one.offsets(topic, topic, 2), one.commit(), one.begin())
    assert_not_taken(one.offsets(topic, topic, 3, 5, member), topic)
    assert one.commit().error == "TRANSACTION_ABORTABLE"
    all_ok(one.abort())
    assert settled(broker, topic) == ["b"] and settled_offset(broker, topic, topic) == 2


def assert_not_taken(answer, group):
    assert (answer.error, answer.next, answer.state) == ("TRANSACTION_ABORTABLE", "abort", "must_abort")
    assert answer.cause in ("ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID") and group in answer.text and "call kp_abort_transaction" in answer.text


def test_offsets_of_a_stale_generation(each_kafka, topic_of_kafka, transactor):
    broker, topic = each_kafka, topic_of_kafka
    member = consumer(broker, group_id=topic, auto_offset_reset="earliest")
    member.subscribe([topic])
    wait_until(lambda: member.poll(0.1) or member.assignment(), "the member has its partition")
    one = transactor(broker, topic)
    all_ok(one.init(), one.begin(), one.send(topic, "a"))
    assert_not_taken(one.offsets(topic, topic, 1, 0, member.memberid()), topic)
    all_ok(one.abort())
    member.close()
    assert settled(broker, topic) == [] and settled_offset(broker, topic, topic) is None


@pytest.fixture
def topic_of_kafka(each_kafka, name):
    return each_kafka.create_topic(name)


def test_a_time_out_above_the_brokers_limit(broker, topic, transactor):
    one = transactor(broker, topic, transaction_timeout_ms=1000000)
    answer = one.init()
    assert (answer.error, answer.next, answer.state) == ("INVALID_TRANSACTION_TIMEOUT", "new_instance", "uninitialized")
    assert "transaction.max.timeout.ms" in answer.text


def test_a_cluster_without_transactions(transactor):
    with Server(old_broker) as server:
        one = transactor(server.address, "t")
        answer = one.init()
    assert answer.error == "NOT_SUPPORTED" and answer.state == "uninitialized", answer
    assert "FindCoordinator" in answer.text or "InitProducerId" in answer.text, answer


# ------------------------------------------------------------------ permissions, and time


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A Kafka that keeps what has an access control list from everyone, and that aborts in time what was open for too long."""
    broker = Kafka(tmp_path_factory.mktemp("strict"), authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                   allow_everyone_if_no_acl_found="true", transaction_abort_timed_out_transaction_cleanup_interval_ms=200)
    yield broker
    broker.close()


class Kept:
    """A resource that only somebody else may use, until it is given free."""

    def __init__(self, broker, kind, name):
        self.broker = broker
        self.rule = AclBinding(kind, name, ResourcePatternType.LITERAL, "User:somebody", "*", AclOperation.ALL, AclPermissionType.ALLOW)
        self.admin(broker.admin.create_acls)
        # the broker learns it from the controller
        wait_until(lambda: broker.admin.describe_acls(self.rule_filter()).result(PATIENCE), "the rule")

    def rule_filter(self):
        r = self.rule
        return AclBindingFilter(r.restype, r.name, r.resource_pattern_type, r.principal, r.host, r.operation, r.permission_type)

    def admin(self, call, what=None):
        for future in call([what or self.rule]).values():
            future.result(PATIENCE)

    def free(self):
        self.admin(self.broker.admin.delete_acls, self.rule_filter())
        wait_until(lambda: not self.broker.admin.describe_acls(self.rule_filter()).result(PATIENCE), "the end of the rule")


def test_a_transactional_id_that_is_not_allowed_yet(strict, name, transactor):
    topic = strict.create_topic(name)
    kept = Kept(strict, ResourceType.TRANSACTIONAL_ID, name)
    one = transactor(strict, name)
    answer = one.init()
    assert (answer.error, answer.next, answer.state) == ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "retry", "uninitialized")
    assert "put the cause right, and call it again" in answer.text
    kept.free()
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.commit())
    assert settled(strict, topic) == ["a"]


def test_a_transactional_id_that_is_no_longer_allowed_ends_no_instance(strict, name, transactor):
    topic = strict.create_topic(name)
    one = transactor(strict, name)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.flush())
    kept = Kept(strict, ResourceType.TRANSACTIONAL_ID, name)
    answer = one.commit()
    assert answer.cause == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" and answer.next in ("retry", "abort"), answer
    kept.free()
    if answer.next == "retry":
        all_ok(one.commit())
        assert settled(strict, topic) == ["a"]
    else:
        all_ok(one.abort())
        assert settled(strict, topic) == []
    all_ok(one.begin(), one.send(topic, "b"), one.commit())


@pytest.mark.parametrize("kind, cause", [(ResourceType.TOPIC, "TOPIC_AUTHORIZATION_FAILED"), (ResourceType.GROUP, "GROUP_AUTHORIZATION_FAILED")], ids=str)
def test_a_topic_or_group_that_is_not_allowed_ends_one_transaction(strict, name, transactor, kind, cause):
    topic = strict.create_topic(name)
    one = transactor(strict, name)
    all_ok(one.init(), one.begin())
    kept = Kept(strict, kind, name)
    one.send(topic, "a")
    one.offsets(name, topic, 1)
    answer = one.commit()
    assert (answer.error, answer.cause, answer.next, answer.state) == ("TRANSACTION_ABORTABLE", cause, "abort", "must_abort"), answer
    assert name in answer.text
    all_ok(one.abort())
    kept.free()
    all_ok(one.begin(), one.send(topic, "b"), one.offsets(name, topic, 2), one.commit())
    assert settled(strict, topic) == ["b"] and settled_offset(strict, name, topic) == 2


def test_a_transaction_that_was_open_for_too_long(strict, name, transactor):
    topic = strict.create_topic(name)
    one = transactor(strict, name, transaction_timeout_ms=1000)
    all_ok(one.init(), one.begin(), one.send(topic, "a"), one.flush())
    wait_until(lambda: count(strict, topic) == {0: 2}, "the cluster's marker")
    answer = one.commit()
    assert not answer.is_ok and answer.next in ("abort", "new_instance"), answer
    assert settled(strict, topic) == []
    if answer.next == "abort":
        all_ok(one.abort(), one.begin(), one.send(topic, "b"), one.commit())
