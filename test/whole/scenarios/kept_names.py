"""Guests of disks that keep their names when they leave: a partition, for one."""

import os

from harness.oracle import (check_boot_without_answer, check_one_copy,
                            check_starts_here, wait_for_rest)
from harness.partition import Partition
from harness.registry import test
from harness.world import World


def start_guest_of(world, partition):
    """A guest whose one disk is this partition."""
    guest = world.make_guest(world.here)
    image = "/var/lib/xen/images/web1-xvda.img"
    config = world.here.path("/etc/xen/web1.cfg")
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(text.replace(image, partition.path))
    os.unlink(world.here.path(image))
    world.here.run("xl", "create", "/etc/xen/web1.cfg")
    guest.wait_for_records(world.here)
    return guest


def start_files(host):
    return (sorted(name for name in os.listdir(host.path("/etc/xen"))
                   if name.startswith("web1")),
            os.listdir(host.path("/etc/xen/auto")))


@test("nothing starts a guest of a partition where it left, and it comes home")
def there_and_back():
    with World() as world, Partition(world.here) as disk:
        guest = start_guest_of(world, disk)
        before = start_files(world.here)
        check_moves(world, guest)
        assert start_files(world.here) == (["web1.cfg.teleport-shadow"], [])
        came = world.teleport(guest, world.there).expect(0)
        assert [one["kind"] for one in came["disks"]] == ["shadow"], came
        check_one_copy(world, guest, world.here)
        assert start_files(world.here) == before


def write_file(host, path, text):
    with open(host.path(path), "w", encoding="utf-8") as file:
        file.write(text)


def check_refused(world, guest, words):
    """Before anything of the guest's was touched."""
    before = start_files(world.here)
    move = world.teleport(guest, world.here)
    move.expect(3)
    assert words in move.said and "[name_taken]" in move.said, move.said
    wait_for_rest(world)
    guest.check_runs_on(world.here)
    assert start_files(world.here) == before


def check_moves(world, guest):
    """Nothing is in its way any more."""
    world.teleport(guest, world.here).expect(0)
    wait_for_rest(world)
    check_one_copy(world, guest, world.there)


@test("a configuration's name aside that is taken is told before the guest leaves")
def aside_taken():
    with World() as world, Partition(world.here) as disk:
        guest = start_guest_of(world, disk)
        write_file(world.here, "/etc/xen/web1.cfg.teleport-shadow", "another's\n")
        check_refused(world, guest, "web1.cfg.teleport-shadow")
        os.unlink(world.here.path("/etc/xen/web1.cfg.teleport-shadow"))
        check_moves(world, guest)


@test("an autostart that is a file, whose name is taken, is told before, too")
def autostart_taken():
    with World() as world:
        guest = world.start_guest(world.here)
        config = world.here.path("/etc/xen/web1.cfg")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        os.unlink(world.here.path("/etc/xen/auto/web1.cfg"))
        write_file(world.here, "/etc/xen/auto/web1.cfg", text)
        check_refused(world, guest, "/etc/xen/auto/web1.cfg")
        os.unlink(config)
        check_moves(world, guest)
        check_starts_here(world.there, guest)


@test("an autostart that a boot could not hide is told before, too")
def hidden_taken():
    with World() as world:
        guest = world.start_guest(world.here)
        write_file(world.here, "/etc/xen/auto/.teleport-web1.cfg", "another's\n")
        check_refused(world, guest, ".teleport-web1.cfg")
        os.unlink(world.here.path("/etc/xen/auto/.teleport-web1.cfg"))
        check_moves(world, guest)


@test("a destination whose both names of the configuration are taken refuses")
def arrival_taken():
    with World() as world:
        guest = world.start_guest(world.here)
        others = 'name = "web1"\nuuid = "11111111-1111-4111-8111-111111111111"\n'
        names = ("web1.cfg", f"web1-{guest.uuid}.cfg")
        for name in names:
            write_file(world.there, f"/etc/xen/{name}", others)
        check_refused(world, guest, names[1])
        os.unlink(world.there.path(f"/etc/xen/{names[1]}"))
        check_moves(world, guest)


@test("a disk whose old name is taken comes home on another one")
def home_taken():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        image = "/var/lib/xen/images/web1-xvda.img"
        write_file(world.here, image, "another's\n")
        came = world.teleport(guest, world.there).expect(0)
        assert [one["kind"] for one in came["disks"]] == ["new"], came
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        with open(world.here.path(image), encoding="utf-8") as file:
            assert file.read() == "another's\n"
        world.power_loss(world.here)
        world.here.start_services()
        guest.wait_for_records(world.here)
        check_one_copy(world, guest, world.here)


def lose_source(world, disk, step, host):
    """The source lost power when somebody was held at a step, and has started
    with other numbers; nothing of its services yet."""
    guest = start_guest_of(world, disk)
    gate = host.hold(step)
    move = world.teleport(guest, world.here)
    gate.wait(alongside=move.program)
    world.power_loss(world.here)
    disk.plug_in()
    gate.release()
    return guest


@test("a boot does not start a guest of a partition that left")
def boot_after_go():
    with World() as world, Partition(world.here) as disk:
        guest = lose_source(world, disk, "teleport.journal-moved.before", world.here)
        world.cut_link()
        check_boot_without_answer(world, guest)


@test("a guest of a partition that never ran there is started after the answer")
def boot_without_go():
    with World() as world, Partition(world.here) as disk:
        guest = lose_source(world, disk, "teleport.journal-go.after", world.here)
        before = start_files(world.here)
        world.there.kill("session")
        wait_for_rest(world)
        world.here.start_services()
        guest.wait_for_records(world.here)
        wait_for_rest(world)
        check_one_copy(world, guest, world.here)
        assert start_files(world.here) == before
