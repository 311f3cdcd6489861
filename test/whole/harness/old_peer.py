"""A source of another release, as far as it asks what became of a teleport: run
on a host of the harness by python3, which prints number and body of each record
that comes back.

    old_peer.py ADDRESS VERSION NUMBER BODY-IN-HEX
"""

import struct
import sys

from speaker import connected, framed, records


def main():
    address, version, number, body = sys.argv[1:]
    hello = b"TELEPORT" + struct.pack("<II", int(version), 0)
    with connected(address) as link:
        link.sendall(framed(1, hello) + framed(int(number), bytes.fromhex(body)))
        for kind, heard in records(link):
            print(kind, heard.hex())


if __name__ == "__main__":
    main()
