#!/usr/bin/env python3
"""damage.py (--image FILE | --final FILE) [--lanes] TRACE: would the decoder see it? Damages a session that it has
accepted: records of every kind are left out, doubled, come from the other side, or
have a byte of their header changed; so have bytes of a body, but of the kinds in FREE.
Each must break a rule. Same damage each time. --image
and --final are those of decode.py. Of a session on several lanes the slices are
damaged, not the records in them; --lanes: they and what else brings lanes, alone.
"""
import argparse
import os
import random
import sys

import trace
from decode import contents, known_disks
from disks import Disks
from fields import Refused
from lanes import Lanes
from session import OF_THE_LINK, RECORDS, TALKS, Session
from talk import ON_DISKS

# Bytes of these say something else without breaking a rule: names, paths and
# sentences for people, and what a destination happens to hold or allow.
FREE = {"HELLO", "OFFER", "ANSWER", "PREPARED", "SEED", "SEEDED", "FAIL", "WANTED", "GUEST_CONFIG", "GO_RESULT",
        "LANES"}


def name_of(record):
    _, lane, data = record
    if lane and data.startswith(b"TPLANE01"):
        return "preamble"
    return RECORDS[int.from_bytes(data[4:6], "little")][0]


def has_rule(name):
    """Something follows from it: left out or doubled, it is missed or one too many."""
    knows = (Disks, Lanes, Session, *TALKS.values())
    return name in FREE or any(hasattr(one, "on_" + name.lower()) for one in knows)


def is_free(name):
    """Nobody but people reads what it says."""
    return name in FREE or not has_rule(name)


def to_damage(record, images):
    """Where in the body a damage must be found."""
    name, end = name_of(record), len(record[2])
    if name == "SLICE" and not images:
        end = 16  # its number; behind that may be what nobody can check
    return range(0) if is_free(name) else range(8, end)


def damages(chance, record, images):
    """Pairs: what was done, and the records that come in its place."""
    side, lane, data = record
    if has_rule(name_of(record)):
        yield "left out", []
        yield "doubled", [record, record]
    yield "from the other side", [("source" if side == "destination" else "destination", lane, data)]
    body = to_damage(record, images)
    # Of the header each byte, of the body some.
    for at in list(range(8)) + chance.sample(body, min(12, len(body))):
        damaged = bytearray(data)
        damaged[at] ^= 1 << chance.randrange(8)
        yield f"byte {at}", [(side, lane, bytes(damaged))]


def is_found(session, rest, known):
    """In a process of its own: the session goes on from here as if nothing had been."""
    child = os.fork()
    if child == 0:
        try:
            for record in rest:
                session.feed(*record)
            session.check_end()
            session.disks.check_end(known)
        except Refused:
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--final", action="append", default=[])
    parser.add_argument("--lanes", action="store_true")
    parser.add_argument("trace")
    asked = parser.parse_args()
    images, known = known_disks(asked.image, asked.final)
    whole = trace.records(trace.pieces(asked.trace))
    chance = random.Random(1)
    by_name = {}
    for i, record in enumerate(whole):
        by_name.setdefault(name_of(record), []).append(i)
    of_lanes = OF_THE_LINK | {"preamble"}
    if not of_lanes <= set(by_name) and (asked.lanes or not ON_DISKS <= set(by_name)):
        sys.exit(f"not in the session: it has {sorted(by_name)} alone")
    kinds = set(by_name) if images else set(by_name) - ON_DISKS
    if asked.lanes:
        kinds = of_lanes
    chosen = {i for name in kinds for i in chance.sample(by_name[name], min(4, len(by_name[name])))}
    session, tried, missed = Session(None, images), 0, []
    for i, record in enumerate(whole):
        for what, instead in damages(chance, record, images) if i in chosen else ():
            tried += 1
            if not is_found(session, instead + whole[i + 1:], known):
                missed.append(f"{name_of(record)} {what}")
        session.feed(*record)
    session.check_end()
    session.disks.check_end(known)
    print(f"{len(kinds)} kinds of records, {tried} times damaged, {tried - len(missed)} times found")
    if missed:
        sys.exit(f"not found: {missed}")


main()
