#!/usr/bin/env python3
"""cut_link.py PORT TO_PORT BYTES [again]: a loopback link that breaks.

Carries one connection from PORT to TO_PORT until BYTES have gone that way, then
closes both ends. What was carried arrives; nothing more does. With `again` it
carries the next connection until a side ends it.
"""
import selectors
import socket
import sys


def carry(listener, to_port, left):
    """One connection; @return whether `left` bytes went through first."""
    source, _ = listener.accept()
    destination = socket.create_connection(("127.0.0.1", to_port))
    selector = selectors.DefaultSelector()
    selector.register(source, selectors.EVENT_READ, destination)
    selector.register(destination, selectors.EVENT_READ, source)
    while left > 0:
        for key, _ in selector.select():
            data = key.fileobj.recv(65536)
            if not data:
                source.close()
                destination.close()
                return False
            if key.fileobj is source:
                data = data[:left]
                left -= len(data)
            key.data.sendall(data)
    # Not close(): with bytes unread that resets, and TCP throws away what was
    # sent.
    destination.shutdown(socket.SHUT_WR)
    source.shutdown(socket.SHUT_RDWR)
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
