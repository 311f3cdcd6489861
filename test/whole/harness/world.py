"""Two hosts, the network between them, and the witness that both see."""

import json
import os
import random
import shutil
import subprocess
import tempfile

from harness import loops
from harness.events import LIMIT, FolderWatch, TooLate, wait_for_end
from harness.host import ENVIRONMENT, HERE, Host

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

    def __exit__(self, *_):
        self.close()

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

    # -- teleports --------------------------------------------------------------

    def teleport(self, guest, source, *options):
        return Teleport(self, guest.name, source, self.other(source), options)

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


class Wrong(Exception):
    """The product has broken a promise. kind: which, in one or two words."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Teleport:
    """One run of `xl teleport`."""

    def __init__(self, world, name, source, destination, options):
        self.world = world
        self.source, self.destination = source, destination
        self.out = os.path.join(world.folder, f"teleport.{len(os.listdir(world.folder))}")
        with open(self.out, "wb") as out, open(self.out + ".err", "wb") as error:
            self.program = source.spawn(
                "xl-teleport", "--json", *options, name, destination.address,
                output=out, error=error)
        world._programs.append(self.program)

    def interrupt(self, signal_number):
        self.source.kill("teleport", signal_number)

    def wait(self, limit=LIMIT):
        """The exit code; negative, of what killed it."""
        try:
            return self.program.wait(limit)
        except subprocess.TimeoutExpired as late:
            raise TooLate("xl teleport does not end") from late

    def wait_for_words(self, words, limit=LIMIT):
        """Until it has said this on its standard error."""
        with FolderWatch(self.world.folder) as changes:
            changes.until(lambda: words in self.said, f"xl teleport says '{words}'",
                          limit)

    def expect(self, *codes):
        code = self.wait()
        if code not in codes:
            raise Wrong("exit code", f"{code}, not {codes}: {self.said}")
        return self.report

    @property
    def report(self):
        with open(self.out, encoding="utf-8") as file:
            lines = file.read().splitlines()
        return json.loads(lines[-1]) if lines else {}

    @property
    def said(self):
        with open(self.out + ".err", encoding="utf-8", errors="replace") as file:
            return file.read().strip()


class Guest:
    """What the witness knows of a guest."""

    def __init__(self, world, name, uuid):
        self.world, self.name, self.uuid = world, name, uuid
        self.folder = os.path.join(world.folder, "shared", "witness")

    def lines(self):
        """(what, host, domid, number) of each line of the witness."""
        try:
            with open(os.path.join(self.folder, self.uuid), encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        words = [line.split() for line in text.split("\n")[:-1]]
        return [(w[0], w[1], int(w[2]), int(w[3])) for w in words]

    def wait_for_records(self, host, count=5):
        """Until the guest has written so many more records on a host."""
        before = len(self.lines())

        def enough():
            new = [one for one in self.lines()[before:]
                   if one[0] == "record" and one[1] == host.name]
            return len(new) >= count
        with FolderWatch(self.folder) as changes:
            changes.until(enough, f"{self.name} writes on {host.name}")

    def places(self, *states):
        """(host, domain) for each domain of this guest in one of these states."""
        return [(host, domain) for host in self.world.hosts
                for domain in host.domains()
                if domain["uuid"] == self.uuid and domain["state"] in states]

    def running_on(self):
        return [host for host, _ in self.places("running")]

    def check_history(self):
        """One guest wrote one history, and nothing acknowledged was lost."""
        path = os.path.join(self.folder, self.uuid + ".violations")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read().strip()
            raise Wrong(text.split(":")[0], text)
        last = None
        for number, (what, host, domid, record) in enumerate(self.lines(), 1):
            where = f"line {number}: {what} {record} on {host} (domain {domid})"
            if what == "record" and record != (last or 0) + 1:
                kind = "runs twice" if record <= (last or 0) else "lost write"
                raise Wrong(kind, f"{where} follows {last}")
            if what == "arrived" and record != (last or 0):
                raise Wrong("lost write", f"{where} follows {last}")
            if what == "booted" and record < (last or 0):
                raise Wrong("lost write", f"{where} follows {last}")
            last = record

    def check_runs_on(self, host):
        """It runs there, only there, and works."""
        running = self.running_on()
        if len(running) > 1:
            raise Wrong("runs twice", f"{self.name} runs on both hosts")
        if running != [host]:
            where = [one.name for one in running] or "nowhere: " + str(
                [(h.name, d["name"], d["state"]) for h, d in
                 self.places("paused", "suspended", "dying")])
            raise Wrong("elsewhere" if running else "nowhere",
                        f"{self.name} runs on {where}, not {host.name}")
        self.wait_for_records(host)
        self.check_history()


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


__all__ = ["World", "Wrong", "TooLate", "HERE", "MIB", "pair_template",
           "wait_for_end"]
