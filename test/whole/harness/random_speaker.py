"""A paired host whose root sends at random, with the host's own key: sessions that
begin as they should and leave the order, records that are cut, lengthened or
changed, numbers and lengths that nobody has. Run on a host by python3.

    random_speaker.py ADDRESS SEED SESSIONS UUID-OF-ANOTHER'S-GUEST

Prints how many records of each number were sent and heard.
"""

import collections
import hashlib
import json
import random
import select
import struct
import sys

from speaker import connected, framed, records

MIB = 1 << 20
HELLO, OFFER, PREPARE, EXTENTS, BLOCK_DIGESTS, EXTENT_DATA = 1, 2, 4, 6, 8, 10
DISKS_COMPLETE, GUEST_CONFIG, STREAM_PIECE, GO, FAIL, QUERY, SEED = 11, 13, 14, 16, 18, 19, 32
ASK_LANES, JOIN, SLICE = 48, 50, 51
# A seed and a teleport, as they should be; chance leaves the way.
WAYS = ([HELLO, SEED, PREPARE, EXTENTS, BLOCK_DIGESTS, EXTENT_DATA, DISKS_COMPLETE],
        [HELLO, OFFER, PREPARE, GUEST_CONFIG, STREAM_PIECE, STREAM_PIECE, GO],
        [HELLO, QUERY], [HELLO, ASK_LANES, SEED, PREPARE, SLICE, EXTENTS])


class Bodies:
    """Bodies of records that are right, or nearly."""

    def __init__(self, chance, others_uuid):
        self.chance, self.others = chance, others_uuid
        self.name = f"evil{chance.randrange(4)}"
        self.uuid = f"{chance.randrange(4):08x}-0000-4000-8000-000000000000"
        self.block = bytes([chance.randrange(256)]) * 4096

    def guest(self):
        return self.chance.choice([self.uuid] * 9 + [self.others])

    def disks(self):
        size = self.chance.choice([MIB, MIB, MIB, 512, 3 * MIB + 512, 1 << 46, 7])
        return [{"vdev": f"xvd{letter}", "size": size}
                for letter in "abc"[:self.chance.choice([1, 1, 1, 2])]]

    def config(self):
        return {"c_info": {"type": "pvh", "name": self.name, "uuid": self.uuid},
                "b_info": {"max_memkb": 65536, "max_vcpus": 1}, "disks": []}

    def offer(self):
        disks = self.chance.choice([[], [], [
            {"vdev": "xvda", "device": "/dev/loop0", "configured_path": "/x",
             "size": MIB, "read_only": False, "backend": "phy", "is_cdrom": False,
             "major": 7, "minor": 0}]])
        guest = {"domid": 7, "name": self.name, "uuid": self.guest(), "type": "pvh",
                 "max_memory_kib": 65536, "vcpus": 1, "disks": disks, "bridges": [],
                 "config_json": json.dumps(self.config()), "boot_files": [],
                 "has_passthrough": False}
        source = {"xen_version": "4.17", "xen_extra": ".5", "free_memory_kib": 0,
                  "cpu_capabilities": [], "guest_names": [], "guest_uuids": [],
                  "hap": True}
        return {"id": f"{self.chance.getrandbits(128):032x}", "live": True,
                "guest": guest, "source": source}

    def place(self):
        return self.chance.choice([(0, 0)] * 6 + [(0, 1), (1, 0), (63, 0), (0, 1 << 63)])

    def masks(self):
        full = bytes([255] * 32)
        return self.chance.choice([(full, bytes(32)), (bytes(32), full), (full, full),
                                   (self.chance.randbytes(32), bytes(32))])

    def of(self, number):
        if number == HELLO:
            return b"TELEPORT" + struct.pack("<II", 3, 4) + b"evil"
        if number == SEED:
            return json.dumps({"name": self.name, "uuid": self.guest(),
                               "disks": self.disks()}).encode()
        if number == OFFER:
            return json.dumps(self.offer()).encode()
        if number == GUEST_CONFIG:
            return json.dumps(self.config()).encode()
        if number == EXTENTS:
            digest = hashlib.sha256(self.block * 256).digest()
            return struct.pack("<HQ", *self.place()) + self.chance.choice(
                [struct.pack("<HBH", 1, 0, 1), struct.pack("<HBH", 1, 1, 1) + digest,
                 struct.pack("<HBH", 64, 0, 64)])
        if number == BLOCK_DIGESTS:
            return struct.pack("<HQ32xH", *self.place(), 256) + \
                self.chance.randbytes(8) * 256
        if number == EXTENT_DATA:
            data, zero = self.masks()
            count = int.from_bytes(data, "little").bit_count()
            return struct.pack("<HQ", *self.place()) + \
                hashlib.sha256(self.block * 256).digest() + data + zero + \
                struct.pack("<IBI", count * 4096, self.chance.choice([0, 0, 2]),
                            count * 4096) + self.block * count
        if number == STREAM_PIECE:
            return bytes([self.chance.randrange(1, 5)]) + \
                self.chance.randbytes(self.chance.randrange(100))
        if number == QUERY:
            return f"{self.chance.getrandbits(128):032x}{self.others}".encode()
        if number in (PREPARE, DISKS_COMPLETE, GO):
            return b""
        return self.chance.randbytes(self.chance.choice([0, 32, 48, 5000]))


def spoil(chance, frame):
    """Cut, lengthened, changed, or with another length in front."""
    how = chance.randrange(5)
    at = chance.randrange(len(frame))
    if how == 0:
        return frame[:at]
    if how == 1:
        return frame + chance.randbytes(chance.randrange(1, 64))
    if how == 2:
        return struct.pack("<I", chance.choice([0, 1, 8 << 20, (1 << 32) - 1])) + frame[4:]
    return frame[:at] + bytes([frame[at] ^ 1 << chance.randrange(8)]) + frame[at + 1:]


def frames(chance, others_uuid):
    bodies = Bodies(chance, others_uuid)
    for number in chance.choice(WAYS):
        if chance.randrange(8) == 0:
            number = chance.choice([*range(1, 21), SEED, 33, ASK_LANES, 49, JOIN, SLICE,
                                    chance.randrange(1 << 16)])
        frame = framed(number, bodies.of(number))
        yield number, spoil(chance, frame) if chance.randrange(10) == 0 else frame


def one_session(chance, address, others_uuid, sent, heard):
    with connected(address) as link:
        link.settimeout(20)
        answers = records(link)
        patient = chance.randrange(4) != 0
        for number, frame in frames(chance, others_uuid):
            try:
                link.sendall(frame)
            except OSError:
                return
            sent[number] += 1
            # What is answered at all is answered soon: who does not wait for it
            # sends the next in another state.
            if patient and select.select([link], [], [], 0.2)[0]:
                answer = next(answers, None)
                if answer is None:
                    return
                heard[answer[0]] += 1


def main():
    address, seed, sessions, others_uuid = sys.argv[1:]
    sent, heard = collections.Counter(), collections.Counter()
    for number in range(int(sessions)):
        chance = random.Random(f"{seed} {number}")
        try:
            one_session(chance, address, others_uuid, sent, heard)
        except OSError:
            heard["ended"] += 1
    print("sent", dict(sorted(sent.items())))
    print("heard", {str(key): count for key, count in heard.items()})


if __name__ == "__main__":
    main()
