#!/usr/bin/env python3
"""damage.py TRACE IMAGE: would the decoder see it? Damages a session that it has
accepted, in every kind of record: bytes, and records that are left out, doubled
or exchanged with the next; each must break a rule. Same damage each time.
"""
import random
import sys

import trace
from decode import contents, decode
from fields import Refused
from session import RECORDS

# Bytes of these say something else without breaking a rule: names, paths and
# sentences for people, and what a destination happens to hold.
FREE = {"HELLO", "ANSWER", "PREPARED", "SEED", "SEEDED", "FAIL", "WANTED"}


def name_of(record):
    return RECORDS[int.from_bytes(record[1][4:6], "little")][0]


def is_found(damaged, images):
    try:
        decode(damaged, images)
    except Refused:
        return True
    return False


def main(path, image):
    images = contents([image])
    whole = trace.records(trace.pieces(path))
    decode(whole, images)
    chance = random.Random(1)
    tried, missed = 0, []

    def attempt(what, damaged):
        nonlocal tried
        tried += 1
        if not is_found(damaged, images):
            missed.append(what)

    by_name = {}
    for i, record in enumerate(whole):
        by_name.setdefault(name_of(record), []).append(i)
    for name, places in by_name.items():
        for i in chance.sample(places, min(4, len(places))):
            side, data = whole[i]
            attempt(f"{name} left out", whole[:i] + whole[i + 1:])
            attempt(f"{name} doubled", whole[:i + 1] + whole[i:])
            attempt(f"{name} from the other side",
                    whole[:i] + [("source" if side == "destination" else "destination", data)] + whole[i + 1:])
            # Of the header each byte, of the body some.
            for at in list(range(8)) + ([] if name in FREE else chance.sample(range(8, len(data)), min(12, len(data) - 8))):
                damaged = bytearray(data)
                damaged[at] ^= 1 << chance.randrange(8)
                attempt(f"{name}, byte {at}", whole[:i] + [(side, bytes(damaged))] + whole[i + 1:])
    print(f"{tried} times damaged, {tried - len(missed)} times found")
    if missed:
        sys.exit(f"not found: {missed}")
    if not {"EXTENTS", "EXTENT_STATES", "BLOCK_DIGESTS", "WANTED", "EXTENT_DATA"} <= set(by_name):
        sys.exit(f"not in the session: it has {sorted(by_name)} alone")


main(*sys.argv[1:])
