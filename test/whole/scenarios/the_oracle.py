"""The oracle sees what it is there for: each thing that must never happen is done
by hand, and has to be found."""

import os
import shutil

from harness import loops
from harness.events import TooLate
from harness.oracle import check_one_copy
from harness.programs import Teleport
from harness.registry import test
from harness.world import World, Wrong

IMAGE = "/var/lib/xen/images/web1-xvda.img"


def expect_wrong(kind, call):
    try:
        call()
    except Wrong as wrong:
        assert wrong.kind == kind, f"{wrong}, and not of the kind '{kind}'"
        return
    raise AssertionError(f"'{kind}' was not seen")


@test("the oracle sees two copies")
def two_copies():
    with World() as world:
        guest = world.start_guest(world.here)
        world.here.run("xl", "pause", "web1")
        for path in (IMAGE, "/etc/xen/web1.cfg"):
            shutil.copy(world.here.path(path), world.there.path(path))
        world.there.run("xl", "create", "/etc/xen/web1.cfg")
        guest.wait_for_records(world.there)
        world.here.run("xl", "unpause", "web1")
        guest.wait_for_records(world.here)
        expect_wrong("runs twice", lambda: check_one_copy(world, guest))
        world.there.run("xl", "destroy", "web1")
        # Also when one of them has ended since.
        expect_wrong("runs twice", guest.check_history)


@test("a wait for a program that has ended is over at once, and says why")
def ended_program():
    with World(start=False) as world:
        world.here.power_on()
        move = Teleport(world, world.here, "no-such-guest", "nowhere")
        try:
            move.wait_for_words("what it never says")
        except TooLate as late:
            assert "it ended before, with code" in str(late), late
            assert move.said and move.said in str(late), late
            return
        raise AssertionError("it waited for nothing")


@test("the oracle sees a lost write")
def lost_write():
    with World() as world:
        guest = world.start_guest(world.here)
        guest.wait_for_records(world.here, 20)
        world.here.power_off()
        record = guest.lines()[-8][3]
        with open(world.here.path(IMAGE), "r+b") as file:
            # Where records.cpp puts it: 2048 blocks, stride 769.
            file.seek((1 + record * 769 % 2047) * 4096)
            file.write(bytes(512))
        world.here.power_on()
        world.here.start_services()
        guest.wait_for_records(world.here)
        expect_wrong("lost write", guest.check_history)


@test("the oracle sees an old disk")
def old_disk():
    with World() as world:
        guest = world.start_guest(world.here)
        world.here.power_off()
        shutil.copy(world.here.path(IMAGE), world.here.path("/var/tmp/old"))
        world.here.power_on()
        world.here.start_services()
        guest.wait_for_records(world.here, 20)
        world.here.power_off()
        shutil.copy(world.here.path("/var/tmp/old"), world.here.path(IMAGE))
        world.here.power_on()
        world.here.start_services()
        guest.wait_for_records(world.here)
        expect_wrong("lost write", guest.check_history)


@test("the oracle sees a wrong byte at the cut-over")
def wrong_byte():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("session.journal-go.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        device, = loops.devices_over(world.there.disk)
        with open(device, "r+b", buffering=0) as disk:
            disk.seek(-1, os.SEEK_END)
            disk.write(b"x")
            os.fsync(disk.fileno())
        gate.release()
        move.expect(0)
        expect_wrong("wrong disk", lambda: guest.check_runs_on(world.there))


@test("the oracle sees a disk that can be started elsewhere")
def startable():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        check_one_copy(world, guest, world.there)
        os.rename(world.here.path(IMAGE + ".teleport-shadow"), world.here.path(IMAGE))
        expect_wrong("startable", lambda: check_one_copy(world, guest))
