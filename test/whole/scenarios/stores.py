"""A store on a file system of its own: of kinds that are not this machine's, and
one whose mount is missing after a boot."""

import ctypes
import os
import shutil
import subprocess

from harness.host import ENVIRONMENT
from harness.oracle import check_at_rest, check_one_copy, wait_for_rest
from harness.registry import add, test
from harness.world import World

IMAGES = "/var/lib/xen/images"
CLONE_NEWNS = 0x20000


def run(*argv):
    subprocess.run(argv, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


class StoreWorld(World):
    """Its host beta has its images on a file system of their own."""

    def __init__(self, kind):
        # Mounts end with this process, whatever ends it.
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        run("mount", "--make-rprivate", "/")
        self._mounted = False
        super().__init__(start=False)
        self.image = os.path.join(self.folder, "images")
        self.store = self.there.path(IMAGES)
        run("truncate", "-s", "512M", self.image)
        run(f"mkfs.{kind}", "-q", self.image)
        self.mount()
        for host in self.hosts:
            host.power_on()
            host.start_services()

    def mount(self):
        run("mount", "-o", "loop", self.image, self.store)
        self._mounted = True

    def boot_without_mount(self):
        self.there.power_off()
        self.unmount()
        self.there.power_on(31)
        self.there.start_services()

    def boot(self):
        self.there.power_off()
        self.mount()
        self.there.power_on(51)
        self.there.start_services()

    def unmount(self):
        run("umount", self.store)
        self._mounted = False

    def close(self):
        for host in self.hosts:
            host.power_off()
        if self._mounted:
            self.unmount()
        super().close()


def there_and_back(kind):
    with StoreWorld(kind) as world:
        guest = world.start_guest(world.here)
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        assert os.path.ismount(world.store), "the store is not mounted"
        assert os.listdir(world.store), "the disk is not in the store"
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.here)
        report = world.teleport(guest, world.here).expect(0)
        assert report["disks"][0]["kind"] == "shadow", report
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_at_rest(world, guest)


for each in ("btrfs", "xfs"):
    if shutil.which(f"mkfs.{each}", path=ENVIRONMENT["PATH"]):
        add(f"a guest comes to a store on {each}, goes home and comes again",
            lambda kind=each: there_and_back(kind))


@test("a store whose mount is missing after a boot is not filled beside it")
def missing_mount():
    with StoreWorld("ext4") as world:
        guest = world.start_guest(world.here)
        world.boot_without_mount()
        assert not os.path.ismount(world.store)
        report = world.teleport(guest, world.here, "--dry-run").expect(3)
        problem, = report["problems"]
        assert problem["code"] == "store_unusable", report
        for words in (f"mounted at {IMAGES}, which is not mounted now",
                      "run 'rm /var/lib/xl-teleport/store-mount'"):
            assert words in problem["sentence"], report
        world.teleport(guest, world.here).expect(3)
        wait_for_rest(world)
        assert os.listdir(world.store) == [], os.listdir(world.store)
        check_one_copy(world, guest, world.here)
        # With the mount it is as before.
        world.boot()
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        # Whoever has no such mount any more says so.
        world.teleport(guest, world.there).expect(0)
        wait_for_rest(world)
        world.boot_without_mount()
        world.there.run("rm", "/var/lib/xl-teleport/store-mount")
        world.teleport(guest, world.here).expect(0)
        wait_for_rest(world)
        guest.check_runs_on(world.there)
        check_at_rest(world, guest)
