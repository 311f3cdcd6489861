"""What runs is seen and ended from another terminal, on both hosts."""

import json
import os
import pty
import re
import signal

from harness.events import LIMIT, FolderWatch
from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World

# Of a disk's 2.8 MB nobody is through within a test's time.
SLOW = "50kB"
RUNNING = "/run/xl-teleport/jobs"
# A line of Prometheus' text format, and a label's value.
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)+)\})? (\S+)')
VALUE = re.compile(r'="((?:[^"\\]|\\.)*)"')


def jobs(host):
    return json.loads(host.run("teleportctl", "jobs", "--json")[1])


def log(host, *guest):
    return json.loads(host.run("teleportctl", "log", "--json", *guest)[1])


def wait_for_job(host, is_meant):
    """Until a job that runs there is the one; returns it."""
    host.run("mkdir", "-p", "-m", "700", RUNNING)
    found = []

    def is_there():
        found[:] = [one for one in jobs(host) if is_meant(one)]
        return bool(found)
    with FolderWatch(host.path(RUNNING)) as changes:
        changes.until(is_there, f"a job at {host.name}")
    return found[0]


def in_bulk(kind):
    return lambda one: one["kind"] == kind and (one["progress"] or {}).get("done", 0) > 0


def ends(host):
    """Of the history, newest first."""
    return [(one["role"], one["guest"], one["state"], one["outcome"])
            for one in log(host)]


def cancelled_in_bulk(at):
    """at: whose teleportctl cancels it. The job has one id at both ends."""
    with World() as world:
        guest = world.start_guest(world.here)
        world.here.limit_link(SLOW)
        move = world.teleport(guest, world.here)
        ours = wait_for_job(world.here, in_bulk("teleport"))
        theirs = wait_for_job(world.there, in_bulk("teleport"))
        assert ours["id"] == theirs["id"], (ours, theirs)
        assert (ours["role"], theirs["role"]) == ("source", "destination")
        assert (ours["host"], theirs["host"]) == (world.there.address, "alpha")
        host = getattr(world, at)
        assert "web1" in host.run("teleportctl", "show", ours["id"][:8])[1]
        code, said = host.run("teleportctl", "cancel", ours["id"][:8], check=False)
        assert code == 0 and "cancelled; web1 goes on" in said, said
        report = move.expect(1)
        assert report["id"] == ours["id"], report
        world.here.limit_link("off")
        check_at_rest(world, guest)
        guest.check_runs_on(world.here)
        assert jobs(world.here) == jobs(world.there) == []
        ours = "cancelled" if at == "here" else "failed"
        theirs = "failed" if at == "here" else "cancelled"
        assert ends(world.here) == [("source", "web1", "ended", ours)]
        assert ends(world.there) == [("destination", "web1", "ended", theirs)]

        report = world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)
        guest.check_runs_on(world.there)
        moved, arrived = log(world.here, "web1")[0], log(world.there, "web1")[0]
        assert (moved["outcome"], arrived["outcome"]) == ("moved", "arrived")
        assert moved["id"] == arrived["id"] == report["id"]
        assert moved["report"]["total_seconds"] == report["total_seconds"]


def metrics(host):
    """{(name, its labels' values): value}, of a file that is in Prometheus' format."""
    file, told, head = "/var/tmp/xl-teleport.prom", {}, []
    host.run("teleportctl", "metrics", "--output", file)
    with open(host.path(file), encoding="utf-8") as text:
        for line in text.read().splitlines():
            if line.startswith("#"):
                head = head[-1:] + [line.split()[:3]]
                continue
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert head == [["#", "HELP", name], ["#", "TYPE", name]], line
            key = (name.removeprefix("xl_teleport_"), *VALUE.findall(labels or ""))
            assert key not in told, line
            told[key] = float(value)
    return told


@test("a screen follows what runs, until Ctrl-C, and cancels nothing")
def top():
    with World() as world:
        guest = world.start_guest(world.here)
        assert world.here.run("teleportctl", "top", check=False)[0] == 2
        outer, inner = pty.openpty()
        view = world.here.spawn("teleportctl", "top", output=inner,
                                environment={"TERM": "xterm"})
        os.close(inner)
        said = b""

        def see(words):
            nonlocal said
            while words not in said:
                said += os.read(outer, 4096)
        see(b"0 jobs here")
        world.here.limit_link(SLOW)
        move = world.teleport(guest, world.here)
        see(b"teleport of web1 to ")
        see(b"1 job here")
        for pid in world.here.processes("teleportctl"):
            os.kill(pid, signal.SIGINT)
        see(b"\x1b[?1049l")
        assert view.wait(LIMIT) == 0
        os.close(outer)
        world.here.limit_link("off")
        move.expect(0)
        check_at_rest(world, guest)


@test("Prometheus is told what runs, what has run and what is kept")
def told_to_prometheus():
    with World() as world:
        guest = world.start_guest(world.here)
        told = metrics(world.here)
        assert told["jobs", "teleport", "source"] == 0, told
        assert told["readable", "journal"] == told["readable", "index"] == 1, told
        world.here.limit_link(SLOW)
        move = world.teleport(guest, world.here)
        wait_for_job(world.there, in_bulk("teleport"))
        assert metrics(world.here)["jobs", "teleport", "source"] == 1
        assert metrics(world.there)["jobs", "teleport", "destination"] == 1
        world.here.limit_link("off")
        report = move.expect(0)
        check_at_rest(world, guest)
        here, there = metrics(world.here), metrics(world.there)
        assert here["ended_jobs", "teleport", "source", "moved"] == 1, here
        assert there["ended_jobs", "teleport", "destination", "arrived"] == 1, there
        assert here["last_move_downtime_seconds",] == report["downtime_seconds"], here
        assert here["last_move_sent_bytes",] == report["link"]["sent"], here
        assert here["unsettled_teleports",] == 0 and here["kept_disks",] == 1, here
        assert there["kept_disks",] == 0, there
        with open(world.here.path("/var/lib/xl-teleport/journal/x.source"), "wb") as bad:
            bad.write(b"no entry")
        assert metrics(world.here)["damaged_journal_entries",] == 1


@test("a teleport is seen at both hosts, cancelled in the bulk, and told afterwards")
def cancelled_here():
    cancelled_in_bulk("here")


@test("a teleport is cancelled in the bulk by its destination")
def cancelled_there():
    cancelled_in_bulk("there")


@test("after GO no host's teleportctl cancels a teleport")
def past_go():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("receive.unpause.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        for host in world.hosts:
            one = wait_for_job(host, lambda one: not one["revocable"])
            code, said = host.run("teleportctl", "cancel", one["id"], check=False)
            assert code == 1 and "cannot be taken back: web1 was given" in said, said
        gate.release()
        move.expect(0)
        check_at_rest(world, guest)
        guest.check_runs_on(world.there)


@test("a job is cut short by a kill and by a loss of power, and the log says so")
def cut_short():
    with World() as world:
        guest = world.start_guest(world.here)
        world.here.limit_link(SLOW)
        move = world.teleport(guest, world.here)
        wait_for_job(world.there, in_bulk("teleport"))
        assert world.there.kill("session") == 1
        assert jobs(world.there) == []
        assert ends(world.there) == [("destination", "web1", "cut_short", "")]
        world.here.kill("teleport")
        move.wait()
        wait_for_rest(world)
        assert jobs(world.here) == []
        assert [one["state"] for one in log(world.here)] == ["cut_short"]
        world.teleport(guest, world.here)
        wait_for_job(world.here, in_bulk("teleport"))
        world.power_loss(world.here)
        world.here.start_services()
        guest.wait_for_records(world.here)
        assert jobs(world.here) == []
        assert [one["state"] for one in log(world.here)] == ["cut_short"] * 2
        assert os.listdir(world.here.path("/var/lib/xl-teleport/history"))


@test("an evacuation and its teleports are jobs, and it is cancelled as by Ctrl-C")
def evacuation():
    with World() as world:
        guests = [world.start_guest(
            world.here, name=f"evac{i}", uuid=f"0000000{i}-1111-4111-8111-111111111111")
            for i in (1, 2)]
        world.here.limit_link(SLOW)
        run = world.evacuate("--to", world.there.address)
        run.wait_for_bulk("evac1")
        one = wait_for_job(world.here, lambda one: one["kind"] == "evacuation"
                           and "evac1 bulk" in one["line"])
        assert {each["kind"] for each in jobs(world.here)} == {"evacuation", "teleport"}
        assert world.here.run("teleportctl", "cancel", one["id"])[0] == 0
        run.expect(1)
        assert run.fates == {"evac1": "failed", "evac2": "not_started"}, run.fates
        for guest in guests:
            check_at_rest(world, guest)
            guest.check_runs_on(world.here)
        told = {each["kind"]: each for each in log(world.here)}
        assert told["evacuation"]["outcome"] == "cancelled", told
        assert told["evacuation"]["sentence"].startswith("0 moved, 2 stayed"), told
        assert told["teleport"]["outcome"] == "cancelled", told
