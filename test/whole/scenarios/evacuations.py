"""A host is evacuated by the real teleport-evacuate, while its guests write."""

import json
import os
import signal
import time

from harness.events import TooLate, wait_for_one_end
from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World

RECORD = "/var/lib/xl-teleport/evacuation/record.jsonl"
AWAY = "/var/lib/xl-teleport/evacuation/away"
# Of a disk's 2.8 MB nobody is through within a test's time.
SLOW = "50kB"


def start_guests(world, count):
    return [world.start_guest(
        world.here, name=f"evac{i}", uuid=f"0000000{i}-1111-4111-8111-111111111111")
        for i in range(1, count + 1)]


def check_all_at(world, guests, host):
    for guest in guests:
        check_at_rest(world, guest)
        guest.check_runs_on(host)


def most_at_once(run):
    """How many teleports ran at once, at most."""
    running = most = 0
    for one in run.events("start", "moved", "failed"):
        running += 1 if one["event"] == "start" else -1
        most = max(most, running)
    return most


def read_record(host):
    with open(host.path(RECORD), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@test("a dry run of an evacuation leaves no record, and moves nobody")
def dry_run():
    with World() as world:
        guests = start_guests(world, 2)
        over = world.evacuate("--dry-run", "--to", world.there.address).expect(0)
        assert (over["can_move"], over["cannot_move"]) == (2, 0), over
        assert not os.path.exists(world.here.path(RECORD))
        check_all_at(world, guests, world.here)


def fail_once(world, run, name):
    """Kills a guest's teleport in the bulk. Returns when the destination knows:
    else the second try might be refused for the first one's sake."""
    run.wait_for_bulk(name)
    sessions = world.there.processes("session")
    assert world.here.kill("teleport", guest=name) == 1
    run.wait_for_event("failed", name)
    wait_for_one_end(sessions, "the session of the killed teleport")


@test("three guests are evacuated two at a time, one at its second try, and come home")
def there_and_home():
    with World() as world:
        guests = start_guests(world, 3)
        world.here.limit_link(SLOW)
        run = world.evacuate("--to", world.there.address, "--parallel", "2")
        fail_once(world, run, "evac1")
        world.here.limit_link("off")
        run.expect(0)
        assert [one["guest"] for one in run.events("failed")] == ["evac1"]
        assert [one["try"] for one in run.events("start", guest="evac1")] == [1, 2]
        assert most_at_once(run) == 2, run.events()
        assert read_record(world.here) == run.events()
        check_all_at(world, guests, world.there)

        home = world.evacuate("--back", "--home", world.here.address, "--ssh",
                              world.serve_shell(world.there), "--parallel", "2")
        home.expect(0)
        kinds = {one["guest"]: one["report"]["disks"][0]["kind"]
                 for one in home.events("moved")}
        assert kinds == {guest.name: "shadow" for guest in guests}, kinds
        assert os.listdir(world.here.path(AWAY)) == []
        check_all_at(world, guests, world.here)


@test("SIGTERM in the bulk ends an evacuation with its guests at home")
def terminated():
    with World() as world:
        guests = start_guests(world, 2)
        world.here.limit_link(SLOW)
        run = world.evacuate("--to", world.there.address)
        run.wait_for_bulk("evac1")
        world.here.kill("teleport-evacuate", signal.SIGTERM)
        run.expect(1)
        stopping, = run.events("stopping")
        assert (stopping["running"], stopping["cancel"]) == (["evac1"], True), stopping
        assert run.fates == {"evac1": "failed", "evac2": "not_started"}, run.fates
        check_all_at(world, guests, world.here)


@test("an evacuation that was killed in the bulk is resumed by the next start")
def killed():
    with World() as world:
        guests = start_guests(world, 2)
        world.here.limit_link(SLOW)
        run = world.evacuate("--to", world.there.address)
        run.wait_for_bulk("evac1")
        assert world.here.kill("teleport-evacuate") == 1
        # Its teleports cancel themselves.
        check_all_at(world, guests, world.here)
        world.here.limit_link("off")
        again = world.evacuate("--to", world.there.address)
        again.expect(0)
        assert [one["event"] for one in again.events("begin", "resumed")] == ["resumed"]
        assert again.fates == {"evac1": "moved", "evac2": "moved"}, again.fates
        check_all_at(world, guests, world.there)


@test("SIGTERM while guests come home cancels the teleport over the shell")
def homecoming_terminated():
    with World() as world:
        guests = start_guests(world, 2)
        world.evacuate("--to", world.there.address).expect(0)
        wait_for_rest(world)
        gate = world.there.hold("helper.memory.after")
        run = world.evacuate("--back", "--home", world.here.address, "--ssh",
                             world.serve_shell(world.there))
        gate.wait(alongside=run.program)
        world.here.kill("teleport-evacuate", signal.SIGTERM)
        run.expect(1)
        gate.release()
        assert run.fates == {"evac1": "failed", "evac2": "not_started"}, run.fates
        assert len(os.listdir(world.here.path(AWAY))) == 2
        check_all_at(world, guests, world.there)


def before_five(seconds):
    """A time zone in which it is so long before five in the morning."""
    ahead = (int(time.time()) - (5 * 3600 - seconds)) % 86400
    return f"FIVE+{ahead // 3600}:{ahead // 60 % 60}:{ahead % 60}"


def begin_before_close(world, *options):
    """An evacuation that has begun, in a window that closes soon: as soon as
    this machine's speed lets it begin before that."""
    for seconds in (3, 10, 30):
        run = world.evacuate("--to", world.there.address, "--window", "02:00-05:00",
                             *options, zone=before_five(seconds))
        run.wait_until(lambda: run.events("start", "over"), "it begins")
        if run.events("start"):
            return run
        run.expect(3)
    raise TooLate("an evacuation does not begin within 30 s")


@test("what runs when the window closes is cancelled where that is wanted")
def closed_and_cancelled():
    with World() as world:
        guests = start_guests(world, 2)
        world.here.limit_link(SLOW)
        run = begin_before_close(world, "--at-close", "cancel")
        run.expect(1)
        closed, = run.events("window_closed")
        assert (closed["running"], closed["cancel"]) == (["evac1"], True), closed
        assert [one["guest"] for one in run.events("start")] == ["evac1"]
        assert run.fates == {"evac1": "failed", "evac2": "not_started"}, run.fates
        assert (run.report["moved"], run.report["stayed"]) == (0, 2), run.report
        check_all_at(world, guests, world.here)


@test("what runs when the window closes is finished where that is wanted")
def closed_and_finished():
    with World() as world:
        guests = start_guests(world, 2)
        world.here.limit_link(SLOW)
        run = begin_before_close(world, "--at-close", "finish")
        run.wait_for_event("window_closed")
        world.here.limit_link("off")
        run.expect(1)
        closed, = run.events("window_closed")
        assert (closed["running"], closed["cancel"]) == (["evac1"], False), closed
        assert run.fates == {"evac1": "moved", "evac2": "not_started"}, run.fates
        check_all_at(world, guests[:1], world.there)
        check_all_at(world, guests[1:], world.here)
