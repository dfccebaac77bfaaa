"""The budgets of the hot path, all of them. A figure that grows past its budget is a regression; one that shrinks takes its budget along.

Measured with what scripts/setup installs on Debian 12 (gcc 12, the release preset: -O3, LTO) on x86-64, in steady state: between two marks
in a stream of records (load.c), after a warm-up, 6 partitions, acks=all, idempotent, no compression, every record reported to a callback.
None of them is a time: a machine that is slow or busy only makes batches fuller.
"""

# Head-room for what differs between compilers' versions and processors.
HEAD_ROOM = 1.1

# Calls of malloc and its kin by the whole process, whatever the number of records: buffers and batches come from pools, which may still grow
# when the threads meet in a new way.
ALLOCATIONS_MOST = 64

# System calls of all threads per 64 KiB that went out: sendmsg 0.07 (it takes what the socket has room for, send.buffer.bytes twice; the
# system may allow less, then there are more), epoll_wait 0.05, the bell 0.04, recv 0.04: 0.21 together. With those of futex less than 1.
SYSTEM_CALLS_PER_64_KIB = 0.75
# futex, when two threads meet at a lock and one of them does not run: by chance, 0.01 was seen.
FUTEX_CALLS_PER_64_KIB = 0.24

# Bytes that memcpy and memmove move in the whole process, per byte of value: once, into the batch; sendmsg takes them from there.
# (5 %: a batch that is sent before it is full makes the partition's next one begin smaller, and grow.)
COPIES_OF_A_VALUE = 1.05
# The same for 100-byte records, in bytes: the value. (The array of what reports need begins as large as the last batch's.)
COPIED_BYTES_PER_100_BYTE_RECORD = 100 * HEAD_ROOM

# Instructions of libkproducer.so, and of the dynamic loader on its behalf, per 100-byte record. Not of libc (memcpy's variant depends on the
# processor; its bytes are budgeted above) and libisal (the checksum, likewise: once over each byte).
INSTRUCTIONS_OF_SENDING = 478 * HEAD_ROOM  # kp_send and all below it, closing and summing batches included
INSTRUCTIONS_OF_THE_LOOP = 98 * HEAD_ROOM  # requests, answers, reports
