#!/usr/bin/env python3
"""wan_check.py receive PORT | send HOST PORT SECONDS: one plain TCP stream.

The receiver prints Mbit/s of what came in the last two thirds of the time, past
slow start: {"mbit": .., "bytes": .., "seconds": ..}.
"""
import json
import socket
import sys
import time

if sys.argv[1] == "send":
    link = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    end = time.monotonic() + float(sys.argv[4])
    chunk = bytes(65536)
    while time.monotonic() < end:
        link.sendall(chunk)
    link.close()
    sys.exit()
listener = socket.create_server(("", int(sys.argv[2])))
link, _ = listener.accept()
buffer = bytearray(1 << 20)
marks = []
total = 0
while True:
    got = link.recv_into(buffer)
    total += got
    marks.append((time.monotonic(), total))
    if got == 0:
        break
start, end = marks[0][0], marks[-2][0]
first = next(mark for mark in marks if mark[0] >= start + (end - start) / 3)
last = marks[-2]
print(json.dumps({"mbit": round((last[1] - first[1]) * 8e-6 / (last[0] - first[0]), 2),
                  "bytes": total, "seconds": round(end - start, 2)}))
