"""Every durable act of a teleport fails as on a full disk, at either host."""

from harness import outcomes
from harness.oracle import (check_exit_code, check_one_copy, recover,
                            wait_for_rest)
from harness.registry import add, test
from harness.world import World
from scenarios.kills import host_of, tell_outcome

NO_SPACE = 28

# In the order in which they come, with the exit code of `xl teleport`.
BEFORE_GO = {
    "session.journal-building.before": 1,
    "session.book-write.before": 1,
    "teleport.journal-moving.before": 1,
    "session.journal-ready.before": 1,
    "teleport.journal-go.before": 1,
}
AFTER_GO = {
    "session.journal-go.before": 1,
    "session.journal-running.before": 0,
    "session.book-remove.before": 0,
    "teleport.journal-moved.before": 0,
    "teleport.book-write.before": 4,
    "teleport.set-aside.before": 4,
    "teleport.journal-cleared.before": 0,
}


def when(step):
    return outcomes.BEFORE if step in BEFORE_GO else outcomes.AFTER


def full_disk(step, expected):
    with World() as world:
        guest = world.start_guest(world.here)
        gate = host_of(world, step.partition(".")[0]).hold(step)
        move = world.teleport(guest, world.here, "--ask-limit", "3")
        gate.wait(alongside=move.program)
        gate.release(NO_SPACE)
        move.expect(expected)
        assert "xl teleport: \n" not in move.said + "\n", move.said
        wait_for_rest(world)
        asked = expected == 4
        if asked:
            assert recover(guest, world.here) == 0
        host = check_one_copy(world, guest)
        check_exit_code(guest, expected, host)
        tell_outcome(world, step, "full disk", expected, host, asked, when(step))
        world.teleport(guest, host).expect(0)
        check_one_copy(world, guest, world.other(host))


for a_step, a_code in (BEFORE_GO | AFTER_GO).items():
    add(f"full disk at {a_step}, {when(a_step)}",
        lambda s=a_step, c=a_code: full_disk(s, c))


@test("a disk that comes home cannot get its name back, and gets it later")
def not_brought_back():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        gate = world.here.hold("session.bring-back.before")
        move = world.teleport(guest, world.there)
        gate.wait(alongside=move.program)
        gate.release(NO_SPACE)
        move.expect(0)
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        assert "web1-xvda.img" in world.here.images(), world.here.images()
        world.teleport(guest, world.here).expect(0)
        check_one_copy(world, guest, world.there)
