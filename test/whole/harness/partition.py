"""A partition of a host's disk: a device that keeps its name for good.

The kernel is told of it as by partprobe, and the host's udev, which there is
none of, by its database, from which a partition's PARTUUID is read. The link
that udev would make is in /dev of this machine, and gone at the end.
"""

import ctypes
import fcntl
import os
import random
import struct
import uuid

from harness import loops

_BLKPG, _ADD = 0x1269, 1
_LINKS = "/dev/disk/by-partuuid"
_START = 1 << 20


class Partition:
    """The first of a disk of its own. path: as a configuration names it."""

    def __init__(self, host, mib=8):
        self.host = host
        self.size = mib << 20
        self.partuuid = str(uuid.uuid4())
        self.path = f"{_LINKS}/{self.partuuid}"
        self._file = host.path(f"/var/lib/xen/{self.partuuid}.disk")
        with open(self._file, "wb") as file:
            file.seek(_START)
            file.write(random.Random(self.partuuid).randbytes(self.size // 3))
            file.truncate(_START + self.size)
        self.plug_in()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._unlink()

    def plug_in(self):
        """What a boot of the host does: the disk has any free number."""
        disk = loops.attach_free(self._file, loops.DIRECT | loops.PARTITIONED)
        with open(disk, "rb") as opened:
            what = struct.pack("qqi64s64s4x", _START, self.size, 1, b"", b"")
            body = ctypes.create_string_buffer(what, len(what))
            fcntl.ioctl(opened, _BLKPG, struct.pack(
                "iii4xQ", _ADD, 0, len(body), ctypes.addressof(body)))
        device = disk + "p1"
        number = os.stat(device).st_rdev
        self._unlink()
        os.makedirs(_LINKS, exist_ok=True)
        os.symlink(device, self.path)
        database = self.host.path("/run/udev/data")
        os.makedirs(database, exist_ok=True)
        with open(f"{database}/b{os.major(number)}:{os.minor(number)}", "w",
                  encoding="ascii") as file:
            file.write(f"E:ID_PART_ENTRY_UUID={self.partuuid}\n")

    def _unlink(self):
        if os.path.lexists(self.path):
            os.unlink(self.path)
