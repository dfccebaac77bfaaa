"""The budgets of the hot path, all of them. A figure that grows past its budget is a regression; one that shrinks takes its budget along.

Measured with what scripts/setup installs on Debian 12 (gcc 12, the release preset: -O3, LTO) on x86-64, in steady state: between two marks
in a stream of records (load.c), after a warm-up, 6 partitions, acks=all, idempotent, no compression, every record reported to a callback.
None of them is a time: a machine that is slow or busy only makes batches fuller.
"""

# Head-room for what differs between compilers' versions and processors.
HEAD_ROOM = 1.1

# Calls of malloc and its kin by the whole process. A record takes none: there is one for each batch (its kp_batch; buffers
# come from the pool), so for about 9,000 records of 100 bytes.
ALLOCATIONS_PER_BATCH = 1
# Beside them, whatever the number of records: batches that began before one mark and ended behind the other, late growth of a pool.
ALLOCATIONS_MOST = 64

# System calls of all threads per 64 KiB that went out: sendmsg 0.30 (it takes what the socket has room for, send.buffer.bytes twice), epoll_wait
# 0.35, the bell 0.07, recv 0.07: 0.72 (under strace) to 0.88 together, the more the less the threads run side by side.
SYSTEM_CALLS_PER_64_KIB = 0.95
# Apart from them futex, when two threads meet at a lock: by chance, so 0.1 to 0.7 were seen. At most four calls a meeting, and four a batch
# of 1 MB (15 times 64 KiB) are possible: the loop takes a partition's lock when a batch begins, when it is full and when it is sent, and
# the producer's mutex when it was woken.
FUTEX_CALLS_PER_64_KIB = 16 / 15

# Bytes that memcpy and memmove move in the whole process, per byte of value: once, into the batch; sendmsg takes them from there.
# (5 %: a batch that is sent before it is full makes the partition's next one begin smaller, and grow.)
COPIES_OF_A_VALUE = 1.05
# The same for 100-byte records, in bytes: the value, and 28 for the array of what reports need, which grows with each batch.
COPIED_BYTES_PER_100_BYTE_RECORD = 128.7 * HEAD_ROOM

# Instructions of libkproducer.so, and of the dynamic loader on its behalf, per 100-byte record. Not of libc (memcpy's variant depends on the
# processor; its bytes are budgeted above) and libisal (the checksum, likewise: once over each byte).
INSTRUCTIONS_OF_SENDING = 515 * HEAD_ROOM  # kp_send and all below it, closing and summing batches included
INSTRUCTIONS_OF_THE_LOOP = 98 * HEAD_ROOM  # requests, answers, reports
