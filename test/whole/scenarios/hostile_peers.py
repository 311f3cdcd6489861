"""What a paired host sends that is its own root's choice, and not a guest's."""

import ctypes
import ctypes.util
import glob
import hashlib
import json
import os
import struct
import subprocess

from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import add, test
from harness.world import MIB, World, Wrong

ANSWER, PREPARE, PREPARED, FAIL, QUERY, SEED = 3, 4, 5, 18, 19, 32
EXTENTS, EXTENT_STATES, BLOCK_DIGESTS, WANTED, EXTENT_DATA = 6, 7, 8, 9, 10
PROVEN, WANTS_DIGESTS, MISMATCH = 1, 2, 3
IMAGES = "/var/lib/xen/images/"
UUID = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11"  # of web1

EVIL_OPTIONS = """
name = "other"
memory = 999999
p9 = [ 'tag=x,path=/,security_model=none' ]
device_model_override = '/tmp/evil'; device_model_args = [ '-evil' ]
bootloader = "/tmp/evil"
vif = [ 'bridge=xenbr0,script=/tmp/evil' ]
pci = [ '01:00.0,seize=1' ]
extra = 'quiet'
"""


def speaker(host, to, *records):
    """Its command: sends each record, or each list of records together, and waits
    for one answer each time."""
    words = ["+".join(f"{number}:{body.hex()}" for number, body in
                      (one if isinstance(one, list) else [one])) or "-"
             for one in records]
    with open(host.path("/var/tmp/words"), "w", encoding="ascii") as file:
        file.write("\n".join(words))
    return "python3", host.bring("speaker.py"), to.address, "/var/tmp/words"


def as_heard(line):
    kind, body = line.split(" ")
    return int(kind), bytes.fromhex(body)


def speak(host, to, *records):
    """[(number, body)] of what is heard: HELLO, then each answer."""
    said = host.run(*speaker(host, to, *records))[1]
    return [as_heard(line) for line in said.splitlines()]


class OpenSession:
    """A speaker that waits after its last answer: for what is said by itself."""

    def __init__(self, world, host, to, *records):
        self._program = host.spawn(*speaker(host, to, *records, []),
                                   output=subprocess.PIPE)
        world.end_with(self._program)
        self.heard = [self.hear() for _ in range(len(records) + 1)]

    def hear(self):
        """The next; None at the end."""
        line = self._program.stdout.readline().decode()
        return as_heard(line) if line else None


def seed(name, uuid, size=8 * MIB):
    disks = [{"vdev": "xvda", "size": size}]
    return SEED, json.dumps({"name": name, "uuid": uuid, "disks": disks}).encode()


def uuid_of_name(name):
    """PROTOCOL.md, section 7.1."""
    digits = list(hashlib.sha256(b"xl-teleport guest " + name.encode()).hexdigest()[:32])
    digits[12] = digits[16] = "8"
    text = "".join(digits)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Announced:
    """A MiB on the first disk, by what PROTOCOL.md, section 4, says of it."""

    def __init__(self, content):
        self.content = content
        self.digest = hashlib.sha256(content).digest()
        self.blocks = [content[at:at + 4096] for at in range(0, MIB, 4096)]

    def records(self):
        """EXTENTS and BLOCK_DIGESTS."""
        xxhash = ctypes.CDLL(ctypes.util.find_library("xxhash"))
        xxhash.XXH3_64bits.restype = ctypes.c_uint64
        digests = [xxhash.XXH3_64bits(block, len(block)) for block in self.blocks]
        return [(EXTENTS, struct.pack("<HQHBH", 0, 0, 1, 1, 1) + self.digest),
                (BLOCK_DIGESTS, struct.pack("<HQ32xH256Q", 0, 0, 256, *digests))]

    def data(self, mask, content=None):
        """EXTENT_DATA of the blocks in a mask, their own bytes or others."""
        wanted = [i for i in range(256) if mask[i // 8] >> i % 8 & 1]
        payload = b"".join(content or self.blocks[i] for i in wanted)
        return (EXTENT_DATA, struct.pack("<HQ", 0, 0) + self.digest + mask + bytes(32) +
                struct.pack("<IBI", len(payload), 0, len(payload)) + payload)


def heard_states(record):
    """What EXTENT_STATES says of one extent."""
    assert record[0] == EXTENT_STATES and len(record[1]) == 13, record
    return record[1][12]


@test("the digests of a MiB that another guest has yield nothing of it")
def digests_alone():
    with World() as world:
        world.make_guest(world.there)
        image = world.there.path(IMAGES + "web1-xvda.img")
        with open(image, "rb") as disk:
            secret = Announced(disk.read(MIB))
        world.there.run("teleportctl", "index", "add", IMAGES + "web1-xvda.img")
        begin = [seed("evil", "1" * 8 + UUID[8:], MIB), (PREPARE, b""),
                 *secret.records()]
        def attack(*further):
            """What is heard from WANTED on."""
            heard = speak(world.here, world.there, *begin, *further)
            assert heard_states(heard[3]) == WANTS_DIGESTS, heard[3]
            wait_for_rest(world)
            return heard[4:]

        def check_target(*there):
            kept, = world.there.kept_disks()
            with open(world.there.path(kept["path"]), "rb") as file:
                bytes_there = file.read()
            for block in secret.blocks:
                if (block in bytes_there) != bool(there):
                    raise Wrong("another's disk", f"{kept} has blocks of the other's: "
                                f"{not there}")

        (number, wanted), = attack()
        mask = wanted[10:]
        # The index has found all: these are to be proven.
        assert number == WANTED and int.from_bytes(mask, "little").bit_count() == 4
        check_target()
        # Another session asks for others.
        (number, wanted), = attack()
        assert number == WANTED and wanted[10:] != mask
        everything = bytes([255] * 32)
        made_up = secret.data(everything, b"\x55" * 4096)
        answers = attack(made_up, made_up)
        assert heard_states(answers[1]) == MISMATCH and answers[2][0] == FAIL, answers
        check_target()
        answers = attack(secret.data(everything))
        assert heard_states(answers[1]) == PROVEN, answers
        check_target("all")


def guessing(extents, at_once=64):
    """Records of a seed whose blocks' digests are guessed, and are of zeros."""
    zeros = hashlib.sha256(bytes(MIB)).digest()
    all_zero = bytes(32) + bytes([255] * 32)
    words = [seed("evil", "1" * 8 + UUID[8:], extents * MIB), (PREPARE, b"")]
    for first in range(0, extents, at_once):
        places = [struct.pack("<HQ", 0, first + i) for i in range(at_once)]
        words.append((EXTENTS, struct.pack("<HQHBH", 0, first, at_once, 1, at_once) +
                      b"".join(hashlib.sha256(place).digest() for place in places)))
        words.append([(BLOCK_DIGESTS, place + bytes(32) + struct.pack(
            "<H256Q", 256, *(number * 256 + i for i in range(256))))
            for number, place in enumerate(places, first)])
        words += [[]] * (at_once - 1)
        words.append([(EXTENT_DATA, place + zeros + all_zero + bytes(9))
                      for place in places])
        words += [[]] * (at_once - 1)
    return words


@test("a source that guesses blocks by their digests is refused, and logged")
def guesses():
    limit, at_once = 2048, 64
    with World() as world:
        heard = speak(world.here, world.there,
                      *guessing(limit + 2 * at_once, at_once))
        assert heard[-1][0] == FAIL, heard[-1]
        assert b"digests that are of nothing that it has" in heard[-1][1], heard[-1]
        # What had been named before has its answer, and nothing after it.
        asked = sum(1 for one in heard if one[0] == WANTED)
        assert asked == limit + at_once, asked
        wait_for_rest(world)
        assert "alpha named 540672 blocks by their digests: 0 as they then were" in \
            world.there.log("teleportd.log"), world.there.log("teleportd.log")[-1000:]


@test("digests that are guessed count in all sessions of their host")
def guesses_of_a_day():
    image, size, limit = IMAGES + "random.img", 4 * MIB, 8388608
    content = os.urandom(size)
    with World() as world:
        for host in world.hosts:
            with open(host.path(image), "wb") as file:
                file.write(content)
        world.there.run("teleportctl", "index", "add", image)
        begin = guessing(128)
        speak(world.here, world.there, *begin)
        wait_for_rest(world)
        # Those were brought, and untrue. These are named, and not brought.
        not_brought = begin[:4 + 63]
        speak(world.here, world.there, *not_brought)
        wait_for_rest(world)
        counts, = glob.glob(world.there.path("/run/xl-teleport/untrue-") + "*")
        with open(counts, "r+b") as file:
            words = list(struct.unpack("=24Q", file.read()))
            assert sum(word % 2**40 for word in words) == (128 + 64) * 256, words
            # What more of these would bring it to.
            file.seek(0)
            words[words.index(max(words))] += limit - (128 + 64) * 256
            file.write(struct.pack("=24Q", *words))

        def seed_random(vdev):
            said = world.here.run("teleportctl", "seed", "--json", "--reconnect", "0",
                                  "--disk", image, "--as", f"random:{vdev}",
                                  world.there.address)[1]
            return json.loads(said.splitlines()[-1])["bulk"]["donors"]

        world.there.kill("teleportd")
        world.there.start_teleportd()
        assert seed_random("xvda") == size - size // 64
        speak(world.here, world.there, *not_brought)
        wait_for_rest(world)
        assert seed_random("xvdb") == 0
        assert "its guests' disks are rebuilt from no disk of this host" in \
            world.there.log("teleportd.log")


@test("a seed of another size leaves what is kept as it is")
def cut_shadow():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        shadow = world.here.path(IMAGES + "web1-xvda.img.teleport-shadow")
        with open(shadow, "rb") as file:
            before = file.read()
        for size in (512, 4 * MIB):
            heard = speak(world.there, world.here, seed("evil", UUID, size))
            assert heard[1][0] == ANSWER and b"disk_size" in heard[1][1], heard
        with open(shadow, "rb") as file:
            if file.read() != before:
                raise Wrong("lost write", "the shadow was cut or written")
        assert world.here.kept_disks()[0]["path"], world.here.kept_disks()
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        check_at_rest(world, guest)


def one_session(words):
    """An entry whose name and uuid do not belong together, and then both."""
    with World() as world:
        guest = world.start_guest(world.here)
        heard = speak(world.here, world.there, seed("evil", UUID), (PREPARE, b""))
        assert heard[-1][0] == PREPARED, heard
        wait_for_rest(world)
        gate = world.there.hold("receive.restored.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        heard = speak(world.here, world.there, seed("evil", words))
        if not json.loads(heard[-1][1])["problems"]["problems"]:
            heard = speak(world.here, world.there, seed("evil", words), (PREPARE, b""))
            if heard[-1][0] != FAIL:
                raise Wrong("another's disk", f"two sessions have it: {heard}")
        gate.release()
        move.expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_one_copy(world, guest, world.there)


for the_words, said in ((uuid_of_name("evil"), "name"), (UUID, "uuid")):
    add(f"a disk that a teleport fills is no other session's, asked for by its {said}",
        lambda w=the_words: one_session(w))


@test("the file that a guest brings along gives it nothing of its new host")
def start_file():
    with World() as world:
        guest = world.start_guest(world.here)
        with open(world.here.path("/etc/xen/web1.cfg"), "a", encoding="ascii") as file:
            file.write(EVIL_OPTIONS)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        with open(world.there.path("/etc/xen/web1.cfg"), encoding="ascii") as file:
            text = file.read()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        for word in ("evil", "path=/", "seize", "999999", "other", "p9"):
            if any(word in line for line in lines):
                raise Wrong("startable", f"{word} is in the file: {text}")
        assert "extra = 'quiet'" in lines and "left out" in text, text
        world.power_loss(world.there)
        world.there.start_services()
        guest.wait_for_records(world.there)
        check_one_copy(world, guest, world.there)


@test("queries with numbers that nobody knows leave nothing behind")
def many_queries():
    with World() as world:
        guest = world.start_guest(world.there)
        before = None
        for number in range(5):
            heard = speak(world.here, world.there,
                          (QUERY, f"{number:032x}{guest.uuid}".encode()))
            assert heard[-1][0] == 20, heard
            # The first session of a host makes what counts its digests.
            if before is None:
                before = sorted(os.listdir(world.there.path("/run/xl-teleport")))
        assert world.there.journal("destination") == {}
        assert sorted(os.listdir(world.there.path("/run/xl-teleport"))) == before
