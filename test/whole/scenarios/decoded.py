"""Whole sessions, judged by the independent decoder."""

from harness.oracle import check_at_rest
from harness.registry import test
from harness.relay import Relay, judge
from harness.world import World

GO_RESULT = "17"


def left_behind(world):
    """The disk that stayed at the source: what it was at the cut-over."""
    kept, = world.here.kept_disks()
    return world.here.path(kept["path"])


@test("the decoder follows a teleport, and sees damage to it")
def followed():
    with World() as world:
        guest = world.start_guest(world.here)
        relay = Relay(world, world.here)
        world.teleport(guest, world.here, to=relay.address).expect(0)
        trace, = relay.wait()
        final = left_behind(world)
        judge("decode.py", "--final", final, trace)
        judge("damage.py", "--final", final, trace)
        check_at_rest(world, guest)


@test("the decoder follows a teleport whose last answer is lost, and its question")
def answer_lost():
    with World() as world:
        guest = world.start_guest(world.here)
        # While the session that lost its link ends there, the answer is to ask again.
        relay = Relay(world, world.here, "--sessions", "9", "--cut-before", GO_RESULT)
        move = world.teleport(guest, world.here, to=relay.address)
        assert move.expect(0)["outcome"] == "moved"
        guest.check_runs_on(world.there)
        broken, *_, question = relay.end()
        judge("decode.py", "--final", left_behind(world), "--broken", broken)
        told = judge("decode.py", question)
        assert "running" in told, told
        check_at_rest(world, guest)
