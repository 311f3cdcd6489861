#!/usr/bin/env python3
"""relay.py PORT TO_PORT SOURCE_KEYS DESTINATION_KEYS TRACE [CUT]

Stands between two hosts of a test that has the keys of both, and writes down
what passes inside TLS. Each side takes it for the other. KEYS: a folder with
host.crt and host.key. With CUT it closes both connections after so many bytes of
the source's.
"""
import selectors
import socket
import ssl
import sys

import trace


def context(protocol, keys):
    made = ssl.SSLContext(protocol)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.load_cert_chain(f"{keys}/host.crt", f"{keys}/host.key")
    return made


def main(port, to_port, source_keys, destination_keys, path, cut=None):
    left = int(cut) if cut else 1 << 62
    listener = socket.create_server(("127.0.0.1", int(port)))
    print("listening", flush=True)
    here, _ = listener.accept()
    source = context(ssl.PROTOCOL_TLS_SERVER, destination_keys).wrap_socket(here, server_side=True)
    there = socket.create_connection(("127.0.0.1", int(to_port)))
    destination = context(ssl.PROTOCOL_TLS_CLIENT, source_keys).wrap_socket(there)
    sides = {source: ("source", destination), destination: ("destination", source)}
    selector = selectors.DefaultSelector()
    for side in sides:
        selector.register(side, selectors.EVENT_READ)
    with open(path, "wb") as file:
        while sides and left > 0:
            for key, _ in selector.select():
                side = key.fileobj
                name, other = sides[side]
                while True:
                    data = side.recv(65536)
                    if data:
                        if name == "source":
                            data = data[:left]
                            left -= len(data)
                        trace.write(file, name, data)
                        other.sendall(data)
                    if not side.pending() or left <= 0:
                        break
                if not data:
                    return
                if left <= 0:
                    break


main(*sys.argv[1:])
