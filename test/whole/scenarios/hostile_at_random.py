"""A paired host that sends at random, for seconds, or for HOSTILE_MINUTES."""

import hashlib
import os
import random
import re
import time

from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World, Wrong

SESSIONS = 40


def files_of(host):
    """{path: digest} of what no session has any business with."""
    found = {}
    for folder in ("etc", "var/lib/xen/images"):
        for where, _, names in os.walk(os.path.join(host.disk, folder)):
            for name in names:
                path = os.path.join(where, name)
                if os.path.islink(path) or name.startswith(("evil", "web1-")):
                    continue
                with open(path, "rb") as file:
                    found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


@test("whatever a paired host sends at random, nothing is lost and no session crashes")
def at_random():
    end = time.monotonic() + 60 * int(os.environ.get("HOSTILE_MINUTES", "0"))
    seed = os.environ.get("HOSTILE_SEED") or str(random.randrange(1 << 32))
    with World() as world:
        guest = world.start_guest(world.there)
        guest.write_every(100)
        world.here.bring("speaker.py")
        speaker = world.here.bring("random_speaker.py")
        before = files_of(world.there)
        rounds = 0
        while rounds == 0 or time.monotonic() < end:
            print(f"HOSTILE_SEED={seed} round {rounds}", flush=True)
            code, said = world.here.run(
                "python3", speaker, world.there.address, f"{seed}-{rounds}",
                str(SESSIONS), guest.uuid, limit=600)
            print(said, flush=True)
            wait_for_rest(world)
            after = files_of(world.there)
            if after != before:
                raise Wrong("another's disk", f"changed: {set(after.items()) ^ set(before.items())}")
            killed = re.findall("killed by signal.*", world.there.log("teleportd.log"))
            if killed:
                raise Wrong("left over", f"a session was {killed}")
            if [one["name"] for one in world.there.domains()] != [guest.name]:
                raise Wrong("runs twice", f"{world.there.domains()}")
            rounds += 1
        print(f"{rounds * SESSIONS} sessions")
        check_at_rest(world, guest)
        # The door is open to who is honest.
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.here)
