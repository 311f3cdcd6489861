"""Many trips of one guest, there and back: what lives on, and what lies on the
disks, is as much after the last as after the first."""

import json
import os

from harness import loops, races
from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import add
from harness.world import World, Wrong

LONG, SHORT = 200, 6
# The first trip home: by then all that is made once has been made.
WARM = 2
# By then each thread of teleportd's pool has worked once, and has its stack and
# its share of malloc's arenas.
SETTLED = 100
# What anonymous memory may grow by from then on, in all, and until then, a trip.
SLACK_KIB, TRIP_KIB = 4096, 1024
# teleportd looks at its journal now and then, and has a descriptor for that.
LOOKS = 20
DAEMONS = ("teleportd", "keeper")


def anonymous_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("RssAnon:"))


def files_below(folder, besides):
    """Paths below a folder, relative to it."""
    found = set()
    for top, folders, names in os.walk(folder):
        inside = os.path.relpath(top, folder)
        folders[:] = [one for one in folders
                      if os.path.join(inside, one) not in besides]
        found |= {os.path.normpath(os.path.join(inside, name)) for name in names}
    return found


def look(world):
    """What there is at rest, a dictionary for each host."""
    seen = {}
    for host in world.hosts:
        daemons = host.processes(*DAEMONS)
        seen[host.name] = {
            "descriptors": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in daemons),
            "threads": sum(len(os.listdir(f"/proc/{pid}/task")) for pid in daemons),
            "processes": len(host.processes()),
            "anonymous KiB": sum(anonymous_kib(pid) for pid in daemons),
            "loop devices": len(loops.devices_over(host.disk)),
            "journal": len(os.listdir(host.path("/var/lib/xl-teleport/journal"))),
            "history": len(os.listdir(host.path("/var/lib/xl-teleport/history"))),
            "files": files_below(host.disk, ("var/log", "var/lib/xl-teleport/journal",
                                             "var/lib/xl-teleport/history")),
            "locks": files_below(host.path("/run/xl-teleport"), ()),
        }
    return seen


def check_flat(first, last, trips):
    """That nothing grew between two looks, so many trips apart."""
    for host, before in first.items():
        after = last[host]
        for what in ("descriptors", "threads", "processes", "loop devices", "files",
                     "locks"):
            if after[what] != before[what]:
                raise Wrong("left over", f"{what} on {host} after {trips} trips: "
                            f"{after[what]}, {before[what]} before")
        # An entry is removed when it is old, or when 1000 newer ones are over.
        for what in ("journal", "history"):
            if after[what] - before[what] != trips:
                raise Wrong("left over", f"{after[what]} entries of the {what} on "
                            f"{host} after {trips} trips, {before[what]} before")


def check_memory(looks):
    """That the daemons' memory does not grow any more."""
    (number, now), (since, before) = looks[-1], looks[0]
    settled = [one for one in looks if one[0] >= SETTLED]
    allowed = TRIP_KIB * (number - since)
    if settled:
        (since, before), allowed = settled[0], SLACK_KIB
    for host, seen in now.items():
        grown = seen["anonymous KiB"] - before[host]["anonymous KiB"]
        if grown > allowed:
            raise Wrong("left over", f"memory on {host}: {grown} KiB more after trip "
                        f"{number} than after trip {since}")


def look_at_rest(world, first, trips):
    """A look that is as the first one; the last of several when none is."""
    for left in reversed(range(LOOKS)):
        wait_for_rest(world)
        seen = look(world)
        try:
            check_flat(first or seen, seen, trips)
            return seen
        except Wrong:
            if left == 0:
                raise


def page(looks):
    """Numbers of the looks, as a page."""
    columns = ("descriptors", "threads", "processes", "anonymous KiB", "loop devices",
               "files", "locks", "journal")
    lines = [f"# {LONG} teleports there and back",
             "",
             "Made by `make soak`, over a false Xen (test/whole): one guest, teleported "
             "again and",
             "again while it writes. At rest, of teleportd and the keeper of each host:",
             "descriptors, threads and anonymous memory; of the host: processes, loop "
             "devices,",
             "files besides journal, history and logs, locks, and entries of the journal, which "
             "holds",
             "the last 1000 or 30 days.",
             "",
             "| trips | host | " + " | ".join(columns) + " |",
             "|---" * (len(columns) + 2) + "|"]
    for trips, seen in looks:
        for host, one in seen.items():
            cells = [str(len(one[c]) if isinstance(one[c], set) else one[c])
                     for c in columns]
            lines.append(f"| {trips} | {host} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def trips(count):
    with World() as world:
        guest = world.start_guest(world.here)
        source, looks = world.here, []
        for number in range(1, count + 1):
            world.teleport(guest, source).expect(0)
            source = world.other(source)
            guest.check_runs_on(source)
            if number == WARM or number % 20 == 0 or number == count:
                first = looks[0][1] if looks else None
                looks.append((number, look_at_rest(world, first, number - WARM)))
                print(number, json.dumps(looks[-1][1], default=len))
                if not races.SUPPRESSIONS:  # its own memory grows by what it sees
                    check_memory(looks)
        assert source is world.here
        check_at_rest(world, guest)
        if "SOAK_PAGE" in os.environ:
            with open(os.environ["SOAK_PAGE"], "w", encoding="utf-8") as file:
                file.write(page(looks))


add(f"{SHORT} trips leave nothing that grows", lambda: trips(SHORT))
add(f"soak: {LONG} trips leave nothing that grows", lambda: trips(LONG), limit=3600)
