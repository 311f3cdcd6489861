#!/usr/bin/env python3
"""decode.py [--image FILE]... [--final FILE]... [--engine] [--broken] TRACE...

Checks recorded sessions against PROTOCOL.md, from which alone it was written:
every field and limit, what comes when, the zstd stream, every digest. With
--image it knows what each disk holds and does not change, with --final what they
hold at the end. --engine: the exchange of section 4 alone; the disks' sizes are
those of --final. --broken: the link was cut; the last record is not looked for. Prints a
line for each trace; exits with 1 at the first that breaks a rule.
"""
import argparse
import collections
import sys

import trace
from fields import Refused
from session import Session


def contents(paths):
    found = []
    for path in paths:
        with open(path, "rb") as file:
            found.append(file.read())
    return found


def known_disks(image, final):
    """What of the disks is known all the time, and what at the end."""
    images = contents(image) or None
    return images, contents(final) or images


def decode(found, images, known, engine=False, broken=False):
    """@raises Refused where a rule is broken"""
    session = Session([len(disk) for disk in known] if engine else None, images)
    for side, lane, data in found:
        session.feed(side, lane, data)
    if not broken and not engine:
        session.check_end()
    if known and not (broken and known is images):
        session.disks.check_end(known)
    return session


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--final", action="append", default=[])
    parser.add_argument("--engine", action="store_true")
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("traces", nargs="+")
    asked = parser.parse_args()
    images, known = known_disks(asked.image, asked.final)
    for path in asked.traces:
        try:
            session = decode(trace.pieces(path), images, known, asked.engine, asked.broken)
        except Refused as refused:
            sys.exit(f"{path}: {refused}")
        told = ", ".join(f"{count} {name}" for name, count in collections.Counter(session.names).items())
        print(f"{path}: {told}; {session.told()}")


if __name__ == "__main__":
    main()
