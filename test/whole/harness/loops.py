"""Loop devices: the kernel has one set of them for all hosts of all tests."""

import fcntl
import json
import os
import subprocess

from harness.events import pack_loop_config

_CLR_FD, _CONFIGURE, _GET_FREE = 0x4C01, 0x4C0A, 0x4C82
# Flags of a loop device: past the page cache; with partitions.
DIRECT, PARTITIONED = 16, 8


def attached():
    """Of each attached device: (its path, device and inode of its file)."""
    out = subprocess.run(
        ["losetup", "--json", "--output", "NAME,BACK-INO,BACK-MAJ:MIN"],
        capture_output=True, check=True, text=True).stdout
    found = []
    for one in json.loads(out)["loopdevices"] if out else []:
        major, minor = one["back-maj:min"].split(":")
        found.append((one["name"],
                      (os.makedev(int(major), int(minor)), int(one["back-ino"]))))
    return found


def files_below(folder):
    """Device and inode of each file below."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            about = os.lstat(path)
            found[(about.st_dev, about.st_ino)] = path
    return found


def devices_over(folder):
    """{device: file} of the loop devices over files below a folder."""
    files = files_below(folder)
    return {name: files[key] for name, key in attached() if key in files}


def detach(device):
    fd = os.open(device, os.O_RDWR)
    try:
        fcntl.ioctl(fd, _CLR_FD)
    except OSError:
        pass  # detached by others meanwhile
    finally:
        os.close(fd)


def attach(device, file, flags=DIRECT):
    """Attaches a file to this very device; False when another has it."""
    backing = os.open(file, os.O_RDWR)
    loop = os.open(device, os.O_RDWR)
    try:
        fcntl.ioctl(loop, _CONFIGURE, pack_loop_config(backing, flags=flags))
        return True
    except OSError:
        return False
    finally:
        os.close(loop)
        os.close(backing)


def attach_free(file, flags=DIRECT):
    """Attaches a file to a device that is free: its path."""
    with open("/dev/loop-control", "rb") as control:
        while True:
            device = f"/dev/loop{fcntl.ioctl(control, _GET_FREE)}"
            if attach(device, file, flags):
                return device


def usable():
    """Whether this machine has loop devices; made by hand where they may be."""
    try:
        fd = os.open("/dev/loop-control", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.ioctl(fd, _GET_FREE)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
