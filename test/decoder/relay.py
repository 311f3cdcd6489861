#!/usr/bin/env python3
"""relay.py [--sessions N] [--cut-after BYTES | --cut-before RECORD] PORT HOST:PORT SOURCE_KEYS DESTINATION_KEYS TRACE

Stands between two hosts of a test that has the keys of both, and writes down
what passes inside TLS. Each side takes it for the other. KEYS: a folder with
host.crt and host.key. It serves N sessions, one after another, each with all its
lanes; the first is in TRACE, the others are in TRACE.2 and so on. The first ends
with all connections closed after so many bytes of the source's, or before that
record is passed on; one that comes in slices is not looked for.
"""
import argparse
import contextlib
import queue
import selectors
import socket
import ssl
import threading

import trace

LAST_LANES = 5  # seconds from the end of the first lane: for the others to end


def context(protocol, keys):
    made = ssl.SSLContext(protocol)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    made.load_cert_chain(f"{keys}/host.crt", f"{keys}/host.key")
    return made


class Cut:
    """What of the data still passes."""

    def __init__(self, after=None, before=None):
        self.left = after if after is not None else 1 << 62
        self.before = before
        self.headers = {"source": trace.Headers(), "destination": trace.Headers()}

    def passes(self, side, lane, data):
        if self.before is not None and lane == 0:
            at = self.headers[side].find(data, self.before)
            if at is not None:
                self.left = 0
                return data[:at]
        if side == "source":
            data = data[:self.left]
            self.left -= len(data)
        return data


def pass_on_the_end(other):
    """The peer has closed its connection in order, which is not the same as to break it."""
    with contextlib.suppress(OSError):  # its answer is not awaited
        other.setblocking(False)
        other.unwrap()


class Link:
    """All lanes of one session, each carried by a thread of its own: while the destination
    does not read one, the others must go on."""

    def __init__(self, target, contexts, cut, path):
        self.target, self.contexts, self.cut = target, contexts, cut
        self.file = open(path, "wb", buffering=0)  # whole whenever this program is ended
        self.lock = threading.Lock()  # for all below, and the file and the cut
        self.lanes = []
        self.connections = []
        self.over = False

    def take(self, side, lane, data):
        """Written down before it is passed on: so what answers it is behind it.
        @return what of it is passed on"""
        with self.lock:
            data = self.cut.passes(side, lane, data)
            trace.write(self.file, side, lane, data)
        return data

    def join(self, here):
        """@return whether there is still a link to join"""
        with self.lock:
            if not self.over:
                lane = threading.Thread(target=self.carry_further, args=(len(self.lanes) + 1, here), daemon=True)
                self.lanes.append(lane)
                lane.start()
            return not self.over

    def carry_further(self, lane, here):
        preamble = here.recv(trace.PREAMBLE, socket.MSG_WAITALL)
        with contextlib.suppress(OSError):  # the link may go on without a lane; what it lacks the decoder sees
            self.carry(lane, here, self.take("source", lane, preamble))

    def carry(self, lane, here, preamble=b""):
        """Until one side ends it."""
        with here, socket.create_connection(self.target) as there:
            there.sendall(preamble)
            with self.tls(here, server_side=True) as source, self.tls(there, server_side=False) as destination:
                self.pass_all(lane, source, destination)

    def tls(self, connection, server_side):
        made = self.contexts[server_side].wrap_socket(
            connection, server_side=server_side, do_handshake_on_connect=False, suppress_ragged_eofs=False)
        with self.lock:
            self.connections.append(made)
        try:
            made.do_handshake()
        except OSError:
            made.close()
            raise
        return made

    def pass_all(self, lane, source, destination):
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ, ("source", destination))
            selector.register(destination, selectors.EVENT_READ, ("destination", source))
            while True:
                for key, _ in selector.select():
                    if not self.pass_some(lane, key.fileobj, *key.data):
                        return

    def pass_some(self, lane, connection, side, other):
        """What has come from that side. @return whether more may come"""
        while True:
            try:
                # What is there may be a piece of a TLS record, or a session's ticket: to wait for more on one side would
                # hold up the other.
                connection.settimeout(0)
                data = connection.recv(65536)
            except ssl.SSLWantReadError:
                return True
            except (ssl.SSLEOFError, ConnectionError):
                return False
            except ssl.SSLError as failure:
                if failure.reason != "UNEXPECTED_EOF_WHILE_READING":
                    raise
                return False
            finally:
                connection.settimeout(None)
            if not data:
                pass_on_the_end(other)
                return False
            try:
                other.sendall(self.take(side, lane, data))
            except OSError:
                return False  # it has gone; what it sent last has been written
            if self.cut.left <= 0:
                self.close_all()
                return False
            if not connection.pending():
                return True

    def close_all(self):
        """The threads find it out by reading."""
        with self.lock:
            self.over = True
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    # not SSLSocket's, which takes its TLS from under the thread that reads
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def serve(self, first):
        self.carry(0, first)
        with self.lock:
            self.over = True
        for lane in self.lanes:
            lane.join(LAST_LANES)
        self.close_all()
        for lane in self.lanes:
            lane.join()
        self.file.close()


class Door:
    """Takes every connection: a first lane waits for its turn, a further one is for the link that there is."""

    def __init__(self, listener):
        self.first, self.link = queue.SimpleQueue(), None
        threading.Thread(target=self.take_all, args=(listener,), daemon=True).start()

    def take_all(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.let_in, args=(connection,), daemon=True).start()

    def let_in(self, connection):
        begin = connection.recv(trace.PREAMBLE, socket.MSG_PEEK | socket.MSG_WAITALL)
        if not begin.startswith(b"TPLANE01"):
            self.first.put(connection)
        elif self.link is None or not self.link.join(connection):
            connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--cut-after", type=int)
    parser.add_argument("--cut-before", type=int, help="the record's number")
    for name in ("port", "target", "source_keys", "destination_keys", "trace"):
        parser.add_argument(name)
    asked = parser.parse_args()
    host, port = asked.target.rsplit(":", 1)
    # By whether it is the server: each side sees the other's key.
    contexts = {True: context(ssl.PROTOCOL_TLS_SERVER, asked.destination_keys),
                False: context(ssl.PROTOCOL_TLS_CLIENT, asked.source_keys)}
    door = Door(socket.create_server(("127.0.0.1", int(asked.port))))
    print("listening", flush=True)
    for number in range(1, asked.sessions + 1):
        cut = Cut(asked.cut_after, asked.cut_before) if number == 1 else Cut()
        path = asked.trace if number == 1 else f"{asked.trace}.{number}"
        first = door.first.get()
        door.link = Link((host, int(port)), contexts, cut, path)
        door.link.serve(first)


main()
