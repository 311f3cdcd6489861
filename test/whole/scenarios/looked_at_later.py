"""Whoever looks later: --recover for every state, on either host; teleportd, which
asks by itself; a boot, a shutdown; a person's word."""

import os
import shutil

from harness.events import FolderWatch
from harness.oracle import (ask_once, check_boot_without_answer, check_cannot_start, check_one_copy,
                            check_starts_here, recover, wait_for_rest)
from harness.registry import add, test
from harness.world import World, Wrong


def kill_source_at(world, step, host, asking=False):
    """The guest's teleport whose source was killed at a step; the destination
    goes on.

    asking: teleportd at the source is there, and will ask by itself"""
    guest = world.start_guest(world.here)
    if not asking:
        world.here.kill("teleportd")
    gate = host.hold(step)
    move = world.teleport(guest, world.here, "--ask-limit", "1")
    gate.wait(alongside=move.program)
    world.here.kill("teleport")
    gate.release()
    wait_for_rest(world)
    return guest


def state_of(host, role):
    return [entry["state"] for entry in host.journal(role).values()]


def wait_for_state(host, role, state):
    folder = host.path("/var/lib/xl-teleport/journal")
    with FolderWatch(folder) as changes:
        changes.until(lambda: state_of(host, role) == [state],
                      f"the journal of {host.name} says {state}")


@test("teleportd asks by itself after the source was killed behind GO")
def asked_by_daemon():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here,
                               asking=True)
        wait_for_state(world.here, "source", "cleared")
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)


@test("teleportd asks by itself after a boot, and the guest is started again")
def asked_after_boot():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport.journal-go.after")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        world.power_loss(world.here)
        gate.release()
        world.there.kill("session")
        wait_for_rest(world)
        world.here.start_services()
        wait_for_state(world.here, "source", "home")
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)


@test("a guest that may run there is not started at boot before the answer")
def boot_without_answer():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        world.power_loss(world.here)
        check_boot_without_answer(world, guest)


@test("where a disk cannot be set aside at boot the autostart is hidden")
def boot_with_full_disk():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        world.power_loss(world.here)
        gate = world.here.hold("teleportctl.book-write.before")
        boot = world.here.spawn("teleportctl", "guard", "boot")
        gate.wait(alongside=boot)
        gate.release(28)
        assert boot.wait() == 1
        assert os.listdir(world.here.path("/etc/xen/auto")) == [
            ".teleport-web1.cfg"]
        world.here._start_xendomains()
        guest.check_runs_on(world.there)
        assert world.here.domains() == []


@test("a guest in limbo is not saved when its host is shut down")
def shutdown():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        saved = world.here.shut_down()
        if saved:
            raise Wrong("runs twice", f"xendomains saved {saved}")
        world.mend_link()
        assert recover(guest, world.here) == 0
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)


@test("the next try of a guest in limbo is told to recover, and nothing else")
def next_try():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        move = world.teleport(guest, world.here)
        move.expect(5)
        said = move.said
        assert "'xl teleport --recover web1'" in said, said
        assert "rename or stop" not in said, said


@test("another paired host at the destination's address is not believed")
def another_key():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.there.kill("teleportd")
        folder = world.there.path("/etc/xen/teleport")
        for name in ("host.crt", "host.key"):
            os.remove(os.path.join(folder, name))
        shutil.rmtree(world.there.path("/var/lib/xl-teleport/journal"))
        world.there.start_teleportd()
        peers = world.here.path("/etc/xen/teleport/peers")
        shutil.copy(os.path.join(folder, "host.crt"),
                    os.path.join(peers, "new-beta.crt"))
        code, said = world.here.run("xl-teleport", "--ask-limit", "2", "--recover",
                                    "web1", check=False)
        assert code == 5, said
        assert "another host now" in said, said
        guest.check_runs_on(world.there)


@test("a person decides at the source: it runs here")
def runs_here():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("session.journal-go.after")
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        world.power_loss(world.there)
        gate.release()
        move.expect(5)
        code, said = world.here.run("xl-teleport", "--ask-limit", "1", "--recover",
                                    "web1", "--runs-here", check=False)
        assert code == 2 and "--yes" in said, said
        assert guest.running_on() == []
        assert ask_once(guest, world.here, "--runs-here", "--yes") == 1
        entry = list(world.here.journal("source").values())[0]
        assert entry["state"] == "home" and entry["by_hand"], entry
        world.there.start_services()
        assert ask_once(guest, world.there, "--runs-there", "--yes") == 1
        entry = list(world.there.journal("destination").values())[0]
        assert entry["state"] == "abandoned" and entry["by_hand"], entry
        check_one_copy(world, guest, world.here)


@test("a person decides at the source: it runs there")
def runs_there():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.cut_link()
        assert ask_once(guest, world.here, "--runs-there", "--yes") == 0
        assert state_of(world.here, "source") == ["cleared"]
        check_one_copy(world, guest, world.there)


@test("a person's word does not count against the destination's")
def overruled():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        assert ask_once(guest, world.here, "--runs-here", "--yes") == 0
        check_one_copy(world, guest, world.there)


@test("a guest that was started here though it runs there is an alarm")
def alarm():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        world.power_loss(world.here)
        world.here._start_xendomains()  # as where the units are disabled
        code, said = world.here.run("xl-teleport", "--recover", "web1", check=False)
        assert code == 5 and "RUNS TWICE" in said, said
        assert len(guest.running_on()) == 2
        assert state_of(world.here, "source") == ["go"]
        # A person stops the one here, as the sentence says.
        world.here.run("xl", "destroy", "web1")
        assert ask_once(guest, world.here) == 0
        assert guest.running_on() == [world.there]
        check_cannot_start(world.here, guest)


@test("what stands paused at the destination is started by a person's word there")
def paused_there():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("receive.unpause.before")
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        world.there.kill("receive")
        gate.release()
        move.expect(5)
        wait_for_rest(world)
        assert ask_once(guest, world.there) == 5
        assert ask_once(guest, world.there, "--runs-here", "--yes") == 0
        assert ask_once(guest, world.here) == 0
        guest.check_runs_on(world.there)


@test("a full disk is told, and recover's exit code is not that of success")
def full_disk():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        gate = world.here.hold("recover.journal-cleared.before")
        asked = world.here.spawn("xl-teleport", "--recover", "web1")
        gate.wait(alongside=asked)
        gate.release(28)
        assert asked.wait() == 4
        assert ask_once(guest, world.here) == 0
        check_one_copy(world, guest, world.there)


def told_afterwards(host_name, code):
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        host = world.here if host_name == "source" else world.there
        assert ask_once(guest, host) == code


for a_host in ("source", "destination"):
    add(f"recover at the {a_host} of a teleport that is over says so",
        lambda h=a_host: told_afterwards(h, 0))


def ask_as_other_release(world, version, number, body):
    """{number: body} of the records that a source of another release hears."""
    world.here.bring("speaker.py")
    said = world.here.run("python3", world.here.bring("old_peer.py"), world.there.address,
                          str(version), str(number), body.hex())[1]
    return {int(kind): bytes.fromhex(text) for kind, text in
            (line.split(" ") for line in said.splitlines())}


@test("a source of another release is told what became of its teleport")
def other_release():
    with World() as world:
        guest = world.start_guest(world.here)
        move = world.teleport(guest, world.here)
        number = move.expect(0)["id"].encode()
        wait_for_rest(world)
        for version in (1, 3, 99):
            for uuid in (b"", guest.uuid.encode()):
                heard = ask_as_other_release(world, version, 19, number + uuid)
                assert heard.get(20) == b"\1", heard
        heard = ask_as_other_release(world, 99, 2, b"{}")
        assert b"version 99" in heard[18], heard
        # Release 0.1.0, of a teleport that the journal has lost.
        shutil.rmtree(world.there.path("/var/lib/xl-teleport/journal"))
        assert ask_as_other_release(world, 3, 19, number)[20] == b"\3"
        assert ask_as_other_release(world, 3, 19, number + guest.uuid.encode())[
            20] == b"\1"


@test("the guard of a boot leaves alone what left in this boot")
def guard_by_hand():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        before = world.here.images(), world.here.domains()
        assert world.here.run("teleportctl", "guard", "boot") == (0, "")
        assert (world.here.images(), world.here.domains()) == before
        said = world.here.run("teleportctl", "teleports", "--needed")[1]
        assert said.startswith("go ") and "--recover web1'" in said, said
        assert recover(guest, world.here) == 0
        assert world.here.run("teleportctl", "teleports", "--needed")[1] == ""
        assert world.here.run("teleportctl", "teleports", "--unsettled")[1] == ""


@test("recover of a guest that was never teleported is refused")
def unheard_of():
    with World() as world:
        guest = world.start_guest(world.here)
        assert ask_once(guest, world.here) == 3
        guest.check_runs_on(world.here)


@test("a departure that is not closed yet does not touch a guest that came home")
def home_before_closed():
    with World() as world:
        guest = kill_source_at(world, "teleport.set-aside.after", world.here)
        assert state_of(world.here, "source") == ["moved"]
        gate = world.here.hold("recover.journal-cleared.before")
        world.here.start_teleportd()
        gate.wait()
        gate.release(28)  # the next attempt is seconds away
        world.here.wait_until_gone("recover")
        world.teleport(guest, world.there).expect(0)
        world.power_loss(world.here)
        world.here.start_services()
        guest.wait_for_records(world.here)
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        check_starts_here(world.here, guest)
