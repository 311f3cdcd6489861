"""What a destination keeps, and what it never touches: whose a disk is there is
told by what runs, not by the book alone."""

import os
import signal

from harness.events import FolderWatch
from harness.oracle import (check_at_rest, check_one_copy, check_starts_here,
                            wait_for_rest)
from harness.registry import test
from harness.world import MIB, World, Wrong

HOME = "/var/lib/xen/images/web1-xvda.img"
OTHER_UUID = "11111111-1111-4111-8111-111111111111"
WAITS = "waits until the memory of another guest has arrived"


def all_logs(host):
    return "".join(host.log(name) for name in os.listdir(host.path("/var/log")))


def arrive_without_session(world, **shape):
    """A guest that runs there, whose session was killed after GO; teleportd has
    not looked at what that has left."""
    guest = world.start_guest(world.here, **shape)
    gate = world.there.hold("receive.unpause.after")
    move = world.teleport(guest, world.here, "--ask-limit", "3")
    gate.wait(alongside=move.program)
    world.there.kill("teleportd")
    world.there.kill("session")
    gate.release()
    world.there.wait_until_gone("receive")
    return guest, move


@test("a seed does not overwrite the disk of a guest whose session was killed")
def seed_over_running():
    with World() as world:
        guest, move = arrive_without_session(world)
        with open(world.here.path("/var/tmp/web1.img"), "wb") as file:
            file.write(b"seed" * (2 * MIB))
        world.there.start_teleportd()
        move.expect(0)
        code, said = world.here.run(
            "teleportctl", "seed", "--reconnect", "0", "--disk", "/var/tmp/web1.img",
            "--as", "web1:xvda", world.there.address, check=False)
        print(f"seed: {code}: {said}")
        guest.wait_for_records(world.there)
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)
        world.teleport(guest, world.there).expect(0)
        check_one_copy(world, guest, world.here)


@test("the book does not list the disk of a guest whose session was killed")
def book_of_running():
    with World() as world:
        guest, _ = arrive_without_session(world)
        kept = world.there.kept_disks()
        if any(one["uuid"] == guest.uuid for one in kept):
            raise Wrong("in the book", f"{kept}")
        assert not world.there.processes("teleportd")


@test("a guest's disk stays its own when it is shut down after its session was killed")
def shut_down_after_kill():
    with World() as world:
        guest, move = arrive_without_session(world)
        world.there.start_teleportd()
        move.expect(0)
        wait_for_rest(world)
        world.there.run("xl", "destroy", "web1")
        world.there.run("teleportd", "--clear-leftovers")
        names = [name for name in world.there.images() if "web1" in name]
        if any("shadow" in name for name in names) or world.there.kept_disks():
            raise Wrong("in the book", f"its only disk was set aside: {names}")
        assert guest.places("running") == []


@test("a shadow that another guest has open is not filled")
def shadow_in_use():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        aside = HOME + ".teleport-shadow"
        with open(world.here.path("/etc/xen/rescue.cfg"), "w", encoding="ascii") as file:
            file.write(f'name = "rescue"\nuuid = "{OTHER_UUID}"\nmemory = 64\n'
                       f"disk = [ 'phy:{aside},xvda,w' ]\n")
        world.here.run("xl", "create", "/etc/xen/rescue.cfg")
        report = world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        if report["disks"][0]["kind"] != "new":
            raise Wrong("another's disk", f"{report['disks']}")
        assert world.here.domain("rescue")["state"] == "running"
        guest.check_runs_on(world.here)


@test("what is kept is not deleted while a guest has it")
def removed_in_use():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        aside = world.here.path(HOME + ".teleport-shadow")
        with open(world.here.path("/etc/xen/rescue.cfg"), "w", encoding="ascii") as file:
            file.write(f'name = "rescue"\nuuid = "{OTHER_UUID}"\nmemory = 64\n'
                       f"disk = [ 'phy:{HOME}.teleport-shadow,xvda,w' ]\n")
        world.here.run("xl", "create", "/etc/xen/rescue.cfg")
        remove = ("teleportctl", "shadow", "remove", "web1")
        code, said = world.here.run(*remove, check=False)
        world.here.run("teleportctl", "shadow", "prune", "--keep-days", "0")
        if code != 1 or "a guest has it" not in said or not os.path.exists(aside):
            raise Wrong("another's disk", f"is deleted: {code}: {said}")
        assert world.here.kept_disks()[0]["in_use"]
        world.here.run("xl", "destroy", "rescue")
        world.here.run(*remove)
        if os.path.exists(aside) or world.here.kept_disks():
            raise Wrong("kept", f"{world.here.images()}, {world.here.kept_disks()}")
        report = world.teleport(guest, world.there).expect(0)
        assert report["disks"][0]["kind"] == "new", report
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)


@test("a homecoming that is killed at the gate leaves the disk aside")
def killed_homecoming():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        gate = world.here.hold("receive.restored.before")
        move = world.teleport(guest, world.there, "--reconnect", "0")
        gate.wait(alongside=move.program)
        world.here.kill("session")
        gate.release()
        move.expect(1)
        if os.path.exists(world.here.path(HOME)):
            raise Wrong("startable", "the half-filled disk has its old name")
        check_at_rest(world, guest)
        report = world.teleport(guest, world.there).expect(0)
        assert report["disks"][0]["kind"] == "shadow", report
        check_at_rest(world, guest)
        assert os.path.exists(world.here.path(HOME)), world.here.images()


@test("teleportd clears up after a killed session by itself")
def by_itself():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("helper.memory.after")
        done = world.there.hold("teleportd.journal-abandoned.after")
        move = world.teleport(guest, world.here, "--reconnect", "0")
        gate.wait(alongside=move.program)
        world.there.kill("session")
        done.wait()
        done.release()
        gate.release()
        move.expect(1)
        check_at_rest(world, guest)


@test("the arrived guest is started again by its new host, and by no other")
def started_again():
    with World() as world:
        guest = world.start_guest(world.here)
        for old, new in ((world.here, world.there), (world.there, world.here)):
            world.teleport(guest, old).expect(0)
            wait_for_rest(world)
            check_starts_here(new, guest)
            for host in (world.there, world.here):
                world.power_loss(host)
                host.start_services()
            guest.wait_for_records(new)
            check_one_copy(world, guest, new)


@test("a guest that nothing started at boot is started by nothing afterwards")
def no_autostart():
    with World() as world:
        guest = world.start_guest(world.here, auto=False)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        for host in world.hosts:
            assert os.listdir(host.path("/etc/xen/auto")) == [], host.name
        world.power_loss(world.there)
        world.there.start_services()
        assert guest.places("running") == []
        world.there.run("xl", "create", "/etc/xen/web1.cfg")
        guest.wait_for_records(world.there)
        check_one_copy(world, guest, world.there)


@test("a configuration of another guest is not written over")
def others_configuration():
    with World() as world:
        text = f'name = "web1"\nuuid = "{OTHER_UUID}"\ndisk = [ ]\n'
        place = world.there.path("/etc/xen/web1.cfg")
        with open(place, "w", encoding="ascii") as file:
            file.write(text)
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        with open(place, encoding="ascii") as file:
            assert file.read() == text
        world.power_loss(world.there)
        world.there.start_services()
        guest.wait_for_records(world.there)
        assert world.there.domain("web1")["uuid"] == guest.uuid


@test("the configuration is written by who comes next when the session was killed")
def configured_by_next():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.there.hold("session.journal-running.after")
        move = world.teleport(guest, world.here, "--ask-limit", "3")
        gate.wait(alongside=move.program)
        world.there.kill("session")
        gate.release()
        move.expect(0)
        wait_for_rest(world)
        check_starts_here(world.there, guest)


@test("an image that another guest uses too keeps its name")
def shared_image():
    with World() as world:
        image = "/var/lib/xen/images/tools.img"
        with open(world.here.path(image), "wb") as file:
            file.write(b"tools" * MIB)
            file.truncate(8 * MIB)
        guest = world.make_guest(world.here)
        other = world.make_guest(world.here, name="db1", uuid=OTHER_UUID)
        for one in (guest, other):
            path = world.here.path(f"/etc/xen/{one.name}.cfg")
            with open(path, encoding="ascii") as file:
                text = file.read()
            with open(path, "w", encoding="ascii") as file:
                file.write(text.replace("]", f"  'phy:{image},xvdb,r',\n]"))
            world.here.run("xl", "create", f"/etc/xen/{one.name}.cfg")
            one.wait_for_records(world.here)
        move = world.teleport(guest, world.here)
        move.expect(0)
        if not os.path.exists(world.here.path(image)):
            raise Wrong("another's disk", "the image was renamed under db1")
        assert [one["vdev"] for one in world.here.kept_disks()] == ["xvda"]
        guest.check_runs_on(world.there)
        other.check_runs_on(world.here)


def make_room(host, mib):
    """A store of its own size: what fills it harms nobody else."""
    host.run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "store",
             "/var/lib/xen/images")


@test("the preflight counts what a shadow with holes does not hold")
def sparse_shadow():
    with World() as world:
        make_room(world.there, 16)
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        shadow = world.there.path(HOME) + ".teleport-shadow"
        print(world.there.run("ls", "-ls", "/var/lib/xen/images")[1])
        # A neighbour takes what the shadow does not hold.
        world.there.run("fallocate", "-l", "10M", "/var/lib/xen/images/neighbour")
        move = world.teleport(guest, world.here)
        move.expect(3)
        assert "store_space" in move.said, move.said
        guest.check_runs_on(world.here)
        assert shadow


class TwoGuests:
    """Two guests of one host: the first one's teleport is held at a place, the
    second one's waits for its turn to send memory."""

    def __init__(self, world, side, place, *options, writes_every=None):
        self.first = world.start_guest(world.here)
        if writes_every is not None:
            self.first.write_every(writes_every)
        self.second = world.start_guest(world.here, name="db1", uuid=OTHER_UUID)
        self.gate = side.hold(place)
        self.one = world.teleport(self.first, world.here, *options)
        self.gate.wait(alongside=self.one.program)
        self._world = world
        self._options = options

    def let_second_wait(self):
        """The second one's teleport, once it waits."""
        world = self._world
        with FolderWatch(world.there.path("/var/log")) as changes:
            two = world.teleport(self.second, world.here, *self._options)
            changes.until(lambda: WAITS in all_logs(world.there)
                          or two.program.poll() is not None, "the second waits")
        return two


@test("a second arrival's guest runs on while the first one's memory crosses")
def two_at_once():
    with World() as world:
        guests = TwoGuests(world, world.there, "receive.restored.before")
        two = guests.let_second_wait()
        guests.second.wait_for_records(world.here, 20)
        assert world.here.domain("db1")["state"] == "running"
        guests.gate.release()
        guests.one.expect(0)
        two.expect(0)
        for guest in (guests.first, guests.second):
            guest.check_runs_on(world.there)
        check_at_rest(world, guests.first)


@test("a guest that waits for its turn has its disk brought up to date meanwhile")
def rounds_while_waiting():
    with World() as world:
        guests = TwoGuests(world, world.there, "receive.restored.before")
        two = guests.let_second_wait()

        def sent():
            """Bytes that the link had carried, at each look while it waited."""
            return sorted({line["progress"]["sent"] for line in two.lines
                           if line.get("progress", {}).get("waits_for_turn")})
        two.wait_until(lambda: len(sent()) > 3, "sends rounds")
        assert sent()[-1] - sent()[0] > 4096, sent()
        guests.gate.release()
        guests.one.expect(0)
        report = two.expect(0)
        assert report["rounds"]["link"] > 4096, report
        for guest in (guests.first, guests.second):
            guest.check_runs_on(world.there)
        check_at_rest(world, guests.second)


@test("who has waited longest has the next turn")
def in_order():
    with World() as world:
        guests = [world.start_guest(
            world.here, name=f"db{number}", uuid=f"{number}{OTHER_UUID[1:]}")
            for number in range(5)]
        gate = world.here.hold("helper.memory.after")
        moves = [world.teleport(guests[0], world.here)]
        gate.wait(alongside=moves[0].program)
        for number, guest in enumerate(guests[1:], 1):
            moves.append(world.teleport(guest, world.here))
            world.there.wait_for_log(WAITS, number)
        gate.release()
        for move in moves:
            move.expect(0)
        log = world.there.log("teleportd.log")
        ran = sorted(guests, key=lambda guest: log.index(f"{guest.name} runs here"))
        assert ran == guests, [guest.name for guest in ran]
        wait_for_rest(world)


@test("who has the turn and sends nothing loses it to who waits")
def idle_turn():
    with World() as world:
        # Rounds of less than 1 MiB in a minute.
        guests = TwoGuests(world, world.here, "helper.memory.after",
                           "--reconnect", "0", writes_every=1000)
        two = guests.let_second_wait()
        # The limit is a minute, and it is looked at every 5 s.
        assert guests.one.wait(limit=150) == 1, guests.one.said
        if "less than 1 MiB" not in guests.one.said:
            raise Wrong("stands still", guests.one.said)
        guests.first.check_runs_on(world.here)
        guests.gate.release()
        two.expect(0)
        guests.second.check_runs_on(world.there)
        wait_for_rest(world)
        check_one_copy(world, guests.first, world.here)


@test("who waits for a session that was stopped is told whose it is")
def stopped_holder():
    with World() as world:
        guests = TwoGuests(world, world.here, "helper.memory.after",
                           "--reconnect", "0")
        # A child of it has its words, until that runs another program.
        holder = min(world.there.processes("session"))
        two = guests.let_second_wait()
        os.kill(holder, signal.SIGSTOP)
        # The limit is a minute.
        code = two.wait(limit=120)
        os.kill(holder, signal.SIGCONT)
        assert code == 1, two.said
        if "has stood still for 60 s (web1, process " not in two.said:
            raise Wrong("stands still", two.said)
        guests.second.check_runs_on(world.here)
        guests.gate.release()
        guests.one.expect(0)
        guests.first.check_runs_on(world.there)
        wait_for_rest(world)
        check_one_copy(world, guests.second, world.here)


@test("a second arrival goes on when the first one is given up")
def turn_of_given_up():
    with World() as world:
        guests = TwoGuests(world, world.there, "receive.restored.before",
                           "--reconnect", "0")
        of_first = world.here.processes("teleport")
        two = guests.let_second_wait()
        for pid in of_first:
            os.kill(pid, signal.SIGTERM)
        guests.gate.release()
        guests.one.expect(1)
        two.expect(0)
        guests.first.check_runs_on(world.here)
        guests.second.check_runs_on(world.there)
