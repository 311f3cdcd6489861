"""What a paired host sends that is its own root's choice, and not a guest's."""

import hashlib
import json
import os

from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import add, test
from harness.world import MIB, World, Wrong

ANSWER, PREPARE, PREPARED, FAIL, QUERY, SEED = 3, 4, 5, 18, 19, 32
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


def run_speaker(host, to, *words):
    with open(host.path("/var/tmp/words"), "w", encoding="ascii") as file:
        file.write("\n".join(words))
    return host.run("python3", host.bring("speaker.py"), to.address,
                    "/var/tmp/words")[1]


def speak(host, to, *records):
    """[(number, body)] of what is heard: HELLO, then an answer to each record, or
    to each list of records that are sent together."""
    words = ["+".join(f"{number}:{body.hex()}" for number, body in
                      (one if isinstance(one, list) else [one])) for one in records]
    said = run_speaker(host, to, *words)
    return [(int(kind), bytes.fromhex(body)) for kind, body in
            (line.split(" ") for line in said.splitlines())]


def seed(name, uuid, size=8 * MIB):
    disks = [{"vdev": "xvda", "size": size}]
    return SEED, json.dumps({"name": name, "uuid": uuid, "disks": disks}).encode()


def uuid_of_name(name):
    """PROTOCOL.md, section 7.1."""
    digits = list(hashlib.sha256(b"xl-teleport guest " + name.encode()).hexdigest()[:32])
    digits[12] = digits[16] = "8"
    text = "".join(digits)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


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
        before = sorted(os.listdir(world.there.path("/run/xl-teleport")))
        for number in range(5):
            heard = speak(world.here, world.there,
                          (QUERY, f"{number:032x}{guest.uuid}".encode()))
            assert heard[-1][0] == 20, heard
        assert world.there.journal("destination") == {}
        assert sorted(os.listdir(world.there.path("/run/xl-teleport"))) == before
