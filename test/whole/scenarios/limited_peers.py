"""A paired host that is not one of ours: alpha may do on beta what beta's file
says, and beta is sent what alpha's file says."""

import json
import os
import subprocess

from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import add, test
from harness.world import MIB, World, Wrong
from scenarios.hostile_peers import (ANSWER, FAIL, IMAGES, PREPARE, PREPARED, QUERY,
                                     UUID, OpenSession, as_heard, seed, speak,
                                     speaker)

ALL = ["teleport-here", "seed-here", "teleport-there", "seed-there"]
# As each host has the other one paired.
NAMES = {"beta": "alpha", "alpha": "10.0.2.1"}


def limits_file(host):
    return host.path(f"/etc/xen/teleport/peers/{NAMES[host.name]}.conf")


def limit(host, may=(), guests=(), store="1 GiB", sessions=4):
    """What `host` lets the other one do."""
    with open(limits_file(host), "w", encoding="ascii") as file:
        file.write(f"may = {json.dumps(list(may))}\nguests = {json.dumps(list(guests))}\n"
                   f'store_limit = "{store}"\nsessions = {sessions}\n')
    os.chmod(limits_file(host), 0o600)


def problems(heard):
    assert heard[-1][0] == ANSWER, heard
    return {one["code"]: one["sentence"] for one in json.loads(heard[-1][1])["problems"]["problems"]}


def refused(world, guest, *words):
    move = world.teleport(guest, world.here)
    move.expect(3)
    for word in words:
        assert word in move.said, move.said
    wait_for_rest(world)
    assert not world.there.kept_disks(), world.there.kept_disks()
    guest.check_runs_on(world.here)


@test("a limited host moves the guests that its file names, and no other")
def named_guests():
    with World() as world:
        guest = world.start_guest(world.here)
        # The file counts from the next session on, and teleportd runs.
        limit(world.there, ["teleport-here"], ["db*"])
        refused(world, guest, "alpha may not teleport to this host guest 'web1'",
                "'guests' of /etc/xen/teleport/peers/alpha.conf")
        limit(world.there, ["seed-here", "teleport-there"], ["web1"])
        refused(world, guest, '"teleport-here" is not in \'may\'')
        limit(world.there, ["teleport-here"], ["web?"])
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_one_copy(world, guest, world.there)


@test("a limited host whose file is wrong may do nothing")
def wrong_file():
    with World() as world:
        guest = world.start_guest(world.here)
        limit(world.there, ALL, ["*"])
        with open(limits_file(world.there), "a", encoding="ascii") as file:
            file.write("store = 1\n")
        refused(world, guest, "alpha may do nothing", "alpha.conf line 5")
        assert "alpha may do nothing" in world.there.log("teleportd.log")
        limit(world.there, ALL, ["*"])
        os.chmod(limits_file(world.there), 0o666)
        refused(world, guest, "alpha may do nothing", "chmod 600")
        said = world.there.run("teleportctl", "peers")[1]
        assert "limited" in said and "may do nothing" in said, said


@test("a limited host is sent the guests that are named, and no other")
def sent_there():
    with World() as world:
        guest = world.start_guest(world.here)
        limit(world.here, ["seed-there", "teleport-here"], ["*"])
        refused(world, guest, "10.0.2.1 may not be sent guest 'web1'",
                '"teleport-there" is not in \'may\'')
        # It was not told of.
        assert "web1" not in world.there.log("teleportd.log")
        limit(world.here, ["teleport-there"], ["*"])
        code, said = world.here.run(
            "teleportctl", "seed", "--reconnect", "0", "--disk", IMAGES + "web1-xvda.img",
            "--as", f"{UUID}:xvda", world.there.address, check=False)
        assert code == 1 and '"seed-there"' in said, said
        assert "may not be sent" not in world.there.log("teleportd.log")
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)


@test("a limited host's seed over what another host has kept is refused")
def others_shadow():
    with World() as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        # As if it had gone to a third host.
        folder = world.here.path("/var/lib/xl-teleport/disks")
        entry = os.path.join(folder, UUID + "_xvda.json")
        with open(entry, encoding="utf-8") as file:
            told = json.load(file)
        with open(entry, "w", encoding="utf-8") as file:
            json.dump({**told, "peer": "0" * 64}, file)
        with open(world.here.path(told["shadow"]["aside"]), "rb") as file:
            before = file.read()
        limit(world.here, ["seed-here"], ["*"])
        for size in (8 * MIB, 4 * MIB, 16 * MIB):
            heard = speak(world.there, world.here, seed("web1", UUID, size))
            assert "was not brought by 10.0.2.1" in problems(heard)["others_disk"], heard
        with open(world.here.path(told["shadow"]["aside"]), "rb") as file:
            if file.read() != before:
                raise Wrong("lost write", "another host's shadow was written")
        with open(entry, encoding="utf-8") as file:
            assert json.load(file)["peer"] == "0" * 64
        # Its own it may fill again, and a host of ours any.
        for _ in range(2):
            heard = speak(world.there, world.here, seed("own", "1" * 8 + UUID[8:]),
                          (PREPARE, b""))
            assert heard[-1][0] == PREPARED, heard
            wait_for_rest(world)
        os.unlink(limits_file(world.here))
        heard = speak(world.there, world.here, seed("web1", UUID), (PREPARE, b""))
        assert heard[-1][0] == PREPARED, heard
        wait_for_rest(world)


@test("what a limited host may not bring is told it in the answer alone")
def nothing_told():
    with World() as world:
        guest = world.start_guest(world.there)
        limit(world.there, ["seed-here"], ["other"])
        heard = speak(world.here, world.there, seed(guest.name, guest.uuid))
        assert list(problems(heard)) == ["peer_rights"], heard
        answer = json.loads(heard[-1][1])
        assert not answer["disks"], answer
        check_at_rest(world, guest)


@test("a limited host's question is answered for guests of its own alone")
def questions():
    running, uncertain = b"\x01", b"\x03"
    nobody = "9" * 8 + UUID[8:]
    with World() as world:
        own = world.start_guest(world.here)
        other = world.start_guest(world.there, name="db1", uuid="1" * 8 + UUID[8:])

        def ask(guest_uuid, number="f" * 32):
            heard = speak(world.here, world.there,
                          (QUERY, f"{number}{guest_uuid}".encode()))
            assert heard[-1][0] == 20, heard
            return heard[-1][1]
        # A host of ours may ask for any.
        assert (ask(other.uuid), ask(nobody)) == (running, uncertain)
        limit(world.there, ["teleport-here"], ["web1"])
        world.teleport(own, world.here).expect(0)
        wait_for_rest(world)
        number, = world.there.journal("destination")
        assert ask(own.uuid, number) == ask(own.uuid) == running
        assert ask(other.uuid) == ask(nobody) == uncertain
        assert f"guest {other.uuid}" in world.there.log("teleportd.log")
        own.check_runs_on(world.there)


@test("a limited host's disks are rebuilt from no disk of this host")
def no_donors():
    with World() as world:
        world.make_guest(world.here)
        image = IMAGES + "web1-xvda.img"
        with open(world.here.path(image), "rb") as ours, \
                open(world.there.path(IMAGES + "donor.img"), "wb") as donor:
            donor.write(ours.read())
        world.there.run("teleportctl", "index", "add", IMAGES + "donor.img")

        def from_donors(uuid):
            said = world.here.run(
                "teleportctl", "seed", "--json", "--reconnect", "0", "--disk", image,
                "--as", f"{uuid}:xvda", world.there.address)[1]
            return json.loads(said.splitlines()[-1])["bulk"]["donors"]
        assert from_donors(UUID) > MIB
        limit(world.there, ["seed-here"], ["*"])
        assert from_donors("1" * 8 + UUID[8:]) == 0


@test("an open session of a limited host ends when its file changes")
def limits_change():
    with World() as world:
        may_seed = ["seed-here"], ["*"]
        for change in (lambda: limit(world.there, *may_seed),
                       lambda: limit(world.there, *may_seed, sessions=2),
                       lambda: os.unlink(limits_file(world.there))):
            session = OpenSession(world, world.here, world.there,
                                  seed("own", UUID), (PREPARE, b""))
            assert session.heard[-1][0] == PREPARED, session.heard
            change()
            last = session.hear()
            assert last[0] == FAIL and b"has changed" in last[1], last
            assert session.hear() is None
            wait_for_rest(world)


@test("what fails at a source is told without its paths, whole at home")
def told_to_others():
    with World() as world:
        guest = world.start_guest(world.here)
        gate = world.here.hold("teleport.journal-moving.before")
        move = world.teleport(guest, world.here)
        gate.wait(alongside=move.program)
        gate.release(28)
        move.expect(1)
        wait_for_rest(world)
        assert "/var/lib/xl-teleport/journal" in move.said, move.said
        told = [line for line in world.there.log("teleportd.log").splitlines()
                if "the source gave up" in line]
        assert told and all("no space is left" in line and "/var" not in line
                            for line in told), told
        guest.check_runs_on(world.here)


@test("what fails at a destination is told to a limited host without its paths")
def told_to_limited():
    with World() as world:
        offer = seed("own", "1" * 8 + UUID[8:])

        def failing():
            """FAIL for a book of kept disks that cannot be written."""
            gate = world.there.hold("session.book-write.before")
            words = speaker(world.here, world.there, offer, (PREPARE, b""))
            asking = world.here.spawn(*words, output=subprocess.PIPE)
            world.end_with(asking)
            gate.wait(alongside=asking)
            gate.release(28)
            said = asking.communicate()[0].decode().splitlines()[-1]
            wait_for_rest(world)
            kind, body = as_heard(said)
            assert kind == FAIL, said
            return json.loads(body)["sentence"]
        assert "/var/lib/xl-teleport" in failing()
        limit(world.there, ["seed-here"], ["own"])
        told = failing()
        assert "no space is left" in told and "/" not in told, told
        assert "/var/lib/xl-teleport" in world.there.log("teleportd.log")


def taken_back():
    with World() as world:
        limit(world.there, ALL, ["*"])
        world.there.run("teleportctl", "unpair", "alpha")
        left = os.listdir(world.there.path("/etc/xen/teleport/peers"))
        assert left == [], left


add("unpairing a limited host removes its limits, too", taken_back)


def peers_of(host):
    return json.loads(host.run("teleportctl", "peers", "--json")[1])


@test("a limited host brings as much as its file says, and no more")
def quota():
    with World() as world:
        guest = world.start_guest(world.here)
        limit(world.there, ALL, ["*"], store="12 MiB")
        heard = speak(world.here, world.there, seed("own", "1" * 8 + UUID[8:]),
                      (PREPARE, b""))
        assert heard[-1][0] == PREPARED, heard
        wait_for_rest(world)
        move = world.teleport(guest, world.here)
        move.expect(3)
        assert "peer_quota" in move.said and \
            "alpha may have brought 12.0 MiB of disks here, has brought 8.0 MiB, and " \
            "would have brought 16.0 MiB" in move.said, move.said
        guest.check_runs_on(world.here)
        # The same again is nothing more.
        heard = speak(world.here, world.there, seed("own", "1" * 8 + UUID[8:]))
        assert not problems(heard), heard
        world.there.run("teleportctl", "shadow", "forget", "own")
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        # The disk of its guest that runs counts, too, and that of a guest of
        # this host that went there and comes back does not.
        assert peers_of(world.there)[0]["store_held_bytes"] == 8 * MIB, peers_of(world.there)
        heard = speak(world.here, world.there, seed("own", "1" * 8 + UUID[8:]))
        assert "has brought 8.0 MiB" in problems(heard)["peer_quota"], heard
        limit(world.here, ["teleport-here"], ["*"], store="0")
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.here)
        assert peers_of(world.here)[0]["store_held_bytes"] == 0, peers_of(world.here)
        check_at_rest(world, guest)


@test("a store's reserve is left free by hosts of ours, too")
def reserve():
    with World() as world:
        guest = world.start_guest(world.here)
        world.there.configure("[peers]\naliases = [\"10.0.1.1=alpha\"]\n"
                              "[store]\nreserve = \"1000 TiB\"\n")
        move = world.teleport(guest, world.here)
        move.expect(3)
        assert "store_space" in move.said and "to be left free" in move.said, move.said
        guest.check_runs_on(world.here)
