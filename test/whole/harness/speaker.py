"""A paired host whose root says what it likes, with the host's own key. Run on a
host of the harness by python3: sends each record, waits for the answer to it,
and prints the answer's number and body in hexadecimal. Ends when the link does,
or after the last answer.

    speaker.py ADDRESS FILE, whose lines are NUMBER:BODY-IN-HEX; records that are
    joined by "+" are sent together, and one answer is waited for; "-" sends
    nothing and waits
"""

import contextlib
import socket
import ssl
import struct
import sys

KEYS = "/etc/xen/teleport/host"


def records(link):
    heard = b""
    while True:
        while len(heard) >= 8:
            length, kind, _ = struct.unpack("<IHH", heard[:8])
            if len(heard) < 8 + length:
                break
            yield kind, heard[8:8 + length]
            heard = heard[8 + length:]
        try:
            piece = link.recv(65536)
        except OSError:
            return
        if not piece:
            return
        heard += piece


def framed(number, body):
    return struct.pack("<IHH", len(body), number, 0) + body


@contextlib.contextmanager
def connected(address):
    """A session's link to a host, with this host's key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(KEYS + ".crt", KEYS + ".key")
    with socket.create_connection((address, 8744)) as plain, \
            context.wrap_socket(plain) as link:
        yield link


def main():
    with open(sys.argv[2], encoding="ascii") as file:
        words = file.read().split()
    with connected(sys.argv[1]) as link:
        hello = b"TELEPORT" + struct.pack("<II", 3, 4) + b"evil"
        heard = records(link)
        for together in [framed(1, hello)] + [
                b"".join(framed(int(kind), bytes.fromhex(text)) for kind, text in
                         (record.split(":") for record in word.split("+")
                          if record != "-"))
                for word in words]:
            try:
                link.sendall(together)
            except OSError:
                return
            answer = next(heard, None)
            if answer is None:
                return
            print(answer[0], answer[1].hex(), flush=True)


if __name__ == "__main__":
    main()
