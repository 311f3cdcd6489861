"""A guest leaves and comes home: the plain course of things."""

from harness.oracle import check_at_rest
from harness.registry import test
from harness.world import World


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
