"""What a record costs, counted and held to budgets.py. Nothing here is timed."""

import collections
import re

import budgets

LOAD = {"size": 100, "warm": 500000, "n": 1000000}


def within(figure, budget, what):
    print(f"{what}: {figure:.4g}, budget {budget:.4g}")  # shown by -s, and when it fails
    assert figure <= budget, f"{what}: {figure:.4g}, and the budget (budgets.py) is {budget:.4g}"


def test_neither_records_nor_batches_allocate(load):
    for n in (LOAD["n"], 2 * LOAD["n"]):
        figures = load(**LOAD | {"n": n})
        within(figures["allocations"], budgets.ALLOCATIONS_MOST, f"allocations for {n} records in {figures['batches']} batches")
        assert figures["batches"] < n / 1000, "batches are full"


def test_a_value_is_copied_once(load):
    figures = load(size=10000, warm=10000, n=20000)
    copies = figures["copied_bytes"] / (figures["records"] * 10000)
    assert copies >= 1, "the counter sees the copy into the batch"
    within(copies, budgets.COPIES_OF_A_VALUE, "copies of a value")


def test_bytes_copied_for_a_small_record(load):
    figures = load(**LOAD)
    within(figures["copied_bytes"] / figures["records"], budgets.COPIED_BYTES_PER_100_BYTE_RECORD, "bytes copied per 100-byte record")


def system_calls_between_marks(trace):
    """By name. A call that another thread's cut in two has its second half in a line of its own."""
    calls, marks = collections.Counter(), 0
    for line in trace.read_text(errors="replace").splitlines():
        begin = re.match(r"\d+ +(\w+)\(", line)
        if begin and begin[1] == "getppid":
            marks += 1
        elif begin and marks == 1:
            calls[begin[1]] += 1
    assert marks == 3, f"{marks} marks in the trace"
    return calls


def test_system_calls_at_full_load(load, tmp_path):
    trace = tmp_path / "trace"
    figures = load(**LOAD | {"n": 3000000}, under=["strace", "-f", "-qq", "-s", "0", "-o", trace])
    calls = system_calls_between_marks(trace)
    assert calls["sendmsg"] > 0 and calls["epoll_wait"] > 0, calls
    print(*calls.most_common())
    units = figures["sent_bytes"] / 65536
    within(calls["futex"] / units, budgets.FUTEX_CALLS_PER_64_KIB, "futex calls per 64 KiB sent")
    within((calls.total() - calls["futex"]) / units, budgets.SYSTEM_CALLS_PER_64_KIB, "other system calls per 64 KiB sent")


def instructions_by_object(profile):
    """Of one thread's file of callgrind: what each object file's own code took. The line behind `calls=` is what the callee took."""
    names, costs, current, is_call = {}, collections.Counter(), None, False
    for line in profile.read_text().splitlines():
        if named := re.match(r"(c?ob)=\((\d+)\)(?: (.*))?", line):
            if named[3]:
                names[named[2]] = named[3].rsplit("/", 1)[-1]
            if named[1] == "ob":
                current = names[named[2]]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[\d+*-]", line):
            if not is_call:
                costs[current] += int(line.split()[1])
            is_call = False
    return costs


def test_instructions_of_a_small_record(load, tmp_path):
    few, many = 100000, 300000  # what one has more than the other is the records' alone
    profiles = {}
    for n in (few, many):
        out = tmp_path / f"callgrind.{n}"
        # room for all: how often a sender waits is the machine's business
        load(100, 50000, n, "buffer.memory=100000000", under=["valgrind", "-q", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}"])
        profiles[n] = [instructions_by_object(out.with_name(f"{out.name}-0{thread}")) for thread in (1, 2)]
    for thread, budget, what in ((0, budgets.INSTRUCTIONS_OF_SENDING, "sending"), (1, budgets.INSTRUCTIONS_OF_THE_LOOP, "the loop")):
        more = profiles[many][thread]
        more.subtract(profiles[few][thread])
        ours = {name: cost / (many - few) for name, cost in more.items() if re.match(r"libkproducer\.so|ld-linux", name)}
        assert max(ours.values()) > 10, f"the profile has our code: {ours}"
        within(sum(ours.values()), budget, f"instructions of {what} per 100-byte record")
