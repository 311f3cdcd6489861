"""--recover, the exit codes, and what fails without anybody being killed."""

import os
import signal

from harness.events import TooLate
from harness.oracle import (check_at_rest, check_one_copy, recover,
                            wait_for_rest)
from harness.registry import test
from harness.world import World

@test("no answer after GO is exit 5, and recover settles it")
def no_answer():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("receive.unpause.before")
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        world.there.kill("teleportd")
        world.there.kill("session")
        move.expect(5)
        gate.release()
        world.there.wait_until_gone("receive")
        world.there.start_teleportd()
        assert recover(guest, world.here) == 0
        guest.check_runs_on(world.there)


def write_hook(host, text, hook="/etc/xen/at-gate"):
    path = host.path(hook)
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    with open(host.path("/etc/xen/teleport.conf"), "a", encoding="ascii") as file:
        file.write(f'[hooks]\nat_gate = "{hook}"\n')


@test("a hook that fails keeps the guest here, and the next attempt works")
def hook_fails():
    with World() as world:
        guest = world.start_guest(world.here)
        write_hook(world.there, "[ -e /etc/xen/allowed ]\n")
        world.teleport(guest, world.here).expect(1)
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        with open(world.there.path("/etc/xen/allowed"), "w", encoding="ascii"):
            pass
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


@test("a hook's name may have = in it, and the hook is told of the guest")
def hook_like_assignment():
    with World() as world:
        guest = world.start_guest(world.here)
        write_hook(world.there, 'echo "$TELEPORT_GUEST $TELEPORT_DISKS" '
                   ">/etc/xen/told\n", "/etc/xen/at=gate")
        world.teleport(guest, world.here).expect(0)
        with open(world.there.path("/etc/xen/told"), encoding="ascii") as file:
            told = file.read()
        assert told.startswith("web1 xvda=/"), told
        check_at_rest(world, guest)


@test("a hook that cannot be run is told before anything is touched")
def hook_missing():
    with World() as world:
        guest = world.start_guest(world.here)
        write_hook(world.there, "exit 0\n")
        hook = world.there.path("/etc/xen/at-gate")
        os.unlink(hook)
        for _ in ("nothing there", "a folder"):
            move = world.teleport(guest, world.here)
            move.expect(3)
            assert "[hook_unusable]" in move.said, move.said
            wait_for_rest(world)
            os.makedirs(hook, exist_ok=True)
        guest.check_runs_on(world.here)


@test("teleportd is restarted under a teleport")
def restarted_daemon():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.memory.after")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        world.there.kill("teleportd", signal.SIGTERM)
        world.there.wait_until_gone("teleportd")
        world.there.start_teleportd()
        gate.release()
        move.expect(0)
        check_at_rest(world, guest)


@test("a second teleport of the same guest is refused")
def second_teleport():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.memory.after")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        second = world.teleport(guest, world.here, "--reconnect", "0")
        assert second.wait() in (1, 3), second.said
        gate.release()
        move.expect(0)
        check_at_rest(world, guest)


@test("the guest is built before the save has returned")
def early_received():
    with World() as world:
        guest = world.start_guest(world.here)
        saved = world.here.hold("teleport.save-done.before")
        told = world.there.hold("session.journal-ready.after")
        move = world.teleport(guest, world.here)
        saved.wait(alongside=move.program)
        told.wait(alongside=move.program)
        told.release()
        # It is refused at once, or waits for the save's return.
        try:
            move.wait(3)
        except TooLate:
            pass
        saved.release()
        move.expect(0)
        check_at_rest(world, guest)
