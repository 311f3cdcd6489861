"""A paired host that offers a harmless guest and then sends the configuration of
something else. libxl would build it as root: it must never hear of it."""

import copy
import json
import os
import shutil

from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World, Wrong
from scenarios.hostile_peers import (ANSWER, FAIL, IMAGES, PREPARE, PREPARED, UUID,
                                     speak)

OFFER, GUEST_CONFIG, STREAM_PIECE = 2, 13, 14
OTHER_UUID = "1" * 8 + UUID[8:]
DISK = {"vdev": "xvdb", "backend": "phy", "format": "raw"}
HARMLESS = {"c_info": {"type": "pvh", "name": "harmless", "uuid": UUID},
            "b_info": {"max_memkb": 65536, "max_vcpus": 1}, "disks": []}

# What GUEST_CONFIG has instead, and what the refusal must say.
EVIL = {
    "another name": ({"c_info": {"name": "web1"}}, "it is of web1"),
    "another uuid": ({"c_info": {"uuid": OTHER_UUID}}, OTHER_UUID),
    "another type": ({"c_info": {"type": "pv"}}, "another type"),
    "more memory": ({"b_info": {"max_memkb": 1 << 30}}, "KiB of memory"),
    "more processors": ({"b_info": {"max_vcpus": 64}}, "64 vcpus"),
    "the host's files as a p9 share": ({"p9s": [
        {"tag": "x", "path": "/", "security_model": "none"}]}, "p9="),
    "a device model": ({"b_info": {"device_model": "/tmp/evil"}},
                       "device_model_override="),
    "a device model's user": ({"b_info": {"device_model_user": "root"}},
                              "b_info.device_model_user"),
    "arguments of the device model": ({"b_info": {"extra": ["-monitor", "stdio"]}},
                                      "b_info.extra"),
    "a device of the host": ({"pcidevs": [{"dev": 1, "seize": "True"}]}, "pci="),
    "memory of a device": ({"b_info": {"iomem": [{"start": 1, "number": 1}]}},
                           "b_info.iomem"),
    "ports of a device": ({"b_info": {"ioports": [{"first": 1, "number": 1}]}},
                          "b_info.ioports"),
    "a socket of the host": ({"channels": [{"name": "x", "connection.socket": {
        "path": "/run/evil"}}]}, "channel="),
    "an interface with a script": ({"nics": [{"script": "/tmp/evil"}]},
                                   "nics[0].script"),
    "a disk with only a script": ({"disks": [{**DISK, "script": "/tmp/evil"}]},
                                  "script"),
    "a disk that was not offered": ({"disks": [{**DISK, "pdev_path": "/dev/sda"}]},
                                    "disk xvdb has no place"),
    "a kernel that is not listed": ({"b_info": {"kernel": "/etc/shadow"}},
                                    "/etc/shadow"),
    "a ramdisk of this host": ({"b_info": {"ramdisk": "/boot/initrd.img"}},
                               "/boot/initrd.img"),
    "a boot loader": ({"b_info": {"bootloader": "/tmp/evil"}}, "/tmp/evil"),
    "a field that nobody knows": ({"wishes": [1]}, "wishes"),
    "nested brackets": ("[" * 100000, "guest configuration"),
}


def with_change(change):
    if isinstance(change, str):
        return change.encode()
    config = copy.deepcopy(HARMLESS)
    for key, value in change.items():
        if isinstance(value, dict):
            config[key].update(value)
        else:
            config[key] = value
    return json.dumps(config).encode()


def offer(config=HARMLESS, boot_files=()):
    """A guest without disks: nothing has to be proven before GUEST_CONFIG."""
    guest = {"domid": 7, "name": "harmless", "uuid": UUID, "type": "pvh",
             "max_memory_kib": 65536, "vcpus": 1, "config_json": json.dumps(config),
             "disks": [], "bridges": [], "boot_files": list(boot_files),
             "has_passthrough": False}
    source = {"xen_version": "4.17", "xen_extra": ".5", "free_memory_kib": 0,
              "cpu_capabilities": [], "guest_names": [], "guest_uuids": [],
              "hap": True}
    return OFFER, json.dumps({"id": offer.ids.pop(), "live": True, "guest": guest,
                              "source": source}).encode()


offer.ids = [f"{number:032x}" for number in range(1000)]


def send_config(world, config, *further):
    """What is heard last."""
    heard = speak(world.here, world.there, offer(), (PREPARE, b""),
                  [(GUEST_CONFIG, config), *further])
    assert heard[1][0] == ANSWER and heard[2][0] == PREPARED, heard
    return heard[-1]


WRONG_PIECE = (STREAM_PIECE, b"\x09")


def domains_so_far(host):
    with open(host.path("/run/fake-xen/next-domid"), encoding="ascii") as file:
        return int(file.read())


@test("what a guest's configuration must not have is refused by name, and nothing "
      "is built")
def evil_configurations():
    with World() as world:
        # What was offered is not refused: the piece behind it is.
        number, body = send_config(world, with_change({}), WRONG_PIECE)
        assert number == FAIL and b"guest configuration" not in body, body
        wait_for_rest(world)
        before = (world.there.images(), domains_so_far(world.there))
        for what, (change, said) in EVIL.items():
            number, body = send_config(world, with_change(change))
            if number != FAIL or said not in body.decode(errors="replace"):
                raise Wrong("left over", f"{what}: {number} {body}")
            wait_for_rest(world)
            after = (world.there.images(), domains_so_far(world.there))
            if after != before or world.there.domains():
                raise Wrong("left over", f"{what} left {after}")
        states = [one["state"] for one in world.there.journal("destination").values()]
        assert states == ["abandoned"] * (len(EVIL) + 1), states
        assert not world.there.kept_disks(), world.there.kept_disks()
        assert "killed by signal" not in world.there.log("teleportd.log")


@test("an offer tells of no file but those that its host lists")
def files_here():
    listed = "/boot/vmlinuz-of-nobody"
    with World() as world:
        # Some are here and some are not: which, is not told.
        heard = speak(world.here, world.there, offer(boot_files=[
            "/etc/xen/teleport/host.key", "/etc/xen/teleport/no.key", "/etc/passwd",
            "/boot/../etc/passwd", "/boot/../etc/nothing", listed]))
        number, body = heard[-1]
        assert number == ANSWER, heard
        told = json.loads(body)["problems"]["problems"]
        assert [one["code"] for one in told] == ["boot_file"], told
        assert listed in told[0]["sentence"], told


@test("a source that offers again and again is refused, also one that reads nothing")
def many_offers():
    with World() as world:
        before = (world.there.images(), world.there.journal("destination"))
        refused = offer({**HARMLESS, "p9s": [{"tag": "x"}]})
        heard = speak(world.here, world.there, *[refused] * 5)
        assert [one[0] for one in heard[1:]] == [ANSWER] * 4 + [FAIL], heard
        assert b"more than 4 OFFERs" in heard[-1][1], heard[-1]
        # A second one before the first is answered.
        heard = speak(world.here, world.there, [refused, refused], [])
        assert heard[-1][0] == FAIL, heard
        wait_for_rest(world)
        assert (world.there.images(), world.there.journal("destination")) == before


@test("another paired host at the destination's address is sent nothing")
def another_host_answers():
    with World() as world:
        guest = world.start_guest(world.here)
        # beta's address is answered by a third host, which alpha has paired, too.
        world.there.kill("teleportd")
        keys = world.there.path("/etc/xen/teleport")
        for name in ("host.crt", "host.key"):
            os.remove(os.path.join(keys, name))
        world.there.start_teleportd()
        shutil.copy(os.path.join(keys, "host.crt"),
                    world.here.path("/etc/xen/teleport/peers/host3.crt"))
        said = "10.0.2.1 answered with the key of host3"
        move = world.teleport(guest, world.here)
        move.expect(3)
        assert said in move.said, move.said
        code, told = world.here.run(
            "teleportctl", "seed", "--reconnect", "0", "--disk",
            IMAGES + "web1-xvda.img", "--as", "web1:xvda", world.there.address,
            check=False)
        assert code == 1 and said in told, (code, told)
        wait_for_rest(world)
        log = world.there.log("teleportd.log")
        assert "web1" not in log and UUID not in log, log
        assert world.there.images() == [] and not world.there.kept_disks()
        assert world.there.journal("destination") == {}
        guest.check_runs_on(world.here)
        check_at_rest(world, guest)
