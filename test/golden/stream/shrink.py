#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test/golden/stream/shrink.py IN OUT: makes a golden stream of one that libxl
# wrote. Every record stays as it is, in its order, but of the guest's memory
# only a little: of the first PAGE_DATA records the first pages, of
# which one in four keeps what it held, and no more records than that.
#
# A stream as libxl wrote it is recorded by record_stream in teleport.conf; in
# the lab (test/xen/README.md):
#
#   test/xen/up && test/xen/do install_programs && test/xen/do pair_hosts
#   test/xen/do set_store directory streams
#   test/xen/do guest_create host1 golden loop --idle --memory 96
#   test/xen/do teleport host1 host2 golden
#   test/xen/do copy_from host1 '/srv/lab/streams/*.sent' sent
#   test/golden/stream/shrink.py sent test/golden/stream/v1-libxl-pvh.libxl
#   make golden && make check T='[golden]'

import struct
import sys

RECORDS = 3
PAGES_A_RECORD = 8
PAGE = 4096
LIBXC_CONTEXT, PAGE_DATA, END = 1, 1, 0


class Stream:
    def __init__(self, data):
        self.data, self.at, self.out = data, 0, bytearray()

    def take(self, size):
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            sys.exit("shrink.py: the stream ends within a record")
        self.at += size
        return piece

    def keep(self, size):
        self.out += self.take(size)

    def record(self):
        """Type and body; what it is, is not yet kept."""
        kind, length = struct.unpack("<II", self.take(8))
        body = self.take(length)
        self.take(-length % 8)
        return kind, body

    def put(self, kind, body):
        self.out += struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def shrunk_pages(body):
    count = struct.unpack_from("<I", body)[0]
    entries = struct.unpack_from("<%dQ" % count, body, 8)
    pages, at = [], 8 + 8 * count
    kept = entries[:PAGES_A_RECORD]
    for i, entry in enumerate(kept):
        if entry >> 60 < 0xD:
            pages.append(body[at : at + PAGE] if i % 4 == 0 else bytes(PAGE))
            at += PAGE
    return struct.pack("<II%dQ" % len(kept), len(kept), 0, *kept) + b"".join(pages)


def libxc(stream):
    stream.keep(24 + 16)  # the image's header and the domain's
    seen = 0
    while True:
        kind, body = stream.record()
        if kind == PAGE_DATA:
            seen += 1
            if seen > RECORDS:
                continue
            body = shrunk_pages(body)
        stream.put(kind, body)
        if kind == END:
            return


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: shrink.py IN OUT")
    with open(sys.argv[1], "rb") as file:
        stream = Stream(file.read())
    stream.keep(16)  # libxl's header
    while stream.at < len(stream.data):
        kind, body = stream.record()
        stream.put(kind, body)
        if kind == LIBXC_CONTEXT:
            libxc(stream)
        elif kind == END:
            break
    with open(sys.argv[2], "xb") as file:
        file.write(stream.out)


main()
