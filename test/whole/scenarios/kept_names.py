"""Guests of disks that keep their names when they leave: a partition, for one."""

import os

from harness.oracle import check_boot_without_answer, check_one_copy, wait_for_rest
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
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)
        assert start_files(world.here) == (["web1.cfg.teleport-shadow"], [])
        came = world.teleport(guest, world.there).expect(0)
        assert [one["kind"] for one in came["disks"]] == ["shadow"], came
        check_one_copy(world, guest, world.here)
        assert start_files(world.here) == before


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
