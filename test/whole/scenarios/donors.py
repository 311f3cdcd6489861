"""The index is a hint: whatever it says of the disks at the destination, an
arriving disk is whole. That is looked at by the false xl, byte for byte."""

import json
import os

from harness.host import CONFIGURATION
from harness.oracle import check_at_rest
from harness.registry import test
from harness.world import MIB, World
from scenarios.destructions import leave_node

IMAGE = "/var/lib/xen/images/web1-xvda.img"
FOLDER = "/var/lib/donors"
BLOCK = 4096


def make_guest(world):
    """A guest that does next to nothing, which would count as gaps.
    @return it, and the blocks of its disk that are not zero"""
    guest = world.make_guest(world.here)
    guest.write_every(100)
    with open(world.here.path(IMAGE), "rb") as file:
        content = file.read()
    blocks = [content[at:at + BLOCK] for at in range(0, len(content), BLOCK)]
    return guest, [block for block in blocks if any(block)]


def index_donors(world, blocks):
    """At the destination: half of the blocks in each of two disks, in another
    order than the guest has them. @return the disks' paths on this machine"""
    os.makedirs(world.there.path(FOLDER))
    half = len(blocks) // 2
    paths = []
    for name, part in (("rich.img", blocks[:half]), ("plain.img", blocks[half:])):
        paths.append(world.there.path(f"{FOLDER}/{name}"))
        with open(paths[-1], "wb") as file:
            file.write(b"".join(reversed(part)))
    world.there.run("teleportctl", "index", "add", FOLDER)
    return paths


def move(world, guest):
    """@return where the bulk's bytes came from"""
    world.here.run("xl", "create", "/etc/xen/web1.cfg")
    guest.wait_for_records(world.here)
    report = world.teleport(guest, world.here).expect(0)
    assert report["disks"][0]["kind"] == "new", report
    check_at_rest(world, guest)
    print(report["bulk"])
    return report["bulk"]


def check_about(bytes_found, blocks):
    """Some blocks the guest has written since it was started."""
    wanted = len(blocks) * BLOCK
    assert 0.8 * wanted <= bytes_found <= 1.2 * wanted, (bytes_found, wanted)


@test("without an index everything crosses the link")
def absent():
    with World() as world:
        guest, blocks = make_guest(world)
        bulk = move(world, guest)
        assert bulk["donors"] == 0, bulk
        check_about(bulk["link"], blocks)


@test("what other disks at the destination hold does not cross the link")
def honest():
    with World() as world:
        guest, blocks = make_guest(world)
        index_donors(world, blocks)
        bulk = move(world, guest)
        check_about(bulk["donors"], blocks)
        assert bulk["link"] < len(blocks) * BLOCK / 5, bulk


@test("donors that were overwritten and deleted since give what is left of them")
def stale():
    with World() as world:
        guest, blocks = make_guest(world)
        rich, plain = index_donors(world, blocks)
        os.remove(plain)
        size = os.path.getsize(rich)
        with open(rich, "r+b") as file:
            file.write(os.urandom(size // 2))
        bulk = move(world, guest)
        # A half of the one of two.
        check_about(bulk["donors"], blocks[:len(blocks) // 4])
        check_about(bulk["link"], blocks[len(blocks) // 4:])


def swap_neighbours(path):
    """The blocks change places; the size and the times stay."""
    before = os.stat(path)
    with open(path, "r+b") as file:
        content = file.read()
        for at in range(0, len(content) - 2 * BLOCK + 1, 2 * BLOCK):
            file.seek(at)
            file.write(content[at + BLOCK:at + 2 * BLOCK] + content[at:at + BLOCK])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@test("donors that lie are found out, and everything crosses the link")
def lying():
    with World() as world:
        guest, blocks = make_guest(world)
        for path in index_donors(world, blocks):
            swap_neighbours(path)
        said = json.loads(world.there.run("teleportctl", "index", "list", "--json")[1])
        assert [one["state"] for one in said] == ["fresh", "fresh"], said
        bulk = move(world, guest)
        check_about(bulk["link"], blocks)
        assert bulk["donors"] < len(blocks) * BLOCK / 20, bulk


@test("a disk's node that outlived its domain makes no disk a guest's donor")
def node_outlived():
    with World() as world:
        other = "/var/tmp/other.img"
        with open(world.there.path(other), "wb") as file:
            file.write(os.urandom(MIB))
        device = world.there.run("losetup", "--find", "--show", other)[1].strip()
        leave_node(world.there, int(device.removeprefix("/dev/loop")), "4")
        world.there.kill("teleportd")
        world.there.configure(CONFIGURATION.replace(
            "keep_fresh = false", 'donors = "auto"\nquiet_seconds = 1'))
        world.start_guest(world.there)
        world.there.start_teleportd()
        world.there.wait_for_log(f"{IMAGE}: scanned")
        said = json.loads(world.there.run("teleportctl", "index", "list", "--json")[1])
        assert [one["path"] for one in said] == [IMAGE], said


@test("a disk that a donor has wholly crosses the link by less than a fiftieth")
def proven_to_be_possessed():
    with World() as world:
        image, size = "/var/lib/xen/images/random.img", 64 * MIB
        content = os.urandom(size)
        for host in world.hosts:
            with open(host.path(image), "wb") as file:
                file.write(content)
        world.there.run("teleportctl", "index", "add", image)
        said = world.here.run("teleportctl", "seed", "--json", "--reconnect", "0",
                              "--disk", image, "--as", "random:xvda",
                              world.there.address)[1]
        report = json.loads(said.splitlines()[-1])
        print(f"of {size} bytes: {report['bulk']}, {report['link']}")
        # One block in 64 proves that the source has what it has the digests of.
        assert report["bulk"]["link"] == size // 64, report
        assert report["bulk"]["donors"] == size - size // 64, report
        assert report["link"]["sent"] < size / 50, report
