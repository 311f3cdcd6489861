"""An image goes ahead of its guest."""

from harness.events import TooLate
from harness.oracle import check_at_rest, wait_for_rest
from harness.programs import Program
from harness.registry import add, test
from harness.relay import Relay, judge
from harness.world import World

IMAGE = "/var/lib/xen/images/web1-xvda.img"
UUID = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11"


def seed(world, *options):
    return world.here.run("teleportctl", "seed", "--reconnect", "0", "--disk", IMAGE,
                          "--as", f"{UUID}:xvda", *options, world.there.address,
                          check=False)


def check_kept(world, kind):
    kept = world.there.kept_disks()
    assert [one["kind"] for one in kept] == [kind], kept
    with open(world.here.path(IMAGE), "rb") as ours, \
            open(world.there.path(kept[0]["path"]), "rb") as theirs:
        assert kind != "shadow" or ours.read() == theirs.read(), "the seed differs"


@test("a guest follows its seed")
def seed_then_teleport():
    with World() as world:
        guest = world.make_guest(world.here)
        code, said = seed(world)
        assert code == 0, said
        check_kept(world, "shadow")
        world.here.run("xl", "create", "/etc/xen/web1.cfg")
        guest.wait_for_records(world.here)
        report = world.teleport(guest, world.here).expect(0)
        assert report["disks"][0]["kind"] == "shadow", report
        assert report["bulk"]["in_place"] > report["bulk"]["link"], report
        check_at_rest(world, guest)


def broken_seed(step):
    """The session there is killed at a step; the second attempt goes on."""
    with World() as world:
        world.make_guest(world.here)
        gate = world.there.hold(step)
        program = world.here.spawn(
            "teleportctl", "seed", "--reconnect", "0", "--disk", IMAGE, "--as",
            f"{UUID}:xvda", world.there.address)
        gate.wait(alongside=program)
        assert world.there.kill("session") == 1
        gate.release()
        if program.wait(60) == 0:
            raise TooLate("the seed whose session was killed has succeeded")
        wait_for_rest(world)
        code, said = seed(world)
        assert code == 0, said
        check_kept(world, "shadow")


for a_step in ("session.book-write.after", "session.set-aside.before",
               "session.set-aside.after"):
    add(f"a seed that breaks at {a_step} goes on", lambda s=a_step: broken_seed(s))


@test("a seed over three connections goes on when its link breaks, and the guest follows")
def broken_link():
    with World() as world:
        guest = world.start_guest(world.here)
        guest.write_every(20)
        # Slow enough that all connections are there before it breaks.
        relay = Relay(world, world.here, "--sessions", "2", "--cut-after", "1500000")
        report = Program(world, world.here, "teleportctl", "seed", "--json",
                         "--connections", "3", "--bwlimit", "1MB", "web1",
                         relay.address).expect(0)
        assert (report["link"]["losses"], report["link"]["connections"]) == (1, 3), report
        assert report["disks"][0]["kind"] == "partial", report
        assert report["bulk"]["in_place"] > 500_000, report
        broken, whole = relay.wait()
        judge("decode.py", "--broken", broken)
        assert "slices on" in judge("decode.py", whole)
        guest.check_runs_on(world.here)
        guest.write_every(200)

        report = world.teleport(guest, world.here, "--bwlimit", "1MB",
                                "--connections", "3").expect(0)
        assert report["link"]["connections"] == 3, report
        assert report["disks"][0]["kind"] == "shadow", report
        assert report["bulk"]["link"] < report["disk_bytes"] / 10, report
        # A tenth for what the limit lets through at once.
        assert report["total_seconds"] > 0.9 * report["link"]["sent"] / 1e6, report
        check_at_rest(world, guest)
