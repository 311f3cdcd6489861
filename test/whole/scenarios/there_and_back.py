"""A guest leaves and comes home: the plain course of things."""

import signal

from harness.oracle import check_at_rest
from harness.registry import test
from harness.world import World, Wrong


@test("there and back")
def there_and_back():
    with World() as world:
        guest = world.start_guest(world.here)
        went = world.teleport(guest, world.here).expect(0)
        guest.check_runs_on(world.there)
        assert went["outcome"] == "moved"
        kept = world.here.kept_disks()
        assert [one["kind"] for one in kept] == ["shadow"], kept
        came = world.teleport(guest, world.there).expect(0)
        guest.check_runs_on(world.here)
        # Its own old disk was there: next to nothing had to cross.
        assert [one["kind"] for one in came["disks"]] == ["shadow"], came
        assert came["bulk"]["in_place"] > came["bulk"]["link"], came
        check_at_rest(world, guest)


@test("two disks, there and back and there")
def two_disks():
    with World() as world:
        guest = world.start_guest(world.here, disks=("xvda", "xvdb"))
        for source in (world.here, world.there, world.here):
            world.teleport(guest, source).expect(0)
            guest.check_runs_on(world.other(source))
        check_at_rest(world, guest)


@test("SIGUSR1 brings a line of progress, with each of two disks")
def asked_for_progress():
    with World() as world:
        guest = world.start_guest(world.here, disks=("xvda", "xvdb"))
        world.here.limit_link("2Mbit")
        move = world.teleport(guest, world.here)
        move.wait_for_phase("bulk", least=0)
        assert world.here.kill("teleport", signal.SIGUSR1)
        move.wait_for_words(" so far")
        world.here.limit_link("off")
        move.expect(0)
        line, = move.said.splitlines()
        if "xvda " not in line or "xvdb " not in line:
            raise Wrong("progress", f"it does not name both disks: {line}")
        told = [one["progress"] for one in move.lines if "progress" in one]
        for one in told:
            if one["phase"] == "bulk":
                assert sum(disk["total"] for disk in one["disks"]) == one["total"], one
                assert sum(disk["done"] for disk in one["disks"]) == one["done"], one
        guest.check_runs_on(world.there)
        check_at_rest(world, guest)


@test("five times in a row, while the guest writes")
def five_times():
    with World() as world:
        guest = world.start_guest(world.here)
        source = world.here
        for number in range(1, 6):
            report = world.teleport(guest, source).expect(0)
            kind = report["disks"][0]["kind"]
            # From the second on its own old disk is there.
            assert kind == ("new" if number == 1 else "shadow"), (number, report)
            source = world.other(source)
            guest.check_runs_on(source)
        assert [what for what, *_ in guest.lines()].count("booted") == 1
        check_at_rest(world, guest)
