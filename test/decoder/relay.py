#!/usr/bin/env python3
"""relay.py [--sessions N] [--cut-after BYTES | --cut-before RECORD] PORT HOST:PORT SOURCE_KEYS DESTINATION_KEYS TRACE

Stands between two hosts of a test that has the keys of both, and writes down
what passes inside TLS. Each side takes it for the other. KEYS: a folder with
host.crt and host.key. It serves N sessions, one after another; the first is in
TRACE, the others are in TRACE.2 and so on. The first ends with both connections
closed after so many bytes of the source's, or before that record is passed on.
"""
import argparse
import selectors
import socket
import ssl

import trace


def context(protocol, keys):
    made = ssl.SSLContext(protocol)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_cert_chain(f"{keys}/host.crt", f"{keys}/host.key")
    return made


class Cut:
    """What of the data still passes."""

    def __init__(self, after=None, before=None):
        self.left = after if after is not None else 1 << 62
        self.before = before
        self.headers = {"source": trace.Headers(), "destination": trace.Headers()}

    def passes(self, side, data):
        if self.before is not None:
            at = self.headers[side].find(data, self.before)
            if at is not None:
                self.left = 0
                return data[:at]
        if side == "source":
            data = data[:self.left]
            self.left -= len(data)
        return data


def serve(listener, target, keys, path, cut):
    here, _ = listener.accept()
    with here, socket.create_connection(target) as there, open(path, "wb") as file:
        source = context(ssl.PROTOCOL_TLS_SERVER, keys[1]).wrap_socket(here, server_side=True)
        destination = context(ssl.PROTOCOL_TLS_CLIENT, keys[0]).wrap_socket(there)
        with source, destination, selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ, ("source", destination))
            selector.register(destination, selectors.EVENT_READ, ("destination", source))
            while True:
                for key, _ in selector.select():
                    side, other = key.data
                    while True:
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        data = cut.passes(side, data)
                        trace.write(file, side, data)
                        try:
                            other.sendall(data)
                        except OSError:
                            return  # it has gone; what it sent last has been written
                        if cut.left <= 0:
                            return
                        if not key.fileobj.pending():
                            break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--cut-after", type=int)
    parser.add_argument("--cut-before", type=int, help="the record's number")
    for name in ("port", "target", "source_keys", "destination_keys", "trace"):
        parser.add_argument(name)
    asked = parser.parse_args()
    host, port = asked.target.rsplit(":", 1)
    with socket.create_server(("127.0.0.1", int(asked.port))) as listener:
        print("listening", flush=True)
        for number in range(1, asked.sessions + 1):
            cut = Cut(asked.cut_after, asked.cut_before) if number == 1 else Cut()
            path = asked.trace if number == 1 else f"{asked.trace}.{number}"
            serve(listener, (host, int(port)), (asked.source_keys, asked.destination_keys), path, cut)


main()
