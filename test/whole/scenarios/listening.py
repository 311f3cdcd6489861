"""From where teleportd may be connected to, and by whom."""

import os
import shutil

from harness.oracle import check_at_rest, wait_for_rest
from harness.registry import test
from harness.world import World

CONFIGURATION = """[peers]
aliases = ["10.0.1.1=alpha"]
[index]
keep_fresh = false
[listen]
from = [{}]
"""

PEERS = "/etc/xen/teleport/peers"

# alpha connects from 10.0.1.1.
STRANGER = """import socket, sys
link = socket.create_connection((sys.argv[1], 8744), timeout=20)
link.settimeout(20)
try:
    print("heard", link.recv(1))
except ConnectionResetError:
    print("heard b''")
"""


@test("a host is let in from the networks that are listed, and from no other")
def networks():
    with World() as world:
        guest = world.start_guest(world.here)

        def listen_from(*networks):
            world.there.kill("teleportd")
            world.there.configure(CONFIGURATION.format(", ".join(
                f'"{one}"' for one in networks)))
            world.there.start_teleportd()

        listen_from("10.0.2.0/24", "fd00::/8")
        # It waits for no byte: whoever says nothing is closed, too.
        for _ in range(3):
            said = world.here.run("python3", "-c", STRANGER, world.there.address)[1]
            assert "heard b''" in said, said
        move = world.teleport(guest, world.here, "--reconnect", "0")
        assert move.wait() != 0, move.said
        log = world.there.log("teleportd.log")
        assert "10.0.1.1: refused, not in [listen] from" in log, log
        assert log.count("not in [listen] from") == 1, log
        assert not world.there.processes("session")
        guest.check_runs_on(world.here)
        listen_from("10.0.1.0/24", "fd00::/8")
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_at_rest(world, guest)


@test("teleportd does not start with a network that is none")
def wrong_network():
    with World() as world:
        world.there.kill("teleportd")
        world.there.configure(CONFIGURATION.format('"10.0.2.0/33"'))
        code, said = world.there.run("teleportd", check=False)
        assert code == 2, (code, said)
        lines = said.strip().splitlines()
        assert len(lines) == 1 and "line 6: 'listen.from' must be a list of networks" in \
            lines[0], said


@test("hosts that do not know each other say whose key is missing, and what to run")
def not_paired():
    with World() as world:
        guest = world.start_guest(world.here)

        def refused(*words):
            move = world.teleport(guest, world.here)
            move.expect(3)
            for word in words:
                assert word in move.said, (word, move.said)
            assert not world.there.kept_disks(), world.there.kept_disks()
            guest.check_runs_on(world.here)

        def forget(host):
            os.rename(host.path(PEERS), host.path(PEERS + ".away"))
            os.mkdir(host.path(PEERS), 0o700)

        def know_again(host):
            shutil.rmtree(host.path(PEERS))
            os.rename(host.path(PEERS + ".away"), host.path(PEERS))

        pair = "run 'teleportctl pair root@"
        forget(world.there)
        world.there.wait_for_log("not listening")
        refused("it listens once a host is paired")
        shutil.copy(world.there.path("/etc/xen/teleport/host.crt"),
                    world.there.path(PEERS + "/another.crt"))
        world.there.wait_for_log("listening on", 2)
        refused("does not know this host's key", pair)
        know_again(world.there)
        forget(world.here)
        refused("its key is unknown here", pair)
        know_again(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        check_at_rest(world, guest)
