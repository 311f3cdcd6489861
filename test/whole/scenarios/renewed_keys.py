"""Hosts that renew their keys (teleportctl rekey): guests go both ways before,
between and after, and what was begun with the old key is finished."""

import json
import os
import shutil

from harness.host import PATH
from harness.oracle import (check_at_rest, check_one_copy, recover,
                            wait_for_rest)
from harness.programs import Program
from harness.registry import test
from harness.world import World
from scenarios.looked_at_later import kill_source_at

KEYS = "/etc/xen/teleport/"
# As each host has the other one paired.
NAMES = {"beta": "alpha", "alpha": "10.0.2.1"}
SSH = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
exec python3 /var/tmp/remote_shell.py call "$1" "$2"
"""


def rekey(world, host, code, *options):
    """Runs it with the harness's shell in the place of ssh: what it printed."""
    world.other(host).bring("remote_shell.py")
    host.bring("remote_shell.py")
    os.makedirs(host.path("/var/tmp/bin"), exist_ok=True)
    with open(host.path("/var/tmp/bin/ssh"), "w", encoding="ascii") as file:
        file.write(SSH)
    os.chmod(host.path("/var/tmp/bin/ssh"), 0o755)
    program = Program(world, host, "teleportctl", "rekey", "--handshake-seconds", "0",
                      *options, environment={"PATH": "/var/tmp/bin:" + PATH})
    got = program.wait()
    with open(program.out, encoding="utf-8") as file:
        said = file.read() + program.said
    assert got == code, (got, said)
    return said


def keys_at(world, host):
    """(identity, keys) of the other host as this one has them."""
    one, = [peer for peer in json.loads(host.run("teleportctl", "peers", "--json")[1])
            if peer["name"] == NAMES[host.name]]
    return one["sha256"], one["keys"]


def there_and_back(world, guest):
    for host in (world.here, world.there):
        world.teleport(guest, host).expect(0)
        wait_for_rest(world)
        check_one_copy(world, guest, world.other(host))


@test("a host renews its key, and guests go both ways before, between and after")
def guests_go():
    with World() as world:
        guest = world.start_guest(world.here)
        there_and_back(world, guest)
        first, accepted = keys_at(world, world.there)
        assert accepted == [first]
        for name in ("host.crt", "host.key"):
            shutil.copy(world.here.path(KEYS + name), world.here.path("/var/tmp"))

        said = rekey(world, world.here, 1)  # nobody serves ssh there
        assert "10.0.2.1: NOT TOLD" in said and "1 of 1 hosts" in said, said
        assert keys_at(world, world.there) == (first, [first])
        there_and_back(world, guest)

        world.serve_shell(world.there)
        said = rekey(world, world.here, 0)
        assert "10.0.2.1: accepts the new key alone" in said, said
        again, accepted = keys_at(world, world.there)
        assert again == first and len(accepted) == 1 and accepted != [first]
        there_and_back(world, guest)

        # The old key opens nothing any more, whoever has it.
        for name in ("host.crt", "host.key"):
            shutil.copy(world.here.path("/var/tmp/" + name), world.here.path(KEYS))
        move = world.teleport(guest, world.here)
        move.expect(3)
        assert "does not know this host's key" in move.said, move.said
        guest.check_runs_on(world.here)
        check_at_rest(world, guest)


@test("a guest in limbo is found with keys that were renewed since")
def limbo():
    with World() as world:
        guest = kill_source_at(world, "teleport.journal-moved.before", world.here)
        for host in world.hosts:
            world.serve_shell(host)
        first, _ = keys_at(world, world.here)
        rekey(world, world.there, 0, "--ssh", "alpha=10.0.1.1")
        rekey(world, world.here, 0)
        again, accepted = keys_at(world, world.here)
        assert again == first and first not in accepted
        assert [one["peer_key"] for one in world.here.journal("source").values()] == [first]
        assert recover(guest, world.here) == 0
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)


@test("a teleport under way goes on while both hosts renew their keys")
def under_way():
    with World() as world:
        guest = world.start_guest(world.here)
        for host in world.hosts:
            world.serve_shell(host)
        world.here.limit_link("1Mbit")
        move = world.teleport(guest, world.here)
        move.wait_for_phase("bulk")
        rekey(world, world.here, 0)
        rekey(world, world.there, 0)
        # The link is lost, and made anew with keys that it did not begin with.
        world.there.kill("session")
        world.here.limit_link("off")
        move.expect(0)
        wait_for_rest(world)
        check_one_copy(world, guest, world.there)
