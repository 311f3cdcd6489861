"""A host: namespaces of its own for processes, files, names and the network, a
root of its own in which everything lies at its default place, and a false Xen.

What is below `disk` outlives a loss of power; the processes, /run and Xen's
domains do not.
"""

import json
import os
import re
import shutil
import signal
import subprocess

from harness import loops, races
from harness.events import (LIMIT, FolderWatch, Gate, TooLate, pids_in,
                            wait_for_end)

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATH = "/opt/whole:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"}
# beta is paired by its address, and knows alpha by the name that it told.
CONFIGURATION = """[peers]
aliases = ["10.0.1.1=alpha"]
[index]
keep_fresh = false
"""


def role_of(words):
    """As own_role() of test/whole/xen/step.cpp."""
    program = os.path.basename(words[0])
    for flag in ("guardian", "session", "keeper", "speak"):
        if "--" + flag in words:
            return flag
    if program == "xl-teleport":
        return "recover" if "--recover" in words else "teleport"
    if program == "xl":
        return "receive" if "migrate-receive" in words else "xl"
    return "helper" if program == "libxl-save-helper" else program


def read_unit(name):
    """{key: its values} of a unit of ours."""
    path = os.path.join(HERE, f"../../tools/teleportd/{name}.service")
    found = {}
    with open(path, encoding="utf-8") as file:
        for key, value in re.findall(r"^(\w+)=(.*)", file.read(), re.MULTILINE):
            found.setdefault(key, []).append(value)
    return found


class Host:
    """One of the two."""

    def __init__(self, world, name, number):
        self.world = world
        self.name = name
        self.address = f"10.0.{number}.1"
        self.gateway = f"10.0.{number}.254"
        self.root = os.path.join(world.folder, name, "root")
        self.disk = os.path.join(world.folder, name, "disk")
        self.gates = os.path.join(world.folder, "shared", "gates", name)
        self._power = None
        self._first = None
        self._held = []
        os.makedirs(self.root)
        os.makedirs(self.gates)
        self._install()

    def _install(self):
        for folder in ("etc/xen/auto", "etc/xen/teleport/peers", "var/log",
                       "var/lib/xen/images", "var/lib/xl-teleport", "var/tmp"):
            os.makedirs(os.path.join(self.disk, folder))
        # As the package makes them.
        for folder in ("etc/xen/teleport", "etc/xen/teleport/peers",
                       "var/lib/xl-teleport"):
            os.chmod(os.path.join(self.disk, folder), 0o700)
        for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf",
                     "hosts"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", os.path.join(self.disk, "etc"))
        self.configure(CONFIGURATION)
        races.prepare(self)

    def configure(self, text):
        with open(self.path("/etc/xen/teleport.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def path(self, inside):
        """Where a file of the host's lies on this machine: also of one without
        power, if it is on its disk."""
        if inside.startswith("/run/"):
            return f"/proc/{self.first}/root{inside}"
        return self.disk + inside

    @property
    def first(self):
        """The number of the host's first process."""
        if self._first is None:
            raise RuntimeError(f"{self.name} has no power")
        return self._first

    @property
    def has_power(self):
        return self._first is not None

    # -- power ------------------------------------------------------------

    def power_on(self, first_domid=7):
        """Starts the host: no domains, an empty /run, teleportd not yet."""
        self._power = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork",
             "--kill-child", os.path.join(HERE, "boot"), self.name, self.root,
             self.disk, os.path.join(self.world.folder, "shared"),
             self.world.programs],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=ENVIRONMENT, start_new_session=True)
        if self._power.stdout.readline() != b"up\n":
            raise RuntimeError(f"{self.name} does not start: "
                               f"{self._power.stderr.read().decode()}")
        with open(f"/proc/{self._power.pid}/task/{self._power.pid}/children",
                  encoding="ascii") as file:
            self._first = int(file.read())
        self.world.plug_in(self)
        os.makedirs(self.path("/run/fake-xen/domains"))
        with open(self.path("/run/fake-xen/next-domid"), "w", encoding="ascii") as file:
            file.write(f"{first_domid}\n")

    def power_off(self):
        """All at once, and nothing is told to anybody."""
        if self._first is None:
            return
        os.kill(self._first, signal.SIGKILL)
        self._power.wait(LIMIT)  # the kernel ends all of its processes first
        self._power.stdin.close()
        self._power.stdout.close()
        self._power.stderr.close()
        self._power = self._first = None
        for gate in self._held:
            gate.release()
        self._held.clear()
        for device in loops.devices_over(self.disk):
            loops.detach(device)

    def start_services(self):
        """What the machine starts by itself, in the order that the units have:
        teleport-boot, xendomains, teleportd."""
        services = {"xendomains": self._start_xendomains,
                    "teleportd": self.start_teleportd}
        first = read_unit("teleport-boot")
        before = " ".join(first.get("Before", []))
        early = [name for name in services if name + ".service" in before]
        for name in services:
            if name not in early:
                services[name]()
        for command in first.get("ExecStart", []):
            print(f"{self.name}: {command}:", self.run(
                *command.lstrip("-").replace("@SBINDIR@/", "").split(), check=False))
        for name in early:
            services[name]()

    def shut_down(self):
        """What an orderly shutdown stops, in the order that the units have: what
        was started after xendomains before it; then xendomains, which saves."""
        unit = read_unit("teleport-shutdown")
        if "xendomains.service" in " ".join(unit.get("After", [])):
            for command in unit["ExecStop"]:
                ours = re.search(r"@SBINDIR@/([^']*)", command).group(1)
                self.run(*ours.split())
        saved = [domain["name"] for domain in self.domains()]
        for name in saved:
            self.run("xl", "save", name, "/var/lib/xen/save", check=False)
        return saved

    def _start_xendomains(self):
        auto = self.path("/etc/xen/auto")
        # As its glob does, it passes over what begins with a dot.
        for name in sorted(os.listdir(auto)):
            if not name.startswith("."):
                self.run("xl", "create", f"/etc/xen/auto/{name}", check=False)

    def start_teleportd(self, environment=None, surroundings=(), door=None):
        """surroundings: words in front of it, such as `env -i`.
        door: where a teleport-listen comes to that has a unit of its own."""
        log = self.path("/var/log/teleportd.log")
        with open(log, "ab") as out, FolderWatch(os.path.dirname(log)) as changes:
            begin = out.tell()
            options = [] if door is None else ["--door", door]
            daemon = self.spawn(*surroundings, "teleportd", "--verbose", *options,
                                output=out,
                                environment=environment)
            if door is not None:
                with FolderWatch(self.path(os.path.dirname(door))) as made:
                    made.until(lambda: os.path.exists(self.path(door)), door)
                self.spawn("teleport-listen", "--door", door, output=out)

            def is_up():
                if daemon.poll() is not None:
                    raise RuntimeError(f"teleportd ended with {daemon.returncode}")
                with open(log, "rb") as file:
                    file.seek(begin)
                    return b"listening on" in file.read()
            changes.until(is_up, "teleportd listens")
        return daemon

    # -- programs ---------------------------------------------------------

    def spawn(self, *argv, output=None, error=None, environment=None):
        """Starts a program on the host. environment: what is added to it."""
        return subprocess.Popen(
            ["nsenter", "--target", str(self.first), "--mount", "--uts", "--ipc",
             "--net", "--pid", "--root", "--wd", "--", *argv],
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT if error is None else error,
            env={**ENVIRONMENT, **races.OPTIONS, **(environment or {})},
            start_new_session=True)

    def run(self, *argv, check=True, limit=LIMIT):
        """Runs a program to its end: (its exit code, its output)."""
        program = self.spawn(*argv, output=subprocess.PIPE)
        try:
            out = program.communicate(timeout=limit)[0].decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            raise TooLate(f"{' '.join(argv)} on {self.name} does not end") from late
        if check and program.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)} on {self.name}: {out}")
        return program.returncode, out

    def bring(self, name):
        """Copies a file of the harness's to where the host sees it."""
        shutil.copy(os.path.join(HERE, "harness", name), self.path("/var/tmp"))
        return f"/var/tmp/{name}"

    def limit_link(self, rate):
        """How fast all teleports from this host may send, from now on."""
        self.run("teleportctl", "bwlimit", rate)

    def processes(self, *roles, guest=None):
        """The numbers of the host's processes that have one of these roles, and
        that name this guest where one is given."""
        namespace = os.readlink(f"/proc/{self.first}/ns/pid")
        return [pid for pid, words in pids_in(namespace)
                if words[0] != "cat" and (not roles or role_of(words) in roles)
                and (guest is None or guest in words)]

    def kill(self, role, signal_number=signal.SIGKILL, guest=None):
        """Kills the processes of a role, and waits for a SIGKILL's effect.

        Returns how many there were."""
        victims = self.processes(role, guest=guest)
        for pid in victims:
            os.kill(pid, signal_number)
        if signal_number == signal.SIGKILL:
            wait_for_end(victims, role)
        return len(victims)

    def wait_until_gone(self, *roles, limit=LIMIT):
        while True:
            left = self.processes(*roles)
            if not left:
                return
            wait_for_end(left, "/".join(roles), limit)

    def hold(self, step):
        gate = Gate(self.gates, step)
        self._held.append(gate)
        return gate

    # -- what there is ----------------------------------------------------

    def domains(self):
        """The domains of the false Xen."""
        if not self.has_power:
            return []
        found = []
        folder = self.path("/run/fake-xen/domains")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json"):
                try:
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        found.append(json.load(file))
                except FileNotFoundError:
                    pass  # destroyed meanwhile
        return found

    def domain(self, name):
        return next((one for one in self.domains() if one["name"] == name), None)

    def journal(self, role):
        """{id: entry} of the journal's entries of a role."""
        folder = self.path("/var/lib/xl-teleport/journal")
        entries = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name.endswith("." + role):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    entries[name.partition(".")[0]] = json.load(file)
        return entries

    def kept_disks(self):
        return json.loads(self.run("teleportctl", "shadow", "list", "--json")[1])

    def images(self):
        return sorted(os.listdir(self.path("/var/lib/xen/images")))

    def wait_for_log(self, text, times=1):
        """Until teleportd's log has said it so often."""
        with FolderWatch(self.path("/var/log")) as changes:
            changes.until(lambda: self.log("teleportd.log").count(text) >= times,
                          f"'{text}' for the {times}. time")

    def log(self, name):
        try:
            with open(self.path("/var/log/" + name), encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""
