"""Either host loses power at every step: all its processes, /run, Xen's domains
and loop devices at once. It starts with other numbers, and xendomains starts
what /etc/xen/auto names."""

from harness.oracle import (check_exit_code, check_one_copy, recover,
                            wait_for_rest)
from harness.registry import add
from harness.world import World
from scenarios.kills import AFTER_GO, BEFORE_GO, host_of, tell_outcome, when


def lose_power_at(step, name, auto):
    with World() as world:
        guest = world.start_guest(world.here, auto=auto)
        gate = host_of(world, step.partition(".")[0]).hold(step)
        move = world.teleport(guest, world.here, "--ask-limit", "3")
        gate.wait(alongside=move.program)
        if step == "receive.unpause.after":
            guest.wait_for_records(world.there, 1)  # it runs by now
        lost = world.here if name == "source" else world.there
        world.power_loss(lost)
        gate.release()
        lost.start_services()
        code = move.wait()
        print(f"xl teleport: {code}: {move.said}")
        wait_for_rest(world)
        asked = lost is world.here or code == 5
        if asked:
            recover(guest, world.here)
        host = check_one_copy(world, guest)
        tell_outcome(world, step, "power of " + name, code, host, asked)
        if lost is world.there:
            check_exit_code(guest, code, host)
        world.teleport(guest, host).expect(0)
        check_one_copy(world, guest, world.other(host))


for a_step in BEFORE_GO | AFTER_GO:
    add(f"power of destination at {a_step}, {when(a_step)}",
        lambda s=a_step: lose_power_at(s, "destination", True))
    add(f"power of source at {a_step}, {when(a_step)}",
        lambda s=a_step: lose_power_at(s, "source", True))
