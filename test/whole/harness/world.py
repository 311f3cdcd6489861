"""Two hosts, the network between them, and the witness that both see."""

import os
import random
import shutil
import subprocess
import tempfile

from harness import loops, races
from harness.events import LIMIT, Wrong
from harness.guest import Guest
from harness.host import ENVIRONMENT, Host
from harness.programs import Evacuation, Teleport

MIB = 1 << 20
# As large as the disks of make_guest(): a size alone tells them apart nowhere.
OTHERS_DISK = b"another guest's disk".ljust(8 * MIB, b"\0")


class World:
    """Used with `with`: all of it is gone at the end.

    here, there: the two hosts, named alpha and beta, with power and services
    unless said otherwise."""

    def __init__(self, start=True):
        self.folder = tempfile.mkdtemp(dir=os.environ["WHOLE_FOLDER"])
        self.programs = os.path.join(os.environ["WHOLE_BUILD"], "test", "whole")
        for folder in ("shared/gates", "shared/witness"):
            os.makedirs(os.path.join(self.folder, folder))
        self._wan = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo up; exec cat >/dev/null"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT,
            start_new_session=True)
        self._wan.stdout.readline()
        self._in_wan("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.here = Host(self, "alpha", 1)
        self.there = Host(self, "beta", 2)
        self._programs = []
        self._decoys = {}
        self.races = 0
        try:
            self._pair()
            if start:
                for host in self.hosts:
                    host.power_on()
                    host.start_services()
        except BaseException:
            self.close()
            raise

    @property
    def hosts(self):
        return (self.here, self.there)

    def other(self, host):
        return self.there if host is self.here else self.here

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is None:
            races.check(self.races)

    def close(self):
        for host in self.hosts:
            host.power_off()
        for program in self._programs:
            program.kill()
            program.wait()
        self._wan.stdin.close()
        self._wan.wait(LIMIT)
        self._wan.stdout.close()
        for device in loops.devices_over(self.folder):
            loops.detach(device)
        self.races = races.collect(self.hosts)
        shutil.rmtree(self.folder)

    # -- network and keys ---------------------------------------------------

    def _in_wan(self, *argv):
        subprocess.run(["nsenter", "--target", str(self._wan.pid), "--net", *argv],
                       check=True, env=ENVIRONMENT)

    def plug_in(self, host):
        """A cable from a host that has just started to the network. The kernel
        removes the cable of its last life some time after that has ended."""
        subprocess.run(["nsenter", "--target", str(self._wan.pid), "--net",
                        "ip", "link", "delete", host.name],
                       stderr=subprocess.DEVNULL, check=False, env=ENVIRONMENT)
        subprocess.run(
            ["ip", "link", "add", "eth0", "netns", str(host.first), "type", "veth",
             "peer", "name", host.name, "netns", str(self._wan.pid)],
            check=True, env=ENVIRONMENT)
        self._in_wan("sh", "-c", f"ip address add {host.gateway}/24 dev {host.name}; "
                     f"ip link set {host.name} up")
        host.run("sh", "-c", f"ip address add {host.address}/24 dev eth0; "
                 f"ip link set eth0 up; ip route add default via {host.gateway}")

    def cut_link(self):
        """From now on no packet arrives, and nobody is told."""
        for host in self.hosts:
            self._in_wan("ip", "route", "add", "blackhole", f"{host.address}/32")

    def mend_link(self):
        for host in self.hosts:
            self._in_wan("ip", "route", "delete", "blackhole", f"{host.address}/32")

    def _pair(self):
        """The hosts know each other: by teleportctl's own pairing, once for all
        tests (pair_template)."""
        for host in self.hosts:
            shutil.copytree(os.path.join(os.environ["WHOLE_KEYS"], host.name),
                            host.path("/etc/xen/teleport"), dirs_exist_ok=True)

    # -- guests ---------------------------------------------------------------

    def make_guest(self, host, name="web1", uuid="2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11",
                   mib=8, disks=("xvda",), memory=64, auto=True):
        """A guest with image files, and its configuration; not started."""
        lines = [f'name = "{name}"', f'uuid = "{uuid}"', 'type = "pvh"',
                 f"memory = {memory}", "disk = ["]
        content = random.Random(name)
        for vdev in disks:
            image = f"/var/lib/xen/images/{name}-{vdev}.img"
            with open(host.path(image), "wb") as file:
                file.write(content.randbytes(mib * MIB // 3))
                file.truncate(mib * MIB)
            lines.append(f"  'phy:{image},{vdev},w',")
        lines.append("]")
        with open(host.path(f"/etc/xen/{name}.cfg"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        if auto:
            os.symlink(f"../{name}.cfg", host.path(f"/etc/xen/auto/{name}.cfg"))
        return Guest(self, name, uuid)

    def start_guest(self, host, **shape):
        guest = self.make_guest(host, **shape)
        host.run("xl", "create", f"/etc/xen/{guest.name}.cfg")
        guest.wait_for_records(host)
        return guest

    # -- programs ---------------------------------------------------------------

    def end_with(self, program):
        """Kills it at the end, should it be there still."""
        self._programs.append(program)

    def teleport(self, guest, source, *options, to=None):
        """to: another name of the destination's, as a relay's."""
        return Teleport(self, source, *options, guest.name,
                        to or self.other(source).address)

    def evacuate(self, *options, zone=None):
        """Moves the guests away from `here`. zone: the host's time zone."""
        return Evacuation(self, self.here, options, zone)

    def serve_shell(self, host):
        """What takes the place of ssh to a host: a program and its first word."""
        file = host.bring("remote_shell.py")
        server = host.spawn("python3", file, "serve", output=subprocess.PIPE)
        self.end_with(server)
        if server.stdout.readline() != b"listening\n":
            raise RuntimeError(f"no remote shell: {server.stdout.read().decode()}")
        return f"python3 {self.other(host).bring('remote_shell.py')} call"

    def power_loss(self, host, first_domid=31):
        """All of a host is gone at once; then it starts, and every number that
        was dealt before means something else, or nothing: the loop devices are
        over another guest's disks."""
        taken = loops.devices_over(host.disk)
        decoys = {}
        host.power_off()
        for device in taken:
            inside = f"/var/lib/xen/images/other-{os.path.basename(device)}.img"
            with open(host.path(inside), "wb") as file:
                file.write(OTHERS_DISK)
            # Held for the host, so that no other test is given it meanwhile.
            if loops.attach(device, host.path(inside)):
                decoys[device] = inside
        host.power_on(first_domid)
        for device, inside in decoys.items():
            loops.detach(device)
            if loops.attach(device, f"/proc/{host.first}/root{inside}"):
                self._decoys[device] = host.path(inside)

    @property
    def decoys(self):
        """Loop devices that are another guest's since a loss of power."""
        return set(self._decoys)

    def check_decoys(self):
        """What has another's number now was not touched."""
        for device, file in self._decoys.items():
            if not os.path.exists(file):
                raise Wrong("another's disk", f"{device} is another's, and its file "
                            "was renamed")
            with open(file, "rb") as disk:
                if disk.read() != OTHERS_DISK:
                    raise Wrong("another's disk", f"{device} is another's, and was "
                                "written")


def pair_template(folder):
    """Makes the keys of both hosts, and has them know each other, by
    teleportctl itself; in the place of ssh is a call of the other host's."""
    program = os.path.join(os.environ["WHOLE_BUILD"], "test", "whole", "teleportctl")
    addresses = {"alpha": "10.0.1.1", "beta": "10.0.2.1"}
    for name in addresses:
        os.makedirs(os.path.join(folder, name, "peers"))
        with open(os.path.join(folder, name + ".conf"), "w", encoding="utf-8") as file:
            file.write(f'[peers]\ndir = "{folder}/{name}/peers"\n'
                       f'[keys]\ncert = "{folder}/{name}/host.crt"\n'
                       f'key = "{folder}/{name}/host.key"\n')
    os.makedirs(os.path.join(folder, "bin"))
    ssh = os.path.join(folder, "bin", "ssh")
    with open(ssh, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {program} --config {folder}/beta.conf "
                   "accept-pairing alpha\n")
    os.chmod(ssh, 0o755)
    subprocess.run(
        [program, "--config", f"{folder}/alpha.conf", "pair", "root@" + addresses["beta"]],
        check=True, stdout=subprocess.DEVNULL,
        env={**ENVIRONMENT, "PATH": os.path.join(folder, "bin") + ":" + ENVIRONMENT["PATH"]})
