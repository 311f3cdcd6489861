"""The link is cut at a step after GO, and comes back: until then nobody knows."""

from harness.oracle import check_one_copy, recover, wait_for_rest
from harness.registry import add
from harness.world import World
from scenarios.kills import AT_SOURCE, host_of, tell_outcome, when

STEPS = ("teleport.journal-go.after", "session.journal-go.before",
         "receive.unpause.before", "session.journal-running.after")


def cut_at(step):
    with World() as world:
        guest = world.start_guest(world.here)
        role = step.partition(".")[0]
        gate = host_of(world, role).hold(step)
        move = world.teleport(guest, world.here, "--ask-limit", "1")
        gate.wait(alongside=move.program)
        world.cut_link()
        gate.release()
        code = move.wait()
        print(f"xl teleport: {code}: {move.said}")
        assert code == 5, move.said
        assert len(guest.running_on()) <= 1
        world.mend_link()
        assert recover(guest, world.here) in (0, 1)
        wait_for_rest(world)
        host = check_one_copy(world, guest)
        if role not in AT_SOURCE and step != "session.journal-go.before":
            assert host is world.there  # it had GO
        tell_outcome(world, step, "link", code, host, True)
        world.teleport(guest, host).expect(0)
        check_one_copy(world, guest, world.other(host))


for a_step in STEPS:
    add(f"link cut at {a_step}, {when(a_step)}", lambda s=a_step: cut_at(s))
