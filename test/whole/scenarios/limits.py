"""A suspended guest waits for nobody: not for a hook, a stuck xl, a person's
terminal or a program that does not read; and what signals do in each phase."""

import fcntl
import json
import os
import signal
import subprocess

from harness.events import LIMIT, TooLate
from harness.oracle import (check_at_rest, check_exit_code, check_one_copy,
                            wait_for_rest)
from harness.registry import add, test
from harness.world import World, Wrong
from scenarios.recovering import write_hook


def check_limited(world, guest, move):
    """It ends by itself, and the guest runs here again."""
    try:
        code = move.wait(15)
    except TooLate as late:
        raise Wrong("stands still", "15 s with --max-downtime 2") from late
    if code != 1 or "--max-downtime" not in move.said:
        raise Wrong("exit code", f"{code}: {move.said}")
    guest.check_runs_on(world.here)


@test("the longest downtime holds while a hook does not end")
def endless_hook():
    with World() as world:
        guest = world.start_guest(world.here)
        os.mkfifo(world.there.path("/etc/xen/never"))
        write_hook(world.there, "read -r line </etc/xen/never\n")
        move = world.teleport(guest, world.here, "--max-downtime", "2")
        check_limited(world, guest, move)
        # Nobody waits for the hook after that: the next attempt finds no lock.
        wait_for_rest(world)
        check_exit_code(guest, 1, check_one_copy(world, guest, world.here))


def stuck(step, host_name):
    with World() as world:
        guest = world.start_guest(world.here)
        host = world.here if host_name == "source" else world.there
        gate = host.hold(step)
        move = world.teleport(guest, world.here, "--max-downtime", "2")
        gate.wait(alongside=move.program)
        check_limited(world, guest, move)
        gate.release()
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


for a_step, a_host, who in (
        ("receive.restored.before", "destination", "xl does not go on"),
        ("session.journal-ready.before", "destination", "a journal's disk is slow"),
        ("helper.last-pages.before", "source", "libxl's helper does not go on"),
        ("teleport.save-done.before", "source", "libxl's thread does not return")):
    if a_step != "teleport.save-done.before":
        add(f"the longest downtime holds while {who}",
            lambda s=a_step, h=a_host: stuck(s, h))


@test("a link that is silent keeps the guest suspended for the longest downtime")
def silent_link():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.last-pages.before")
        move = world.teleport(guest, world.here, "--max-downtime", "2")
        gate.wait(alongside=move.program)
        world.cut_link()
        gate.release()
        check_limited(world, guest, move)
        world.mend_link()
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)


@test("a destination that is silent after GO is asked beside the link")
def silent_after_go():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("receive.unpause.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        move.wait_for_words("asking")
        gate.release()
        move.expect(0)
        check_at_rest(world, guest)


@test("a destination that stays silent after GO ends with exit 5")
def silent_for_ever():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("receive.unpause.before")
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        move.expect(5)
        assert "--recover web1" in move.said, move.said
        gate.release()
        world.there.wait_until_gone("receive", "session")
        world.here.run("xl-teleport", "--recover", "web1")
        check_one_copy(world, guest, world.there)


@test("a reader that stands still holds no guest")
def full_pipe():
    with World() as world:
        guest = world.start_guest(world.here)
        reads, writes = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writes, b"\n" * 4096)
        with open(os.path.join(world.folder, "error"), "wb") as error:
            program = world.here.spawn(
                "xl-teleport", "--json", guest.name, world.there.address,
                output=writes, error=error)
        os.close(writes)
        try:
            guest.wait_for_records(world.there)
        except TooLate as late:
            raise Wrong("stands still", "while nobody reads its progress") from late
        with os.fdopen(reads, "rb") as file:
            lines = file.read().decode().splitlines()
        assert program.wait(LIMIT) == 0
        assert json.loads(lines[-1])["outcome"] == "moved"
        check_at_rest(world, guest)


@test("Ctrl-S in the terminal holds no guest")
def stopped_terminal():
    with World() as world:
        guest = world.start_guest(world.here)
        master, slave = os.openpty()
        os.write(master, b"\x13")
        os.set_blocking(slave, False)
        try:
            while True:
                os.write(slave, b"\n" * 256)
        except BlockingIOError:
            pass
        os.set_blocking(slave, True)
        program = world.here.spawn("xl-teleport", "--verbose", guest.name,
                                   world.there.address, output=slave, error=slave)
        os.close(slave)
        try:
            guest.wait_for_records(world.there)
        except TooLate as late:
            raise Wrong("stands still", "while Ctrl-S holds the terminal") from late
        os.write(master, b"\x11")
        said = b""
        try:
            while True:
                said += os.read(master, 65536)
        except OSError:
            pass  # the other end is closed
        os.close(master)
        assert program.wait(LIMIT) == 0
        assert b"runs on" in said, said[-2000:]
        check_at_rest(world, guest)


def interrupted(step, host_name, number, code):
    with World() as world:
        guest = world.start_guest(world.here)
        host = world.here if host_name == "source" else world.there
        gate = host.hold(step)
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        move.interrupt(number)
        if code == 0:
            move.wait_for_words("cannot be taken back")
            gate.release()
        move.expect(code)
        gate.release()
        wait_for_rest(world)
        check_one_copy(world, guest, world.there if code == 0 else world.here)


SIGNALS = ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"),
           (signal.SIGHUP, "a lost terminal"))
for a_step, a_host, a_code in (
        ("session.book-write.after", "destination", 1),
        ("receive.banner.before", "destination", 1),
        ("helper.memory.after", "source", 1),
        ("helper.last-pages.before", "source", 1),
        ("receive.restored.before", "destination", 1),
        ("session.journal-go.before", "destination", 0),
        ("receive.unpause.before", "destination", 0)):
    for a_signal, a_name in SIGNALS:
        add(f"{a_name} at {a_step} is exit {a_code}",
            lambda s=a_step, h=a_host, n=a_signal, c=a_code: interrupted(s, h, n, c))


@test("Ctrl-Z does not stop a teleport whose guest is suspended")
def stopped_job():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.last-pages.before")
        # A job of a shell: the kernel stops no process group that has no shell.
        shell = world.here.spawn(
            "sh", "-c", f"set -m; xl-teleport {guest.name} {world.there.address} "
            "& wait $!", output=subprocess.DEVNULL, error=subprocess.DEVNULL)
        gate.wait(alongside=shell)
        world.here.kill("teleport", signal.SIGTSTP)
        gate.release()
        try:
            guest.wait_for_records(world.there)
        except TooLate as late:
            raise Wrong("stands still", "the job is stopped") from late
        assert shell.wait(LIMIT) == 0
        check_at_rest(world, guest)


@test("nohup holds off a lost terminal in every phase")
def nohup():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.memory.after")
        with open(os.path.join(world.folder, "said"), "wb") as out:
            program = world.here.spawn("nohup", "xl-teleport", guest.name,
                                       world.there.address, output=out)
        gate.wait(alongside=program)
        world.here.kill("teleport", signal.SIGHUP)
        gate.release()
        assert program.wait(LIMIT) == 0
        check_at_rest(world, guest)


@test("a long sentence with tabs crosses the wire")
def long_sentence():
    with World() as world:
        guest = world.start_guest(world.here)
        write_hook(world.there,
                   "for i in $(seq 900); do printf 'line\\t%d\\n' $i >&2; done\n"
                   "echo 'the last word' >&2; exit 1\n")
        move = world.teleport(guest, world.here)
        move.expect(1)
        assert "the last word" in move.said, move.said
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
