"""session.py: PROTOCOL.md, sections 2, 3, 6 and 7: records out of two streams of
bytes, and which may come when."""
from disks import Disks
from fields import Reader, Refused, json_body, require

SOURCE, DESTINATION, BOTH = "source", "destination", "both"

# Number: (name, who sends it), section 2.3.
RECORDS = {
    1: ("HELLO", BOTH), 2: ("OFFER", SOURCE), 3: ("ANSWER", DESTINATION), 4: ("PREPARE", SOURCE),
    5: ("PREPARED", DESTINATION), 6: ("EXTENTS", SOURCE), 7: ("EXTENT_STATES", DESTINATION),
    8: ("BLOCK_DIGESTS", SOURCE), 9: ("WANTED", DESTINATION), 10: ("EXTENT_DATA", SOURCE),
    11: ("DISKS_COMPLETE", SOURCE), 12: ("DISKS_DURABLE", DESTINATION), 13: ("GUEST_CONFIG", SOURCE),
    14: ("STREAM_PIECE", SOURCE), 15: ("GUEST_RECEIVED", DESTINATION), 16: ("GO", SOURCE),
    17: ("GO_RESULT", DESTINATION), 18: ("FAIL", BOTH), 19: ("QUERY", SOURCE),
    20: ("QUERY_RESULT", DESTINATION), 32: ("SEED", SOURCE), 33: ("SEEDED", DESTINATION),
}
ON_DISKS = {"EXTENTS", "EXTENT_STATES", "BLOCK_DIGESTS", "WANTED", "EXTENT_DATA"}


class Session:
    """A seed's session, or (from the state `disks`) the exchange of section 4.

    @param sizes   of the disks, where the session begins with section 4
    @param images  see Disks"""

    def __init__(self, sizes=None, images=None):
        self.images = images
        self.streams = {SOURCE: b"", DESTINATION: b""}
        self.greeted = set()
        self.disks = Disks(sizes, images) if sizes else None
        self.state = "disks" if sizes else "hello"
        self.over = set()  # sides that have sent their last record
        self.names = []
        self.result = None

    def feed(self, sender, data):
        """Bytes that `sender` sent, of any number."""
        stream = self.streams[sender] + data
        while len(stream) >= 8:
            header = Reader(stream[:8])
            length, number, reserved = header.number(4), header.number(2), header.number(2)
            require(length <= 8388608, f"a record of {length} bytes")
            require(number in RECORDS and reserved == 0, f"record {number}, reserved {reserved}")
            if len(stream) < 8 + length:
                break
            self.record(sender, number, stream[8:8 + length])
            stream = stream[8 + length:]
        self.streams[sender] = stream

    def record(self, sender, number, body):
        name, by = RECORDS[number]
        require(by in (BOTH, sender), f"{name} from the {sender}")
        require(sender not in self.over, f"{name} after the last record of the {sender}")
        try:
            if name in ON_DISKS:
                require(self.state == "disks", f"{name} in the state {self.state}")
                getattr(self.disks, "on_" + name.lower())(body)
            else:
                getattr(self, "on_" + name.lower(), self.no_seed)(sender, body)
        except Refused as refused:
            raise Refused(f"record {len(self.names)}, {name} of {len(body)} bytes: {refused}") from refused
        self.names.append(name)

    def no_seed(self, sender, body):
        raise Refused(f"is no part of a seed ({sender}, {len(body)} bytes)")

    def walk(self, before, after):
        require(self.state == before, f"in the state {self.state}")
        self.state = after

    def on_hello(self, sender, body):
        require(sender not in self.greeted, "a second one")
        require(sender == SOURCE or SOURCE in self.greeted, "the destination greets first")
        self.greeted.add(sender)
        reader = Reader(body)
        require(reader.bytes(8) == b"TELEPORT", "not a teleport peer")
        require(reader.number(4) == 2, "another version")
        length = reader.number(4)
        require(length <= 200, f"a name of {length} bytes")
        reader.bytes(length)
        reader.done()
        if len(self.greeted) == 2:
            self.walk("hello", "greeted")

    def on_seed(self, _, body):
        self.walk("greeted", "offered")
        seed = json_body(body, {"name": str, "uuid": str, "disks": list})
        name, uuid = seed["name"], seed["uuid"]
        require(name and len(name.encode()) <= 255 and "/" not in name and name[0] not in "-.", "the name")
        require(len(uuid) == 36 and uuid == uuid.lower(), "the uuid")
        require(1 <= len(seed["disks"]) <= 64, "the number of disks")
        for disk in seed["disks"]:
            require(1 <= len(disk["vdev"]) <= 31 and disk["vdev"].isalnum() and disk["vdev"].islower(), "a vdev")
            require(512 <= disk["size"] <= 64 << 40 and disk["size"] % 512 == 0, "a size")
        require(len({disk["vdev"] for disk in seed["disks"]}) == len(seed["disks"]), "a vdev twice")
        self.seeded = [disk["vdev"] for disk in seed["disks"]]
        self.disks = Disks([disk["size"] for disk in seed["disks"]], self.images)

    def on_answer(self, _, body):
        self.walk("offered", "answered")
        answer = json_body(body, {"host": str, "problems": dict, "disks": list})
        self.problems = json_body_list(answer["problems"], "problems", {"code": str, "sentence": str})
        self.targets(answer)

    def targets(self, answer):
        for disk, vdev in zip(answer["disks"], self.seeded):
            require(disk["vdev"] == vdev, "the disks in another order")
            require(disk["kind"] in ("new", "shadow", "partial"), f"kind {disk['kind']}")
            require(len(disk["target"].encode()) <= 4096, "a target's path")

    def on_prepare(self, _, body):
        self.walk("answered", "preparing")
        require(not body, "it has a body")
        require(not self.problems, "after problems were told")

    def on_prepared(self, _, body):
        self.walk("preparing", "disks")
        prepared = json_body(body, {"disks": list})
        require(len(prepared["disks"]) == len(self.seeded), "the number of disks")
        self.targets(prepared)

    def on_disks_complete(self, _, body):
        self.walk("disks", "keeping")
        self.disks.on_disks_complete(body)

    def on_seeded(self, sender, body):
        self.walk("keeping", "over")
        self.over.add(sender)
        self.result = json_body(body, {"disks": list, "bulk": dict, "rounds": dict})
        self.targets(self.result)
        origins = [self.result["bulk"][name] for name in ("zero", "in_place", "donors", "link")]
        require(sum(origins) == sum(self.disks.sizes), "the origins do not add up to the disks")
        if self.disks.mismatches == 0:
            told = self.result["bulk"]["link"] + self.result["rounds"]["link"]
            require(told == self.disks.link_bytes, f"{told} bytes told, {self.disks.link_bytes} came")

    def on_fail(self, sender, body):
        fail = json_body(body, {"code": str, "sentence": str})
        require(len(fail["code"]) <= 256 and len(fail["sentence"].encode()) <= 4096, "its length")
        self.over.add(sender)

    def check_end(self):
        """A session that ended well: nothing is left, and the drawing was walked to its end."""
        require(self.streams == {SOURCE: b"", DESTINATION: b""}, "half a record at the end")
        require(self.state == "over", f"it ended in the state {self.state}")


def json_body_list(value, name, fields):
    require(isinstance(value.get(name), list) and len(value[name]) <= 1024, f"no proper '{name}'")
    for entry in value[name]:
        for field, kind in fields.items():
            require(isinstance(entry.get(field), kind), f"'{name}' without a proper '{field}'")
    return value[name]
