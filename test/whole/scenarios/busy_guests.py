"""A guest that writes faster than the link carries."""

from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import test
from harness.world import World

# Less than the guest writes also where the machine is busy with others.
RATE = "300kB"
SHORT, LONGEST = 0.5, 30  # seconds


@test("a guest that writes faster than the link carries moves when it may stand so long")
def too_fast():
    with World() as world:
        guest = world.start_guest(world.here, mib=1)
        guest.write_every(0)
        move = world.teleport(guest, world.here, "--bwlimit", RATE, "--downtime", "0.2",
                              "--max-downtime", str(SHORT))
        report = move.expect(1)
        assert "writes faster than the link carries" in move.said, move.said
        assert report["here"] == "running", report
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        report = world.teleport(guest, world.here, "--bwlimit", RATE, "--downtime", "0.2",
                                "--max-downtime", str(LONGEST)).expect(0)
        assert report["disks"][0]["kind"] == "partial", report
        assert report["rounds"]["link"] > 0, report
        assert SHORT < report["downtime_seconds"] <= LONGEST, report
        check_at_rest(world, guest)
