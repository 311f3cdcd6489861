"""kill -9 of every process at every step of the hand-over."""

from harness import outcomes
from harness.oracle import (check_exit_code, check_one_copy, recover,
                            wait_for_rest)
from harness.registry import add
from harness.world import World

# In the order in which they come. The first word is the role that is held at
# the step; the programs that live there are listed with it.
BEFORE_GO = {
    "teleport.journal-moving.after": "teleport teleportd session",
    "receive.banner.before": "teleport guardian teleportd session receive",
    "helper.memory.after": "teleport guardian helper teleportd session receive",
    "helper.last-pages.before": "teleport guardian helper teleportd session receive",
    "receive.restored.before": "teleport guardian teleportd session receive",
    "session.journal-ready.before": "teleport guardian teleportd session receive",
    "session.journal-ready.after": "teleport session receive",
    "teleport.journal-go.before": "teleport guardian teleportd session receive",
}
AFTER_GO = {
    "teleport.journal-go.after": "teleport guardian teleportd session receive",
    "session.journal-go.before": "teleport session receive",
    "session.journal-go.after": "teleport session receive",
    "receive.unpause.before": "teleport guardian teleportd session receive",
    "receive.unpause.after": "teleport guardian teleportd session receive",
    "session.journal-running.before": "teleport session",
    "session.journal-running.after": "teleport session",
    "session.book-remove.before": "teleport session",
    "teleport.journal-moved.before": "teleport guardian teleportd",
    "teleport.journal-moved.after": "teleport guardian",
    "teleport.book-write.after": "teleport",
    "teleport.destroy.after": "teleport",
    "teleport.set-aside.after": "teleport",
}
AT_SOURCE = ("teleport", "guardian", "helper")


def host_of(world, role):
    return world.here if role in AT_SOURCE else world.there


def when(step):
    return outcomes.BEFORE if step in BEFORE_GO else outcomes.AFTER


def tell_outcome(world, step, fault, code, host, asked, at=None):
    outcomes.tell(at or when(step), step, fault, code,
                  "source" if host is world.here else "destination", asked)


def kill_at(step, victim):
    with World() as world:
        guest = world.start_guest(world.here)
        role = step.partition(".")[0]
        gate = host_of(world, role).hold(step)
        # Nothing of the source's waits for the start of xl at the destination.
        started = (world.there.hold("receive.banner.before")
                   if victim == "receive" and role != "receive" else None)
        move = world.teleport(guest, world.here, "--ask-limit", "3")
        if started:
            started.wait(alongside=move.program)
            started.release()
        gate.wait(alongside=move.program)
        killed = host_of(world, victim).kill(victim)
        assert killed, f"there is no {victim} at {step}"
        gate.release()
        code = ended = move.wait()
        print(f"xl teleport: {code}: {move.said}")
        if victim == "teleportd":
            world.there.start_teleportd()  # as systemd does
        wait_for_rest(world)
        # Killed after GO or without an answer: a person asks.
        asked = code == 5 or (code < 0 or code > 5) and step in AFTER_GO
        if asked:
            code = recover(guest, world.here)
        host = check_one_copy(world, guest)
        check_exit_code(guest, code, host)
        tell_outcome(world, step, "kill " + victim, ended, host, asked)
        if step in BEFORE_GO and victim == "teleport":
            assert host is world.here
        # Nothing that was left over stands in the way of the next one.
        world.teleport(guest, host).expect(0)
        check_one_copy(world, guest, world.other(host))


for a_step, victims in (BEFORE_GO | AFTER_GO).items():
    for a_victim in victims.split():
        add(f"kill {a_victim} at {a_step}, {when(a_step)}",
            lambda s=a_step, v=a_victim: kill_at(s, v))
