"""What readers see of transactions: last stable offset, aborted lists, control batches, for both isolation levels."""

from batch import LOG_APPEND_TIME, TRANSACTIONAL, batch
from calls import EARLIEST, LATEST, MAX_TIMESTAMP, fetch, fill, list_offsets, produce
from script import script
from transactional import ABORT, CLASSIC, COMMIT, NEW, RESULTS, STYLES, Producer, now, read_both

ISOLATIONS = {"uncommitted": 0, "committed": 1}
MINUTE_MS = 60_000


@script(isolation=ISOLATIONS, version=[4, 5, 7, 11, 12, 13, 16, 18])
def txn_fetch_versions(s, isolation, version):
    p = Producer(s, NEW)
    p.write(2)
    fetch(s, version, isolation=isolation)
    p.end(ABORT)
    p.write(3)
    p.end(COMMIT)
    fetch(s, version, isolation=isolation)
    p.write()
    fetch(s, version, isolation=isolation)


@script(style=STYLES)
def txn_last_stable_offset_is_the_first_open_ones(s, style):
    one, other, third = (Producer(s, style, name) for name in ("one", "other", "third"))
    fill(s, 2, base_timestamp=now())
    one.write(2)
    other.write()
    third.write()
    read_both(s)
    other.end(COMMIT)
    read_both(s)
    one.end(ABORT)
    read_both(s)
    produce(s, batch(base_timestamp=now()), version=style.produce)
    third.end(COMMIT)
    read_both(s)


@script(style=STYLES, results={"abort_first": (ABORT, COMMIT), "commit_first": (COMMIT, ABORT), "both_abort": (ABORT, ABORT)})
def txn_aborted_list_from_each_offset(s, style, results):
    one, other = (Producer(s, style, name) for name in ("one", "other"))
    one.write()
    other.write(2)
    one.write()
    one.end(results[0])
    other.write()
    one.write()
    other.end(results[1])
    one.end(ABORT)
    other.write()
    for offset in range(12):
        fetch(s, offset=offset, isolation=1)


@script(isolation=ISOLATIONS, version=[1, 2, 4, 7, 8, 11])
def txn_list_offsets(s, isolation, version):
    p = Producer(s, NEW)
    times = (LATEST, EARLIEST, MAX_TIMESTAMP) if version >= 7 else (LATEST, EARLIEST)
    isolation = isolation if version >= 2 else 0
    list_offsets(s, *times, version=version, isolation=isolation)
    p.send(2, base_timestamp=now() - MINUTE_MS)
    list_offsets(s, *times, 0, version=version, isolation=isolation)
    p.end(ABORT)
    list_offsets(s, *times, 0, version=version, isolation=isolation)
    p.send(base_timestamp=now() + MINUTE_MS)
    list_offsets(s, *times, 0, version=version, isolation=isolation)
    p.end(COMMIT)
    list_offsets(s, *times, 0, version=version, isolation=isolation)


@script(topics={"t": {"config": {"message.timestamp.after.max.ms": str(2**63 - 1)}}}, isolation=ISOLATIONS)
def txn_list_offsets_by_time(s, isolation):
    """Of what is behind the last stable offset, a reader of committed records is told nothing."""
    p = Producer(s, NEW)
    far = 4_000_000_000_000
    p.send(base_timestamp=far)
    list_offsets(s, far, far - 1, far + 1, isolation=isolation)
    p.end()
    list_offsets(s, far, far - 1, far + 1, MAX_TIMESTAMP, isolation=isolation)


@script(isolation=[-1, 0, 1, 2, 127])
def txn_odd_isolation_levels(s, isolation):
    p = Producer(s, NEW)
    p.write()
    fetch(s, isolation=isolation)
    list_offsets(s, LATEST, isolation=isolation)
    p.end(ABORT)
    fetch(s, isolation=isolation)
    list_offsets(s, LATEST, isolation=isolation)


@script(offset=[0, 1, 2, 3, 4, 5], isolation=ISOLATIONS)
def txn_fetch_near_the_end(s, offset, isolation):
    """Offsets behind the last stable one are in range as long as the log has them."""
    p = Producer(s, NEW)
    fill(s, 2, base_timestamp=now())
    p.write(2)
    fetch(s, offset=offset, isolation=isolation)


@script(max_bytes=[1, 69, 147, 294])
def txn_fetch_little_at_a_time(s, max_bytes):
    """Whole batches: a written one has 69 bytes, a marker 78. The aborted list is that of the records which are in the answer."""
    p = Producer(s, NEW)
    for committed in ABORT, COMMIT, ABORT:
        p.write()
        p.end(committed)
    for offset in range(6):
        fetch(s, offset=offset, isolation=1, partition_max_bytes=max_bytes, max_bytes=max_bytes)


@script(topics={"t": {"config": {"message.timestamp.type": "LogAppendTime"}}}, style=STYLES)
def txn_markers_with_log_append_time(s, style):
    p = Producer(s, style)
    p.write()
    p.end()
    p.send(attributes=TRANSACTIONAL | LOG_APPEND_TIME)
    read_both(s)


@script(topics={"t": {"config": {"max.message.bytes": "100"}}}, committed=RESULTS)
def txn_markers_fit_into_every_topic(s, committed):
    p = Producer(s, NEW)
    p.write()
    p.end(committed)
    read_both(s)


@script(topics={"t": {"config": {"message.timestamp.before.max.ms": "1", "message.timestamp.after.max.ms": "1"}}})
def txn_markers_whatever_the_times_allowed(s):
    p = Producer(s, CLASSIC)
    p.add()
    p.end()
    read_both(s)
