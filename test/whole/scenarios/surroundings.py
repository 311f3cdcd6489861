"""What programs are started with, and what guests and hosts are called."""

from harness.host import CONFIGURATION
from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.programs import Program
from harness.registry import test
from harness.world import World

# crontab(5); /opt/whole is for the false xl alone.
CRON = ("env", "-i", "SHELL=/bin/sh", "HOME=/root", "LOGNAME=root",
        "PATH=/opt/whole:/usr/bin:/bin")
# systemd.exec(5), of a system service without User=.
SYSTEMD = ("env", "-i", "LANG=C.UTF-8", "INVOCATION_ID=0123456789abcdef",
           "JOURNAL_STREAM=8:1",
           "PATH=/opt/whole:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")


def restart_daemon(host, surroundings):
    host.kill("teleportd")
    host.start_teleportd(surroundings=surroundings)


@test("a guest is moved by cron's environment to a daemon with systemd's")
def cron_and_systemd():
    with World() as world:
        guest = world.start_guest(world.here)
        for host in world.hosts:
            restart_daemon(host, SYSTEMD)
        for source in (world.here, world.there):
            other = world.other(source)
            Program(world, source, *CRON, "xl-teleport", "--json", guest.name,
                    other.address).expect(0)
            wait_for_rest(world)
            guest.check_runs_on(other)
        check_at_rest(world, guest)


@test("a host is emptied by cron's environment, and one of nothing at all")
def emptied_by_cron():
    for surroundings in (CRON, ("env", "-i")):
        with World() as world:
            guest = world.start_guest(world.here)
            # The daemon of a host whose PATH is short, too.
            restart_daemon(world.there, CRON)
            Program(world, world.here, *surroundings, "/opt/whole/teleport-evacuate",
                    "--json", "--to", world.there.address).expect(0)
            wait_for_rest(world)
            guest.check_runs_on(world.there)
            check_at_rest(world, guest)


@test("a guest moves whose disk's name leaves room for the shadow's, no other")
def long_name():
    # Of 255 bytes that a file's name may have.
    room = 255 - len("-xvda.img") - len(".teleport-shadow")
    with World() as world:
        guest = world.start_guest(world.here, name="n" * room)
        for source in (world.here, world.there):
            world.teleport(guest, source).expect(0)
            wait_for_rest(world)
            guest.check_runs_on(world.other(source))
        check_at_rest(world, guest)
    with World() as world:
        guest = world.start_guest(world.here, name="n" * (room + 1))
        move = world.teleport(guest, world.here, "--dry-run")
        move.expect(3)
        assert "File name too long [no_shadow]" in move.said, move.said
        check_one_copy(world, guest, world.here)


@test("a host is reached whose first address does not answer")
def dead_address():
    with World() as world:
        guest = world.start_guest(world.here)
        # Nobody has this address, and the link is asked for it in vain.
        world.here.run("ip", "-6", "address", "add", "fd00::1/64", "dev", "eth0", "nodad")
        # As Debian has it: all of a name's lines count.
        with open(world.here.path("/etc/host.conf"), "w", encoding="ascii") as file:
            file.write("multi on\n")
        with open(world.here.path("/etc/hosts"), "a", encoding="ascii") as file:
            file.write(f"fd00::dead far\n{world.there.address} far\n")
        world.here.configure(CONFIGURATION.replace(
            "aliases = [", f'aliases = ["far={world.there.address}", '))
        world.teleport(guest, world.here, to="far").expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        world.there.kill("teleportd")
        move = world.teleport(guest, world.here, "--reconnect", "0", to="far")
        assert move.wait() != 0, move.said
        for words in ("cannot reach far port 8744: fd00::dead: ",
                      f", {world.there.address}: Connection refused"):
            assert words in move.said, move.said
        guest.check_runs_on(world.here)
        check_one_copy(world, guest, world.here)


@test("a host without trackers takes guests in and reads their disks whole")
def no_trackers():
    with World() as world:
        guest = world.start_guest(world.here)
        # As on a kernel without BTF, with no BPF file system mounted.
        world.there.run("mount", "-t", "tmpfs", "none", "/sys/kernel/btf")
        world.there.run("umount", "/sys/fs/bpf")
        world.there.kill("teleportd")
        world.there.configure(CONFIGURATION.replace(
            "keep_fresh = false", 'donors = "auto"\nquiet_seconds = 1'))
        world.there.start_teleportd()
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        world.there.wait_for_log("web1-xvda: scanned")
        log = world.there.log("teleportd.log")
        assert "1 disks are scanned and not followed: this kernel has no type" in log, log
        # It is no source: what the guest writes would be seen by nobody.
        for options in (("--dry-run",), ()):
            move = world.teleport(guest, world.there, *options)
            report = move.expect(3)
            assert "this kernel has no type information" in move.said, move.said
            assert report["bulk"]["link"] == 0, report
        guest.check_runs_on(world.there)
        check_one_copy(world, guest, world.there)


@test("a kernel without the congestion control that was asked for uses its own")
def no_such_control():
    with World() as world:
        guest = world.start_guest(world.here)
        with open(world.here.path("/etc/xen/teleport.conf"), "a",
                  encoding="ascii") as file:
            file.write('[link]\ncongestion_control = "no_such"\n')
        move = world.teleport(guest, world.here)
        report = move.expect(0)
        assert "congestion control 'no_such': " in move.said, move.said
        assert f"it is {report['link']['congestion_control']} instead" in move.said, move.said
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_at_rest(world, guest)
