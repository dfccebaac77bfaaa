"""Servers that are not Kafka, and one that is nobody."""

import socket
import struct
import threading


class Server:
    """Listens while the `with` block runs; `behave(connection)` gets each connection. None: nobody listens, and nobody else can on this port."""

    def __init__(self, behave):
        self.behave = behave
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.connections = []
        self.n_accepted = 0

    def __enter__(self):
        if self.behave:
            self.socket.listen()
            threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *what):
        if self.behave:
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            connection.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.n_accepted += 1
            self.connections.append(connection)
            threading.Thread(target=self.one, args=[connection], daemon=True).start()

    def one(self, connection):
        try:
            self.behave(connection)
        except OSError:
            pass

    @staticmethod
    def silence(connection):
        while connection.recv(65536):
            pass

    @staticmethod
    def closes(connection):
        connection.close()

    @staticmethod
    def says(answer):
        """A server that answers whatever it first hears with these bytes, then waits for the other side to go."""

        def behave(connection):
            connection.recv(65536)
            connection.sendall(answer)
            Server.silence(connection)

        return behave


def read_exactly(connection, n):
    content = b""
    while len(content) < n:
        more = connection.recv(n - len(content))
        if not more:
            raise OSError("closed")
        content += more
    return content


# {API key: newest version} of Apache Kafka 0.10: no producer ids, no transactions.
OF_0_10 = {0: 2, 1: 2, 2: 0, 3: 1, 18: 0}


def old_broker(connection):
    """Tells the versions that a broker before transactions has, and itself as the only node; anything else it leaves unanswered."""
    host, port = connection.getsockname()
    while True:
        (size,) = struct.unpack(">i", read_exactly(connection, 4))
        key, version, correlation = struct.unpack(">hhi", read_exactly(connection, size)[:8])
        if key == 18:
            error = 0 if version == 0 else 35
            body = struct.pack(">hi", error, len(OF_0_10)) + b"".join(struct.pack(">hhh", k, 0, v) for k, v in OF_0_10.items())
        elif key == 3:
            node = struct.pack(">ih", 1, len(host)) + host.encode() + struct.pack(">ih", port, -1)
            body = struct.pack(">i", 1) + node + struct.pack(">ii", 1, 0)
        else:
            continue
        connection.sendall(struct.pack(">ii", 4 + len(body), correlation) + body)


HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TLS_ALERT = bytes([21, 3, 3, 0, 2, 2, 10])
TWO_GIGABYTES = struct.pack(">i", 2**31 - 1) + b"\0" * 64
NEGATIVE_LENGTH = struct.pack(">i", -5) + b"\0" * 64
GARBAGE = bytes(range(255, 0, -1)) * 4
WRONG_CORRELATION = struct.pack(">ii", 4, 0x7eadbeef)
