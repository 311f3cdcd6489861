"""What other people and programs do to a guest while it is being teleported."""

import pathlib
import signal

from harness.events import FolderWatch, TooLate
from harness.oracle import (check_at_rest, check_exit_code, check_one_copy,
                            recover, wait_for_rest)
from harness.registry import add, test
from harness.world import World, Wrong

MORE = "/var/tmp/more.img"
JOURNAL = "/var/lib/xl-teleport/journal"
IN_BULK = "session.book-write.after"     # the targets are made: disks come next
IN_MEMORY = "helper.memory.after"        # the guest runs, its memory is sent
SUSPENDED = "helper.last-pages.before"


def make_disk(host, path=MORE):
    with open(host.path(path), "wb") as file:
        file.truncate(8 << 20)


def vdevs(guest):
    return [disk["vdev"] for _, domain in guest.places("running")
            for disk in domain["disks"]]


def begin(world, guest, step, *options):
    """A teleport that is held at a step."""
    host = world.here if step.startswith("helper") else world.there
    gate = host.hold(step)
    move = world.teleport(guest, world.here, *options)
    try:
        gate.wait(alongside=move.program)
    except TooLate:
        print(move.said)
        raise
    return move, gate


@test("a teleport that fails does not resume what others have suspended")
def suspended_by_others():
    with World() as world:
        guest = world.start_guest(world.here)
        saved = world.here.hold("xl.saved.before")
        move, gate = begin(world, guest, IN_BULK, "--reconnect", "0")
        world.here.spawn("xl", "save", "web1", "/var/tmp/web1")
        saved.wait()
        world.there.kill("session")
        gate.release()
        move.expect(1)
        state = world.here.domain("web1")["state"]
        saved.release()
        if state != "suspended":
            raise Wrong("another's suspend", f"web1, which was being saved, is {state}")
        assert "suspended here by another program" in move.said, move.said
        assert guest.places("running") == []


@test("nor does the guardian of a teleport that was killed")
def guardian_leaves_it():
    with World() as world:
        guest = world.start_guest(world.here)
        saved = world.here.hold("xl.saved.before")
        move, gate = begin(world, guest, IN_BULK)
        world.here.spawn("xl", "save", "web1", "/var/tmp/web1")
        saved.wait()
        world.here.kill("teleport")
        move.wait()
        gate.release()
        world.here.wait_until_gone("guardian")
        state = world.here.domain("web1")["state"]
        saved.release()
        if state != "suspended":
            raise Wrong("another's suspend", f"web1, which was being saved, is {state}")


@test("a guest whose teleport was killed is resumed once Xen can be asked again")
def guardian_without_xen():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport.journal-go.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        # Each file is a list of the domains that libxl cannot make.
        lists = pathlib.Path(world.here.path("/run/fake-xen/failing-lists"))
        lists.mkdir()
        for number in range(10):
            (lists / str(number)).touch()
        world.here.kill("teleport")
        gate.release()
        move.wait()
        world.here.wait_until_gone("guardian")
        assert not list(lists.iterdir()), "nobody asked Xen"
        guest.check_runs_on(world.here)
        check_at_rest(world, guest)


@test("a guardian that cannot read the journal leaves the guest suspended")
def guardian_without_journal():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport.journal-go.after")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        [entry] = pathlib.Path(world.here.path(JOURNAL)).glob("*.source")
        whole = entry.read_bytes()
        entry.write_bytes(whole.replace(b'"go"', b'"moving"'))
        world.here.kill("teleport")
        gate.release()
        move.wait()
        world.here.wait_until_gone("guardian")
        state = world.here.domain("web1")["state"]
        if state != "suspended":
            raise Wrong("GO not ruled out", f"web1 is {state}")
        entry.write_bytes(whole)
        code = recover(guest, world.here)
        check_exit_code(guest, code, check_one_copy(world, guest))


@test("a guest that others suspended is not sent")
def save_meanwhile():
    with World() as world:
        guest = world.start_guest(world.here)
        saved = world.here.hold("xl.saved.before")
        move, gate = begin(world, guest, IN_BULK, "--reconnect", "0")
        world.here.spawn("xl", "save", "web1", "/var/tmp/web1")
        saved.wait()
        gate.release()
        move.expect(1)
        state = world.here.domain("web1")["state"]
        saved.release()
        if state != "suspended":
            raise Wrong("another's suspend", f"web1, which was being saved, is {state}")
        wait_for_rest(world)
        assert guest.places("running", "paused") == []


@test("a disk that is plugged in meanwhile comes along")
def plugged_in():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        make_disk(world.here)
        world.here.run("xl", "block-attach", "web1", f"phy:{MORE},xvdb,w")
        gate.release()
        code = move.wait()
        disks = vdevs(guest)
        if disks != ["xvda", "xvdb"]:
            raise Wrong("lost disk", f"exit code {code}, and web1 has {disks}")
        assert code == 0, move.said


@test("a disk that is unplugged meanwhile stays here under its name")
def unplugged():
    with World() as world:
        guest = world.start_guest(world.here)
        make_disk(world.here)
        world.here.run("xl", "block-attach", "web1", f"phy:{MORE},xvdb,r")
        move, gate = begin(world, guest, IN_BULK)
        world.here.run("xl", "block-detach", "web1", "xvdb")
        gate.release()
        move.expect(0)
        guest.check_runs_on(world.there)
        assert vdevs(guest) == ["xvda"], vdevs(guest)
        with open(world.here.path(MORE), "rb") as file:
            assert len(file.read()) == 8 << 20


def plugged_in_late(step):
    """Too late to come along: the guest stays, with all of its disks."""
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, step)
        make_disk(world.here)
        world.here.run("xl", "block-attach", "web1", f"phy:{MORE},xvdb,r")
        gate.release()
        code = move.wait()
        wait_for_rest(world)
        host = check_one_copy(world, guest, world.here)
        check_exit_code(guest, code, host)
        assert code == 1 and "xvdb was plugged in" in move.said, (code, move.said)
        if vdevs(guest) != ["xvda", "xvdb"]:
            raise Wrong("lost disk", f"web1 has {vdevs(guest)}")
        world.teleport(guest, world.here).expect(0)
        assert vdevs(guest) == ["xvda", "xvdb"], vdevs(guest)


for a_step, a_time in ((IN_MEMORY, "while the memory is sent"),
                       (SUSPENDED, "while the guest is suspended")):
    add(f"a disk that is plugged in {a_time} is seen before GO",
        lambda s=a_step: plugged_in_late(s))


@test("what is set meanwhile goes along")
def carried_along():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        world.here.run("xl", "mem-set", "web1", "32768")
        gate.release()
        move.expect(0)
        _, domain = guest.places("running")[0]
        assert '"target_memkb":32768' in domain["config"], domain["config"]
        check_at_rest(world, guest)


@test("an interface on a bridge that the destination lacks keeps the guest here")
def plugged_nic():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        world.here.run("xl", "network-attach", "web1",
                       "mac=00:16:3e:00:00:07,bridge=dmz")
        gate.release()
        move.expect(1)
        assert "dmz" in move.said, move.said
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)


def reboot(host, name="web1"):
    """Until its monitor has started it again."""
    before = host.domain(name)["domid"]
    host.run("xl", "reboot", name)

    def is_new():
        now = host.domain(name)
        return now and now["domid"] != before and now["state"] == "running"
    with FolderWatch(host.path("/run/fake-xen/domains")) as changes:
        try:
            changes.until(is_new, f"{name} reboots", 15)
        except TooLate as late:
            raise Wrong("no monitor", f"{name} does not reboot") from late


def reboots_after(step, host_name, end):
    """A try that fails, and then the guest reboots."""
    with World() as world:
        guest = world.start_guest(world.here)
        host = world.here if host_name == "source" else world.there
        gate = host.hold(step)
        move = world.teleport(guest, world.here, "--reconnect", "0")
        gate.wait(alongside=move.program)
        end(world, move)
        move.wait()
        gate.release()
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        reboot(world.here)
        check_one_copy(world, guest, world.here)
        world.teleport(guest, world.here).expect(0)
        check_at_rest(world, guest)


for a_step, a_host in (("session.book-write.after", "destination"),
                       ("helper.memory.after", "source"),
                       ("helper.last-pages.before", "source"),
                       ("receive.restored.before", "destination")):
    add(f"a guest reboots after a try that was cancelled at {a_step}",
        lambda s=a_step, h=a_host: reboots_after(
            s, h, lambda world, move: move.interrupt(signal.SIGINT)))
    add(f"a guest reboots after a teleport that was killed at {a_step}",
        lambda s=a_step, h=a_host: reboots_after(
            s, h, lambda world, move: world.here.kill("teleport")))


@test("a guest that has left has no monitor here any more")
def no_monitor_left():
    with World() as world:
        guest = world.start_guest(world.here)
        assert world.here.processes("xl")
        world.teleport(guest, world.here).expect(0)
        world.here.wait_until_gone("xl", limit=15)


@test("a guest that reboots in the bulk is teleported under its new number")
def rebooted():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        reboot(world.here)
        gate.release()
        move.expect(0)
        check_at_rest(world, guest)


@test("a guest that is away for its reboot is waited for")
def rebooting():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        away = world.here.hold("xl.rebooted.before")
        world.here.spawn("xl", "reboot", "web1")
        away.wait()
        gate.release()
        move.wait_for_words("trying again")
        away.release()
        move.expect(0)
        check_at_rest(world, guest)


@test("a guest that is renamed in the bulk arrives under its new name")
def renamed():
    with World() as world:
        guest = world.start_guest(world.here, auto=False)
        move, gate = begin(world, guest, IN_BULK)
        world.here.run("xl", "rename", "web1", "web2")
        gate.release()
        move.expect(0)
        guest.check_runs_on(world.there)
        assert world.there.domain("web2") and not world.there.domain("web1")


@test("a guest that is destroyed in the bulk is not said to run")
def destroyed():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK)
        world.here.run("xl", "destroy", "web1")
        gate.release()
        report = move.expect(1)
        assert report["here"] == "absent", report
        assert "not here any more" in move.said, move.said
        assert "runs here" not in move.said.split("\n")[-1], move.said
        wait_for_rest(world)
        assert guest.places("running", "paused", "suspended") == []


@test("a guest that is paused in the bulk stays so, and is said to")
def paused():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, IN_BULK, "--reconnect", "0")
        world.here.run("xl", "pause", "web1")
        gate.release()
        report = move.expect(1)
        assert report["here"] == "paused", report
        assert "is paused here" in move.said, move.said
        assert "runs here" not in move.said, move.said
        wait_for_rest(world)
        world.here.run("xl", "unpause", "web1")
        check_one_copy(world, guest, world.here)


@test("a guest that is destroyed while it is suspended is not said to run")
def destroyed_late():
    with World() as world:
        guest = world.start_guest(world.here)
        move, gate = begin(world, guest, SUSPENDED)
        world.here.run("xl", "destroy", "web1")
        gate.release()
        report = move.expect(1)
        assert report["here"] == "absent", report
        wait_for_rest(world)
        assert guest.places("running", "paused", "suspended") == []
