#!/usr/bin/env python3
"""cut_link.py PORT TO_PORT BYTES: a link on the loopback interface that breaks.

Carries one connection from PORT to TO_PORT until BYTES have gone that way, then
closes both ends. What was carried arrives; nothing more does.
"""
import selectors
import socket
import sys

port, to_port, left = (int(text) for text in sys.argv[1:])
listener = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
source, _ = listener.accept()
destination = socket.create_connection(("127.0.0.1", to_port))
selector = selectors.DefaultSelector()
selector.register(source, selectors.EVENT_READ, destination)
selector.register(destination, selectors.EVENT_READ, source)
while left > 0:
    for key, _ in selector.select():
        data = key.fileobj.recv(65536)
        if not data:
            sys.exit("a side ended before the link was cut")
        if key.fileobj is source:
            data = data[:left]
            left -= len(data)
        key.data.sendall(data)
# Not close(): with bytes unread that resets, and TCP throws away what was sent.
destination.shutdown(socket.SHUT_WR)
source.shutdown(socket.SHUT_RDWR)
while destination.recv(65536):
    pass
