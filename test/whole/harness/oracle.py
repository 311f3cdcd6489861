"""What must hold when nothing is under way any more."""

import os
import re

from harness import loops
from harness.world import Wrong

PROGRAMS = ("teleport", "recover", "guardian", "session", "speak", "receive",
            "helper")


def wait_for_rest(world):
    """Until every program of a teleport has ended on both hosts, and what they
    left has been cleared up: teleportd does so by itself when a session ends, and
    an event that tells of it there is not."""
    for host in world.hosts:
        if host.has_power:
            host.wait_until_gone(*PROGRAMS)
            host.run("teleportd", "--clear-leftovers")


def ask_once(guest, host, *options):
    code, said = host.run("xl-teleport", "--ask-limit", "3", "--recover",
                          guest.name, *options, check=False)
    print(f"recover {' '.join(options)} on {host.name}: {code}: {said.strip()}")
    return code


def recover(guest, host):
    """What the pages tell a person to do when it is not known where a guest
    runs: --recover, and where no machine can know it, a look at both hosts and
    a word at the other one. Its last exit code."""
    code = ask_once(guest, host)
    if code == 5:
        there = guest.world.other(host)
        # Its disks there show whether it ran there, also where it is gone.
        ran_there = guest.lines()[-1][1] == there.name
        ask_once(guest, there, "--runs-here" if ran_there else "--runs-there",
                 "--yes")
        code = ask_once(guest, host)
    return code


def check_cannot_start(host, guest):
    """A host where the guest does not run has its disks under other names: else
    xendomains, or a person, starts a second copy."""
    path = host.path(f"/etc/xen/{guest.name}.cfg")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        disks = re.findall(r"disk\s*=\s*\[([^\]]*)\]", file.read())[-1]
    images = re.findall(r"(?:phy:|target=)([^,']+)", disks)
    if all(os.path.exists(host.path(image)) for image in images):
        raise Wrong("startable", f"'xl create' on {host.name} starts {guest.name} "
                    f"from {images}")


def check_starts_here(host, guest):
    """A host where the guest runs starts it again when it boots, if it did so
    where the guest came from, and no other host does."""
    found = []
    for one in guest.world.hosts:
        auto = one.path("/etc/xen/auto")
        found += [(one, name) for name in os.listdir(auto)
                  if name.startswith(guest.name)]
    if [one for one, _ in found] != [host]:
        raise Wrong("nowhere", f"started at boot by "
                    f"{[(one.name, name) for one, name in found]}")


def check_one_copy(world, guest, where=None):
    """The guest runs once, on all that was acknowledged, and nothing stands in
    its way: no other domain of it, no entry for its disk where it runs, no disk
    elsewhere that it could be started from, another's untouched.

    where: the host on which it must run. Returns where it runs."""
    running = guest.running_on()
    if len(running) > 1:
        raise Wrong("runs twice", f"{guest.name} runs on both hosts")
    guest.check_runs_on(where or (running or [world.here])[0])
    host = running[0]
    for other in world.hosts:
        if not other.has_power:
            continue
        for domain in other.domains():
            if domain["uuid"] == guest.uuid and domain["state"] != "running":
                raise Wrong("left over", f"{domain['name']} is {domain['state']} "
                            f"on {other.name}")
        for kept in other.kept_disks():
            if other is host and kept["uuid"] == guest.uuid:
                raise Wrong("in the book", f"the disk {kept} of a running guest is "
                            f"kept on {other.name}")
        if other is not host:
            check_cannot_start(other, guest)
    world.check_decoys()
    return host


def check_at_rest(world, guest):
    """check_one_copy(), every program ended, and no loop device left over."""
    wait_for_rest(world)
    check_one_copy(world, guest)
    for host in world.hosts:
        used = {disk["device"] for domain in host.domains()
                for disk in domain["disks"]}
        for device, file in loops.devices_over(host.disk).items():
            if host.has_power and device not in used | world.decoys:
                raise Wrong("left over", f"{device} over {file} on {host.name}")


def check_boot_without_answer(world, guest):
    """The source starts while the link is cut, and its guest runs there: nothing
    of it is started here, and it is found once the link is back."""
    world.here.start_services()
    guest.check_runs_on(world.there)
    assert world.here.domains() == []
    world.mend_link()
    assert recover(guest, world.here) == 0
    wait_for_rest(world)
    check_one_copy(world, guest, world.there)


def check_exit_code(guest, code, host):
    """The exit code of xl teleport says where the guest runs."""
    world = guest.world
    if code in (0, 4) and host is not world.there or \
            code in (1, 3) and host is not world.here:
        raise Wrong("exit code", f"{code}, but {guest.name} runs on {host.name}")
