"""talk.py: what seeds and teleports have in common: sections 3.4, 3.5, 4, 6.7, and
the bytes by origin that both end with."""
from disks import Disks
from fields import json_body, require

ON_DISKS = {"EXTENTS", "EXTENT_STATES", "BLOCK_DIGESTS", "WANTED", "EXTENT_DATA"}


class Talk:
    """The exchange of section 4 alone; what surrounds it is added by others.

    @param images  see Disks"""
    disks_in = {"disks"}  # states in which the records of section 4 may come

    def __init__(self, images):
        self.images = images
        self.state = "greeted"
        self.over = set()  # sides that have sent their last record
        self.vdevs, self.sizes, self.problems = [], [], []
        self.disks = None

    def take(self, name, sender, body):
        require(sender not in self.over, f"after the last record of the {sender}")
        if name in ON_DISKS:
            require(self.state in self.disks_in, f"in the state {self.state}")
            getattr(self.disks, "on_" + name.lower())(body)
        else:
            handler = getattr(self, "on_" + name.lower(), None)
            if handler is None:
                self.other(name, body)
            else:
                handler(sender, body)

    def other(self, name, body):
        require(False, "it is no part of this session")

    def walk(self, before, after):
        require(self.state == before, f"in the state {self.state}")
        self.state = after

    def begin_disks(self, sizes):
        self.state = "disks"
        self.disks = Disks(sizes, self.images)

    def offered(self, disks):
        """`disks`: (vdev, size) of each."""
        require(1 <= len(disks) <= 64, "the number of disks")
        for vdev, size in disks:
            require(1 <= len(vdev) <= 31 and vdev.isalnum() and vdev.islower(), "a vdev")
            require(512 <= size <= 64 << 40 and size % 512 == 0, "a size")
        self.vdevs, self.sizes = [vdev for vdev, _ in disks], [size for _, size in disks]
        require(len(set(self.vdevs)) == len(self.vdevs), "a vdev twice")

    def answered(self, answer):
        self.walk("offered", "answered")
        require(len(answer["host"].encode()) <= 256, "the host's name")
        self.targets(answer)

    def targets(self, answer):
        for disk, vdev in zip(answer["disks"], self.vdevs):
            require(disk["vdev"] == vdev, "the disks in another order")
            require(disk["kind"] in ("new", "shadow", "partial"), f"kind {disk['kind']}")
            require(len(disk["target"].encode()) <= 4096, "a target's path")

    def on_prepare(self, _, body):
        self.walk("answered", "preparing")
        require(not body, "it has a body")
        require(not self.problems, "after problems were told")

    def on_prepared(self, _, body):
        require(self.state == "preparing", f"in the state {self.state}")
        prepared = json_body(body, {"disks": list})
        require(len(prepared["disks"]) == len(self.vdevs), "the number of disks")
        self.targets(prepared)
        self.begin_disks(self.sizes)

    def on_disks_complete(self, _, body):
        require(self.state in self.disks_in, f"in the state {self.state}")
        self.disks.on_disks_complete(body)

    def on_fail(self, sender, body):
        fail = json_body(body, {"code": str, "sentence": str})
        require(len(fail["code"]) <= 256 and len(fail["sentence"].encode()) <= 4096, "its length")
        self.over.add(sender)

    def told(self):
        """For people."""
        if self.disks is None:
            return self.state
        return f"{self.disks.link_bytes} bytes of blocks, {self.disks.mismatches} mismatches"

    def origins(self, result):
        """Section 6.4: the bytes by origin."""
        bulk, rounds = result["bulk"], result["rounds"]
        require(sum(bulk[name] for name in ("zero", "in_place", "donors", "link")) == sum(self.sizes),
                "the origins do not add up to the disks")
        require(bulk["mismatches"] + rounds["mismatches"] == self.disks.mismatches, "another number of mismatches")
        if self.disks.mismatches == 0:
            told = bulk["link"] + rounds["link"]
            require(told == self.disks.gap_bytes, f"{told} bytes told, {self.disks.gap_bytes} came")
