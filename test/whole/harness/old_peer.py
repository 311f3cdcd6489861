"""A source of another release, as far as it asks what became of a teleport: run
on a host of the harness by python3, which prints number and body of each record
that comes back.

    old_peer.py ADDRESS VERSION NUMBER BODY-IN-HEX
"""

import socket
import ssl
import struct
import sys

KEYS = "/etc/xen/teleport/host"


def record(number, body):
    return struct.pack("<IHH", len(body), number, 0) + body


def main():
    address, version, number, body = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(KEYS + ".crt", KEYS + ".key")
    hello = b"TELEPORT" + struct.pack("<II", int(version), 0)
    with socket.create_connection((address, 8744)) as plain, \
            context.wrap_socket(plain) as link:
        link.sendall(record(1, hello) + record(int(number), bytes.fromhex(body)))
        heard = b""
        while piece := link.recv(4096):
            heard += piece
    while heard:
        length, kind, _ = struct.unpack("<IHH", heard[:8])
        print(kind, heard[8:8 + length].hex())
        heard = heard[8 + length:]


if __name__ == "__main__":
    main()
