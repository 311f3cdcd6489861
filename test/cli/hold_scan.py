#!/usr/bin/env python3
"""hold_scan.py LOCK_FILE DISK_ID: holds the lock of a disk of the index, as who
scans it does, until its standard input ends."""
import fcntl
import struct
import sys

F_OFD_SETLK = 37
with open(sys.argv[1], "r+b") as file:
    fcntl.fcntl(file, F_OFD_SETLK,
                struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, 0, int(sys.argv[2]), 1, 0))
    print("held", flush=True)
    sys.stdin.read()
