#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test/golden/stream/check.py: decodes the golden streams by what CODING.md
# says alone, without our C++; then asks Xen's own verify-stream-v2 whether
# they are valid. A part whose tool is absent is skipped.
#
#   v1-KIND.libxl  what libxl would write for a guest of that kind
#   v1-KIND.coded  its pieces: u8 kind, u32 length, body
#
# XEN_UTILS=/some/where names a folder with bin/verify-stream-v2 and
# lib/python; default: the newest of /usr/lib/xen-*. Xen 4.17's checker refuses
# every non-empty EMULATOR_XENSTORE_DATA under Python 3, so ours are empty.

import glob
import hashlib
import os
import shutil
import struct
import subprocess
import sys

PAGE = 4096


def varint(body, at):
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def decode_pages(body):
    version, pack, count = struct.unpack_from("<BBH", body)
    assert version == 1 and 1 <= count <= 1024
    at, entries, expected = 4, [], 0
    while len(entries) < count:
        step, at = varint(body, at)
        run, at = varint(body, at)
        first = expected + (-((step + 1) // 2) if step & 1 else step // 2)
        length = (run >> 4) + 1
        entries += [(run & 15) << 60 | first + i for i in range(length)]
        expected = first + length
    pages = sum(1 for entry in entries if entry >> 60 < 0xD)
    codes = []
    while len(codes) < pages:
        run, at = varint(body, at)
        codes += [run & 7] * ((run >> 3) + 1)
    data = body[at:]
    if pack == 1:
        data = subprocess.run(
            ["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True
        ).stdout
    assert len(data) == PAGE * codes.count(1) and set(codes) <= {0, 1}
    out = struct.pack("<IIII", 1, 8 + 8 * count + PAGE * pages, count, 0)
    out += struct.pack("<%dQ" % count, *entries)
    at = 0
    for code in codes:
        out += data[at : at + PAGE] if code else bytes(PAGE)
        at += PAGE * code
    return out


def decode(coded):
    at, out = 0, b""
    while at < len(coded):
        kind, length = struct.unpack_from("<BI", coded, at)
        body = coded[at + 5 : at + 5 + length]
        at += 5 + length
        if kind == 1:
            out += body
        elif kind == 2:
            out += decode_pages(body)
        else:
            assert kind == 3 and at == len(coded)
            out += bytes(8)
            total, digest = struct.unpack("<Q32s", body)
            assert total == len(out)
            assert digest == hashlib.sha256(out).digest()
    return out


def verify(xen, path):
    done = subprocess.run(
        [sys.executable, xen + "/bin/verify-stream-v2", "-f", "libxl", "-i", path],
        env={**os.environ, "PYTHONPATH": xen + "/lib/python"},
    )
    return done.returncode == 0


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    xen = os.environ.get("XEN_UTILS") or max(
        glob.glob("/usr/lib/xen-[0-9]*"), default=""
    )
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def count(name, tool, test):
        outcome = "skipped" if not tool else "passed" if test() else "failed"
        counts[outcome] += 1
        if outcome != "passed":
            print("golden: %s: %s" % (name, outcome))

    for coded in sorted(glob.glob(here + "/*.coded")):
        stream = coded[: -len("coded")] + "libxl"
        name = os.path.basename(stream)
        with open(coded, "rb") as a, open(stream, "rb") as b:
            pieces, wanted = a.read(), b.read()
        count(name, shutil.which("zstd"), lambda: decode(pieces) == wanted)
        checker = os.path.exists(xen + "/bin/verify-stream-v2")
        count(name + " by Xen", checker, lambda: verify(xen, stream))
    print("golden: %(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
