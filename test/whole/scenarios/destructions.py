"""kill -9 of whoever destroys a domain, within its destruction. What is left is
neither gone nor can it run: who comes next destroys it again, resumes nothing, and
touches no disk before."""

import os

from harness.events import FolderWatch
from harness.oracle import (ask_once, check_at_rest, check_one_copy, recover,
                            wait_for_rest)
from harness.registry import add, test
from harness.world import World, Wrong
from scenarios.looked_at_later import kill_source_at, state_of, wait_for_state

# As test/whole/xen/world.hpp has them, for destroy_domain().
WITHIN = [f"destroy-{part}.after"
          for part in ("closing", "devices", "forgotten", "dying")]
IMAGE = "web1-xvda.img"
# More than all tests at once have.
LOOP_DEVICES = 64


def left_over(host, guest):
    return [(one["name"], one["state"], one["devices"]) for one in host.domains()
            if one["uuid"] == guest.uuid]


def kill_within(world, host, role, step, *argv):
    """Runs a program whose role destroys a domain, and kills it there."""
    gate = host.hold(f"{role}.{step}")
    program = host.spawn(*argv)
    gate.wait(alongside=program)
    assert host.kill(role), role
    gate.release()
    program.wait()


def check_destroyed(host, guest):
    left = left_over(host, guest)
    if left:
        raise Wrong("left over", f"{left} on {host.name}")


def source_killed(step):
    with World() as world:
        guest = kill_source_at(world, f"teleport.{step}", world.here)
        assert left_over(world.here, guest)
        assert IMAGE in world.here.images(), "its disk was touched before it was gone"
        assert recover(guest, world.here) == 0
        check_destroyed(world.here, guest)
        assert IMAGE not in world.here.images()
        check_at_rest(world, guest)
        world.here.start_teleportd()
        world.teleport(guest, world.there).expect(0)
        check_at_rest(world, guest)


def asked_by_daemon(step):
    with World() as world:
        guest = kill_source_at(world, f"teleport.{step}", world.here, asking=True)
        wait_for_state(world.here, "source", "cleared")
        check_destroyed(world.here, guest)
        check_at_rest(world, guest)


def recover_killed(step):
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        kill_within(world, world.here, "recover", step,
                    "xl-teleport", "--recover", "web1")
        # A person's next try, before anybody has looked.
        assert world.teleport(guest, world.here).wait() != 0
        guest.check_runs_on(world.there)
        assert recover(guest, world.here) == 0
        check_destroyed(world.here, guest)
        check_at_rest(world, guest)


def comes_home(step):
    """The guest is sent home while its old copy there is half destroyed: it is
    refused, until teleportd has ended that."""
    with World() as world:
        guest = kill_source_at(world, f"teleport.{step}", world.here)
        held = world.here.hold("recover.destroy.before")
        world.here.start_teleportd()
        world.teleport(guest, world.there, "--reconnect", "0").expect(3)
        guest.check_runs_on(world.there)
        assert IMAGE in world.here.images()
        held.wait()
        held.release()
        wait_for_state(world.here, "source", "cleared")
        wait_for_rest(world)
        world.teleport(guest, world.there).expect(0)
        check_at_rest(world, guest)
        guest.check_runs_on(world.here)


def session_killed(step):
    """xl is killed when it has built the guest, and then the session, which
    destroys what xl has left."""
    with World() as world:
        guest = world.start_guest(world.here)
        built = world.there.hold("receive.restored.before")
        gate = world.there.hold(f"session.{step}")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        built.wait(alongside=move.program)
        world.there.kill("receive")
        built.release()
        gate.wait()
        world.there.kill("session")
        gate.release()
        move.expect(1)
        wait_for_rest(world)
        check_destroyed(world.there, guest)
        check_at_rest(world, guest)
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


def cleaner_killed(step, by_offer):
    """by_offer: what comes next is a second arrival, else the cleaner again."""
    with World() as world:
        guest = world.start_guest(world.here)
        built = world.there.hold("receive.restored.before")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        built.wait(alongside=move.program)
        for role in ("teleportd", "session", "receive"):
            world.there.kill(role)
        built.release()
        move.expect(1)
        kill_within(world, world.there, "teleportd", step,
                    "teleportd", "--clear-leftovers")
        assert left_over(world.there, guest)
        world.there.start_teleportd()
        if not by_offer:
            wait_for_rest(world)
            check_destroyed(world.there, guest)
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


def kill_receive(world, guest, step, fails_at, *options):
    """A teleport whose xl fails there, and is killed while it destroys what it
    has built. The teleport goes on."""
    gate = world.there.hold(fails_at)
    within = world.there.hold(f"receive.{step}")
    move = world.teleport(guest, world.here, *options)
    gate.wait(alongside=move.program)
    gate.release(5)
    within.wait()
    world.there.kill("receive")
    within.release()
    return move


def receive_killed_before_go(step):
    """xl destroys what it has built when its input ends."""
    with World() as world:
        guest = world.start_guest(world.here)
        move = kill_receive(world, guest, step, "receive.restored.before",
                            "--reconnect", "0")
        move.expect(1)
        wait_for_rest(world)
        check_destroyed(world.there, guest)
        check_at_rest(world, guest)
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


def receive_killed_after_go(step):
    """xl could not run the guest, and is killed while it destroys it."""
    with World() as world:
        guest = world.start_guest(world.here)
        move = kill_receive(world, guest, step, "receive.unpause.before",
                            "--ask-limit", "1")
        move.expect(5)
        wait_for_rest(world)
        # It is in the way of the answer, and nobody has to ask for its end.
        check_destroyed(world.there, guest)
        assert recover(guest, world.here) == 1
        wait_for_rest(world)
        check_destroyed(world.there, guest)
        check_at_rest(world, guest)
        assert state_of(world.there, "destination") == ["abandoned"]
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


def by_hand_there(step):
    """The same, and a person says that it shall run there: it is started from
    its disks, and what is half destroyed is not unpaused."""
    with World() as world:
        guest = world.start_guest(world.here)
        move = kill_receive(world, guest, step, "receive.unpause.before",
                            "--ask-limit", "1")
        move.expect(5)
        world.there.wait_until_gone("session")
        assert ask_once(guest, world.there, "--runs-here", "--yes") == 0
        assert ask_once(guest, world.here) == 0
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)


def guard_killed(step):
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        kill_within(world, world.here, "teleportctl", step,
                    "teleportctl", "guard", "shutdown")
        saved = world.here.shut_down()
        if saved:
            raise Wrong("runs twice", f"xendomains saved {saved}")
        check_destroyed(world.here, guest)
        world.mend_link()
        assert recover(guest, world.here) == 0
        check_at_rest(world, guest)


def destroyed_in_limbo(step):
    """A person's `xl destroy` of a guest in limbo is killed, and the guest never
    ran there: what is half destroyed is not resumed."""
    with World() as world:
        guest = world.start_guest(world.here)
        world.here.kill("teleportd")
        gate = world.here.hold("teleport.journal-go.after")
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        world.here.kill("teleport")
        gate.release()
        wait_for_rest(world)
        kill_within(world, world.here, "xl", step, "xl", "destroy", "web1")
        assert recover(guest, world.here) == 1
        assert guest.running_on() == []
        guest.check_history()
        check_destroyed(world.here, guest)
        assert state_of(world.here, "source") == ["home"]
        world.here.run("xl", "create", "/etc/xen/web1.cfg")
        check_at_rest(world, guest)


def guardian_looks(step):
    """A person's `xl destroy` of a suspended guest is killed, and then the
    teleport: the guardian resumes nothing."""
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.last-pages.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        kill_within(world, world.here, "xl", step, "xl", "destroy", "web1")
        world.here.kill("teleport")
        gate.release()
        wait_for_rest(world)
        assert guest.running_on() == []
        guest.check_history()
        assert recover(guest, world.here) == 1
        check_destroyed(world.here, guest)
        world.here.run("xl", "create", "/etc/xen/web1.cfg")
        check_at_rest(world, guest)


def teleport_fails(step):
    """The same, and the teleport lives, and gives up: nor does it."""
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.last-pages.before")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        gate.wait(alongside=move.program)
        kill_within(world, world.here, "xl", step, "xl", "destroy", "web1")
        gate.release()
        report = move.expect(1)
        assert report["here"] == "dying", report
        wait_for_rest(world)
        assert guest.running_on() == []
        guest.check_history()


@test("half destroyed, closing: a shadow that another guest has open is not filled")
def shadow_in_use():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        aside = f"/var/lib/xen/images/{IMAGE}.teleport-shadow"
        with open(world.here.path("/etc/xen/rescue.cfg"), "w", encoding="ascii") as file:
            file.write('name = "rescue"\nuuid = "11111111-1111-4111-8111-111111111111"'
                       f"\nmemory = 64\ndisk = [ 'phy:{aside},xvda,w' ]\n")
        world.here.run("xl", "create", "/etc/xen/rescue.cfg")
        kill_within(world, world.here, "xl", WITHIN[0], "xl", "destroy", "rescue")
        report = world.teleport(guest, world.there).expect(0)
        if report["disks"][0]["kind"] != "new":
            raise Wrong("another's disk", f"{report['disks']}")
        guest.check_runs_on(world.here)


for a_step in WITHIN:
    for words, call in (
            ("the source was killed", source_killed),
            ("teleportd takes up the source's", asked_by_daemon),
            ("recover was killed", recover_killed),
            ("the guest is sent home", comes_home),
            ("a session was killed", session_killed),
            ("the cleaner was killed", lambda s: cleaner_killed(s, by_offer=False)),
            ("a second arrival after the cleaner was killed",
             lambda s: cleaner_killed(s, by_offer=True)),
            ("xl was killed before GO", receive_killed_before_go),
            ("xl was killed after GO", receive_killed_after_go),
            ("a person starts it there after xl was killed", by_hand_there),
            ("a shutdown was killed", guard_killed),
            ("recover resumes no guest in limbo", destroyed_in_limbo),
            ("the guardian resumes nothing", guardian_looks),
            ("a teleport that fails resumes nothing", teleport_fails)):
        add(f"half destroyed, {a_step[8:-6]}: {words}",
            lambda s=a_step, c=call: c(s))


@test("half destroyed, closing: an evacuation's teleport was killed")
def evacuation():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport." + WITHIN[0])
        run = world.evacuate("--to", world.there.address)
        gate.wait(alongside=run.program)
        world.here.kill("teleport")
        gate.release()
        code = run.wait()
        print(code, run.fates, run.said)
        wait_for_rest(world)
        assert run.fates["web1"] not in ("gone", "failed"), run.fates
        assert recover(guest, world.here) == 0
        check_at_rest(world, guest)


def leave_node(host, loop, state):
    """Of a domain that is gone, for /dev/loopN. As real hosts had it: xl was killed
    while it gave its domain the disks, and the domain was destroyed beside its
    hotplug script."""
    nodes = host.path("/run/fake-xen/store/local/domain/0/backend/vbd/999")
    for name, value in (("state", state), ("physical-device", f"7:{loop:x}")):
        node = f"{nodes}/{51712 + 16 * loop}/{name}"
        os.makedirs(node)
        with open(f"{node}/.value", "w", encoding="ascii") as file:
            file.write(value)


@test("a disk's node that outlived its domain holds no disk")
def node_outlived():
    """The loop device that the node names was free again, and is the next
    target's."""
    with World() as world:
        guest = world.start_guest(world.here)
        for number in range(LOOP_DEVICES):
            leave_node(world.there, number, "2")
        world.teleport(guest, world.here, "--reconnect", "0").expect(0)
        check_at_rest(world, guest)
