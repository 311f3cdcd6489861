#!/usr/bin/env python3
"""cut_link.py PORT TO_PORT BYTES [again]: a loopback link that breaks.

Carries connections from PORT to TO_PORT until BYTES have gone that way over all
of them, then closes them all. What was carried arrives; nothing more does. With
`again` it carries those that come later until a side ends one.
"""
import selectors
import socket
import sys


def carry(listener, to_port, left):
    """All that comes; @return whether `left` bytes went through first."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    pairs = []
    while left > 0:
        for key, _ in selector.select():
            if key.fileobj is listener:
                source, _ = listener.accept()
                destination = socket.create_connection(("127.0.0.1", to_port))
                pairs.append((source, destination))
                selector.register(source, selectors.EVENT_READ, destination)
                selector.register(destination, selectors.EVENT_READ, source)
                continue
            data = key.fileobj.recv(65536)
            if not data:
                for pair in pairs:
                    for end in pair:
                        end.close()
                return False
            if any(key.fileobj is source for source, _ in pairs):
                data = data[:left]
                left -= len(data)
            key.data.sendall(data)
    # Not close(): with bytes unread that resets, and TCP throws away what was
    # sent.
    for source, destination in pairs:
        destination.shutdown(socket.SHUT_WR)
        source.shutdown(socket.SHUT_RDWR)
    for _, destination in pairs:
        while destination.recv(65536):
            pass
    return True


port, to_port, bytes_to_carry = (int(text) for text in sys.argv[1:4])
listening = socket.create_server(("127.0.0.1", port))
# What lies in the buffer when the link breaks has been sent for nothing: little.
listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
print("listening", flush=True)
if not carry(listening, to_port, bytes_to_carry):
    sys.exit("a side ended before the link was cut")
if "again" in sys.argv[4:]:
    carry(listening, to_port, 1 << 62)
