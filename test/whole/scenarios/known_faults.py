"""Faults of the reviews that the tables of kills and power losses do not show."""

import os
import shutil

from harness.oracle import check_at_rest, check_one_copy, recover, wait_for_rest
from harness.registry import test
from harness.world import World, Wrong

OTHER_UUID = "11111111-1111-4111-8111-111111111111"


def lost_source(world, step, host):
    """A teleport whose source loses power at a step after GO, and does not start
    the guest by itself; the old domain's number is dealt to the next guest."""
    guest = world.start_guest(world.here, auto=False)
    number = world.here.domain("web1")["domid"]
    gate = host.hold(step)
    move = world.teleport(guest, world.here)
    gate.wait(alongside=move.program)
    world.power_loss(world.here, first_domid=number)
    gate.release()
    world.there.wait_until_gone("session", "receive")
    return guest


@test("recover after a boot leaves another guest's domain alone")
def another_domain():
    with World() as world:
        lost_source(world, "teleport.journal-go.after", world.here)
        world.here.start_services()
        world.start_guest(world.here, name="db1", uuid=OTHER_UUID)
        saved = world.here.hold("xl.saved.before")
        world.here.spawn("xl", "save", "db1", "/var/tmp/db1")
        saved.wait()
        world.here.run("xl-teleport", "--ask-limit", "3", "--recover", "web1",
                       check=False)
        state = world.here.domain("db1")
        saved.release()
        if not state or state["state"] != "suspended":
            raise Wrong("another's domain", f"db1, which was being saved, is {state}")


@test("recover after a boot leaves another guest's disk alone")
def another_disk():
    with World() as world:
        guest = lost_source(world, "receive.unpause.after", world.there)
        world.here.start_services()
        recover(guest, world.here)
        world.check_decoys()
        check_one_copy(world, guest, world.there)


@test("a destination without its journal does not say that a guest never ran")
def lost_journal():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport.journal-moved.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        world.here.kill("teleport")
        gate.release()
        wait_for_rest(world)
        shutil.rmtree(world.there.path("/var/lib/xl-teleport/journal"))
        recover(guest, world.here)
        guest.check_runs_on(world.there)


@test("a disk that comes home has no startable name before GO")
def half_filled():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        gate = world.here.hold("receive.restored.before")
        move = world.teleport(guest, world.there)
        gate.wait(alongside=move.program)
        there = os.path.exists(world.here.path("/var/lib/xen/images/web1-xvda.img"))
        gate.release()
        move.expect(0)
        if there:
            raise Wrong("startable", "'xl create' at home would start a second copy")
        check_at_rest(world, guest)


@test("a killed session leaves no loop device")
def left_loop():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.memory.after")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        gate.wait(alongside=move.program)
        world.there.kill("session")
        gate.release()
        move.expect(1)
        check_at_rest(world, guest)


@test("source and guardian dead with the guest suspended: recover lets it go on")
def nobody_left():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.last-pages.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        world.here.kill("guardian")
        world.here.kill("teleport")
        gate.release()
        wait_for_rest(world)
        recover(guest, world.here)
        check_one_copy(world, guest, world.here)
