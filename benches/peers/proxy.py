#!/usr/bin/env python3
"""A slow link to a server, which counts how often the client waits for it.

    proxy.py --to HOST:PORT [--way MILLISECONDS] [--port PORT]

Listens on 127.0.0.1 and prints the port. What is sent either way arrives MILLISECONDS later (20 where it
is not said). A round trip is counted whenever a client speaks after it has heard something, and for its
first word; not for a goodbye of PostgreSQL's, to which nobody waits for an answer. A line on stdin is
answered with two numbers, the connections and the round trips since the line before it; at the end of
stdin it ends.
"""

import argparse
import socket
import sys
import threading
import time
from queue import SimpleQueue

GOODBYE = b"X\0\0\0\x04"
PIECE = 256 * 1024


class Count:
    def __init__(self):
        self.lock = threading.Lock()
        self.connections = 0
        self.trips = 0

    def add(self, connections, trips):
        with self.lock:
            self.connections += connections
            self.trips += trips

    def take(self):
        with self.lock:
            seen = (self.connections, self.trips)
            self.connections = self.trips = 0
            return seen


def read(end, queue, seen):
    """Puts what an end says into a queue, with the instant at which it is to arrive."""
    try:
        while piece := end.recv(PIECE):
            seen(piece)
            queue.put((time.monotonic(), piece))
    except OSError:
        pass
    queue.put((time.monotonic(), b""))


def write(end, queue, way, arrived):
    """Hands it to the other end when its time has come."""
    try:
        while True:
            at, piece = queue.get()
            time.sleep(max(0.0, at + way - time.monotonic()))
            if not piece:
                end.shutdown(socket.SHUT_WR)
                return
            arrived()
            end.sendall(piece)
    except OSError:
        pass


def carry(client, upstream, way, count):
    server = socket.create_connection(upstream)
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    heard = threading.Event()
    heard.set()
    count.add(1, 0)

    def spoke(piece):
        if heard.is_set() and piece != GOODBYE:
            heard.clear()
            count.add(0, 1)

    there, back = SimpleQueue(), SimpleQueue()
    for work in (
        (read, client, there, spoke),
        (write, server, there, way, lambda: None),
        (read, server, back, lambda _: None),
        (write, client, back, way, heard.set),
    ):
        threading.Thread(target=work[0], args=work[1:], daemon=True).start()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--to", required=True, metavar="HOST:PORT")
    options.add_argument("--way", type=float, default=20.0, metavar="MILLISECONDS")
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    host, port = given.to.rsplit(":", 1)
    count = Count()
    listener = socket.create_server(("127.0.0.1", given.port))

    def accept():
        while True:
            client, _ = listener.accept()
            carry(client, (host, int(port)), given.way / 1000, count)

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for _ in sys.stdin:
        print(*count.take(), flush=True)


if __name__ == "__main__":
    main()
