"""What the network reaches has no rights, and what has rights no network."""

import os
import re
import subprocess

from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World

NO_CAPABILITY = "0" * 16
# As the package makes them.
PRIVATE = ("/etc/xen/teleport/host.key", "/etc/xen/teleport/peers",
           "/var/lib/xl-teleport")


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def network_sockets(pid):
    """{inode: state} of the network's sockets of this process's host."""
    found = {}
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            for line in list(file)[1:]:
                words = line.split()
                found[words[9]] = words[3]
    return found


def held_by(pid):
    """What a process has open, as /proc says it."""
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]


def inodes_of(pid):
    return {one[len("socket:["):-1] for one in held_by(pid)
            if one.startswith("socket:[")}


def check_without_rights(pid, filters):
    """filters: of system calls; each takes some of what the one before left."""
    status = status_of(pid)
    assert "0" not in status["Uid"].split() + status["Gid"].split(), status
    assert status["Groups"].strip() in ("", status["Gid"].split()[0]), status
    for which in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert status[which].strip() == NO_CAPABILITY, (which, status)
    assert status["NoNewPrivs"].strip() == "1", status
    assert status["Seccomp"].strip() == "2", status
    assert int(status["Seccomp_filters"]) == filters, status
    with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
        assert int(file.read()) >= 0
    # None of its own user's may look into it.
    assert os.stat(f"/proc/{pid}/fd").st_uid == 0


def check_cannot_read(host, pid):
    """What is root's, by a process that has this one's user and no more."""
    user, group = status_of(pid)["Uid"].split()[0], status_of(pid)["Gid"].split()[0]
    for path in PRIVATE:
        program = "ls" if os.path.isdir(host.path(path)) else "cat"
        code, said = host.run("setpriv", "--reuid", user, "--regid", group,
                              "--clear-groups", program, path, check=False)
        assert code != 0 and "Permission denied" in said, (path, code, said)


@test("what speaks with the network has no rights, what has rights no network")
def rights():
    with World() as world:
        guest = world.start_guest(world.here)
        there = world.there
        gate = there.hold("session.journal-ready.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        listener, = there.processes("teleport-listen")
        speaker, = there.processes("speak")
        for pid, filters in ((listener, 1), (speaker, 2)):
            check_without_rights(pid, filters)
            check_cannot_read(there, pid)
        sockets = network_sockets(there.first)
        listening = {inode for inode, state in sockets.items() if state == "0A"}
        assert listening & inodes_of(listener), (listening, held_by(listener))
        assert not inodes_of(listener) & set(sockets) - listening
        assert inodes_of(speaker) & set(sockets), held_by(speaker)
        # It has sockets, and where its log goes; no file and no folder.
        for one in held_by(speaker):
            assert re.match(r"socket:|anon_inode:|pipe:|/dev/null$|"
                            r".*/teleportd\.log$", one), one
        for pid in there.processes("teleportd", "session"):
            assert not inodes_of(pid) & set(sockets), (pid, held_by(pid))
        gate.release()
        move.expect(0)
        wait_for_rest(world)
        guest.check_runs_on(there)
        check_at_rest(world, guest)


@test("the part that listens is started again, and open sessions go on")
def killed():
    with World() as world:
        guest = world.start_guest(world.here)
        there = world.there
        gate = there.hold("session.journal-ready.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        assert there.kill("teleport-listen") == 1
        there.wait_for_log("listening on", 2)
        gate.release()
        move.expect(0)
        wait_for_rest(world)
        guest.check_runs_on(there)
        world.teleport(guest, there).expect(0)
        wait_for_rest(world)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(there)
        check_at_rest(world, guest)


@test("a teleport-listen of another unit comes to teleportd's door, and alone")
def door():
    with World() as world:
        guest = world.start_guest(world.here)
        there = world.there
        there.kill("teleportd")
        there.wait_until_gone("teleport-listen")
        os.mkdir(there.path("/run/teleport-listen"))
        there.start_teleportd(door="/run/teleport-listen/door")
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(there)
        listener, = there.processes("teleport-listen")
        check_without_rights(listener, 1)
        # Another user's process is not let in there, whatever it says.
        there.kill("teleport-listen")
        there.wait_for_log("teleport-listen has ended")
        there.spawn("setpriv", "--reuid", "1", "--regid", "1", "--clear-groups",
                    "teleport-listen", "--door", "/run/teleport-listen/door")
        there.wait_for_log("another user's process came to the door")
        check_at_rest(world, guest)


@test("a session whose speaker is killed is given up before GO")
def speaker_killed():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("session.journal-ready.before")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        gate.wait(alongside=move.program)
        assert world.there.kill("speak") == 1
        gate.release()
        assert move.wait() != 0, move.said
        wait_for_rest(world)
        guest.check_runs_on(world.here)
        check_at_rest(world, guest)


# What it sends is a TLS record's beginning, and then nothing.
STRANGERS = """import socket, sys
said = bytes.fromhex(sys.argv[2])
open = []
for _ in range(int(sys.argv[3])):
    one = socket.create_connection((sys.argv[1], 8744), timeout=20)
    if said:
        one.sendall(said)
    open.append(one)
print("all", flush=True)
sys.stdin.read()
"""


def strangers(world, said, count):
    """A program of alpha's that holds so many connections to beta open."""
    program = subprocess.Popen(
        ["nsenter", "--target", str(world.here.first), "--net", "--", "python3",
         "-c", STRANGERS, world.there.address, said.hex(), str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout.readline() == b"all\n"
    return program


@test("strangers have few processes, none of root's, and take no host's place")
def few():
    with World() as world:
        guest = world.start_guest(world.here)
        there = world.there
        silent = strangers(world, b"", 20)
        assert not there.processes("speak")
        talking = strangers(world, b"\x16\x03\x01\x02\x00" + bytes(40), 12)
        assert len(there.processes("speak")) <= 12
        assert not there.processes("session")
        world.teleport(guest, world.here).expect(0)
        for program in (silent, talking):
            program.communicate()
        wait_for_rest(world)
        guest.check_runs_on(there)
        check_at_rest(world, guest)
