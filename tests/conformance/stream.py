"""`kproducer produce` with lines that are written while it runs."""

import fcntl
import struct
import tempfile
import termios
import threading

from command import PATIENCE, finish, start, wait_until
from readers import count


def waiting_bytes(pipe):
    """Written to the pipe and not read from it yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


class Stream:
    def __init__(self, broker, topic, *args):
        self.broker, self.topic = broker, topic
        self.feeder, self.is_closing = None, threading.Event()
        self.errors = tempfile.TemporaryFile()
        options = ["-b", broker.servers, "-t", topic, "--json", "-vv", *args]
        self.process = start("produce", *options, stderr=self.errors)

    def write(self, content):
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def send(self, *lines):
        self.write(b"".join(line + b"\n" for line in lines))

    def feed_numbers(self):
        """0, 1, 2, …, as fast as the process reads, from a thread, until close() or the end of the process."""

        def work():
            first = 0
            try:
                while not self.is_closing.is_set():
                    self.send(*(b"%d" % i for i in range(first, first + 1000)))
                    first += 1000
            except BrokenPipeError:
                pass  # the process has ended

        self.feeder = threading.Thread(target=work, daemon=True)
        self.feeder.start()

    def close(self):
        self.is_closing.set()
        if self.feeder:
            self.feeder.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdin = None

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def await_read(self):
        """Nothing is left in the pipe."""
        wait_until(lambda: waiting_bytes(self.process.stdin) == 0, "the lines are read")

    def await_persisted(self, n):
        wait_until(lambda: sum(count(self.broker, self.topic).values()) >= n, f"{n} records in {self.topic}")
        count(self.broker, self.topic)  # one round trip more: the answer that went out before this one has arrived

    def await_word(self, text):
        """The library's log, or the command, says so."""
        wait_until(lambda: text in self.said(), f"'{text}' on standard error")

    def result(self, code=0, seconds=PATIENCE):
        """The end, within these seconds; the input stays open unless close() was called."""
        self.process.wait(seconds)
        result = finish(self.process)
        result.err = self.said()
        assert result.code == code, result
        return result
