"""A store in a volume group, by programs that answer as LVM's do."""

import os

from harness.host import ENVIRONMENT
from harness.oracle import check_one_copy, wait_for_rest
from harness.registry import add
from harness.world import World

EXTENT = 4 << 20
FAKE = """#!/bin/sh
echo "$0 $*" >>/var/tmp/lvm/calls
case $* in
  *vg_extent_size*) echo %d ;;
  *vg_free*) echo 1073741824 ;;
  *) exit 5 ;;
esac
"""


def use_volume_group(host):
    """teleportd of this host makes arriving disks in vg0 from now on."""
    os.makedirs(host.path("/var/tmp/lvm"))
    for name in ("vgs", "lvs", "lvcreate"):
        path = host.path(f"/var/tmp/lvm/{name}")
        with open(path, "w", encoding="ascii") as file:
            file.write(FAKE % EXTENT)
        os.chmod(path, 0o755)
    with open(host.path("/etc/xen/teleport.conf"), "a", encoding="ascii") as file:
        file.write('[store]\nkind = "lvm"\npath = "vg0"\n')
    host.kill("teleportd")
    host.start_teleportd({"PATH": "/var/tmp/lvm:" + ENVIRONMENT["PATH"]})


def odd_size(*options):
    """A disk of 5 MiB where volumes are multiples of 4."""
    with World() as world:
        use_volume_group(world.there)
        guest = world.start_guest(world.here, mib=5)
        report = world.teleport(guest, world.here, *options).expect(3)
        problem, = report["problems"]
        assert problem["code"] == "disk_size", report
        assert f"multiples of {EXTENT} bytes" in problem["sentence"], report
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        # Nothing was begun: no entry, and no volume was asked for.
        assert world.there.journal("destination") == {}
        with open(world.there.path("/var/tmp/lvm/calls"), encoding="ascii") as file:
            assert "lvcreate" not in file.read()


add("a disk that no volume can hold is found out before anything is begun", odd_size)
add("a disk that no volume can hold is named by --dry-run",
    lambda: odd_size("--dry-run"))
