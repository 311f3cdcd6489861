"""What fails before GO costs only time: the guest goes on where it is, nothing of
it stays at the destination, and the next try adopts what this one left. Kills at
each step of the memory and the gate are in kills.py."""

from harness import outcomes
from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import add
from harness.world import World, Wrong
from scenarios.kills import tell_outcome

SLOW = "300kB"


class Held:
    """A teleport that has come so far, and is held there until let_go()."""

    steps = {"memory": "helper.memory.after", "gate": "session.journal-ready.before"}

    def __init__(self, world, guest, phase):
        self.world, self.guest = world, guest
        step = self.steps.get(phase)
        host = world.there if phase == "gate" else world.here
        self.gate = host.hold(step) if step else None
        if not step:
            world.here.limit_link(SLOW)
            # Faster than the link: rounds follow each other. Slower than it while
            # the bulk is sent: else all that has arrived is overwritten by then.
            guest.write_every(1 if phase == "rounds" else 100)
        self.move = world.teleport(guest, world.here, "--reconnect", "0")
        if step:
            self.gate.wait(alongside=self.move.program)
        else:
            # The extent before the last that was sent has arrived.
            self.move.wait_for_phase(phase, 2 << 20 if phase == "bulk" else 1)

    def let_go(self):
        if self.gate:
            self.gate.release()
        # Else it has written over all that arrived before the fault is noticed.
        self.guest.write_every(100)


def fail(kind, phase):
    with World() as world:
        guest = world.start_guest(world.here)
        held = Held(world, guest, phase)
        if kind == "the link":
            world.cut_link()
        elif kind == "the session":
            assert world.there.kill("session") == 1
        else:
            assert world.here.kill("teleport") == 1
        held.let_go()
        code = held.move.wait()
        if code != 1 and kind != "the source" or code == 0:
            raise Wrong("exit code", f"{code}: {held.move.said}")
        if kind == "the link":
            world.mend_link()
        wait_for_rest(world)
        host = check_one_copy(world, guest, world.here)
        tell_outcome(world, phase, kind, code, host, False, outcomes.PHASES)
        assert world.there.domains() == [], world.there.domains()
        world.here.limit_link("off")
        report = world.teleport(guest, world.here).expect(0)
        assert report["disks"][0]["kind"] == "partial", report
        assert report["bulk"]["in_place"] > 0, report
        check_at_rest(world, guest)


PHASES = ("bulk", "rounds", "memory", "gate")
for a_phase, kinds in (("bulk", ("the link", "the session", "the source")),
                       ("rounds", ("the link", "the session", "the source")),
                       ("memory", ("the link",)),
                       ("gate", ("the link",))):
    for a_kind in kinds:
        add(f"{a_kind} fails in the phase {a_phase}, and the next try goes on",
            lambda k=a_kind, p=a_phase: fail(k, p))
