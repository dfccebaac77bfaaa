"""The values: lines like an application's JSON events, the same on every machine and in every run, for every program.

lz4 leaves about 0.55 of 100-byte values and 0.7 of 1000-byte ones, in batches of 1 MB.
"""

import os
import random

from .paths import OUT

POOL_BYTES = 1 << 20
WORDS = ("accepted", "basket", "charged", "checkout", "customer", "delivered", "failed", "invoice", "login", "order", "page", "paid",
         "payment", "refund", "search", "session", "shipped", "signup", "stock", "timeout", "token", "upload", "user", "warehouse")


SMALLEST_EVENT = 90


def line(draw, at_ms, size):
    """A JSON object of exactly `size` bytes: what every event has, in the larger ones a blob of half their length, and words. Values
    that are too small for one are numbers."""
    if size < SMALLEST_EVENT:
        return f"{draw.randrange(10**size):0{size}d}"
    head = f'{{"ts":{at_ms},"id":"{draw.getrandbits(64):016x}","user":{draw.randrange(100000, 1000000)},"ms":{draw.randrange(5000)}'
    if size >= 400:
        head += f',"trace":"{draw.getrandbits(4 * (size // 2)):0{size // 2}x}"'
    head += ',"msg":"'
    room = size - len(head) - len('"}')
    text = ""
    while len(text) < room:
        text += draw.choice(WORDS) + " "
    return head + text[:room] + '"}'


def payload(size):
    """The file of values of this size."""
    path = OUT / f"payload-{size}.txt"
    draw = random.Random(size)
    lines, at_ms = [], 1764189000000
    for _ in range(min(POOL_BYTES // size, 20000)):
        at_ms += draw.randrange(20)
        lines.append(line(draw, at_ms, size))
    whole = path.with_suffix(f".{os.getpid()}")
    whole.write_text("\n".join(lines) + "\n")
    whole.replace(path)  # another run may be reading it
    return path
