"""session.py: PROTOCOL.md, sections 2 and 3.1: records out of two streams of
bytes, one of which may come in slices on several lanes, and what the first after
HELLO makes of the session."""
from fields import Reader, Refused, require
from lanes import Lanes
from prose import RECORDS
from seed import Seed
from talk import Talk
from teleport import Query, Teleport

SOURCE, DESTINATION, BOTH = "source", "destination", "both"

OF_THE_LINK = {"ASK_LANES", "LANES", "JOIN", "SLICE"}
TALKS = {"OFFER": Teleport, "SEED": Seed, "QUERY": Query}


def header(data):
    """Length and number of the record that begins here."""
    reader = Reader(data[:8])
    length, number, reserved = reader.number(4), reader.number(2), reader.number(2)
    require(length <= 8388608, f"a record of {length} bytes")
    require(number in RECORDS and reserved == 0, f"record {number}, reserved {reserved}")
    return length, number


class Framing:
    """Records out of bytes that come in pieces."""

    def __init__(self):
        self.held = b""

    def records(self, data):
        """Number and body of each that is whole now."""
        self.held += data
        while len(self.held) >= 8:
            length, number = header(self.held)
            if len(self.held) < 8 + length:
                break
            body, self.held = self.held[8:8 + length], self.held[8 + length:]
            yield number, body


class Session:
    """A whole session, or the exchange of section 4 alone.

    @param sizes   of the disks, where the session begins with section 4
    @param images  see Disks"""

    def __init__(self, sizes=None, images=None):
        self.images = images
        self.streams = {}  # of each side and lane; lane none: of the slices
        self.lanes = Lanes()
        self.greeted = {SOURCE, DESTINATION} if sizes else set()
        self.talk = Talk(images) if sizes else None
        if sizes:
            self.talk.begin_disks(sizes)
        self.names = []

    @property
    def disks(self):
        return self.talk.disks

    def feed(self, sender, lane, data):
        """Bytes that `sender` sent on a lane, of any number."""
        if lane and data and sender == SOURCE:
            data = self.lanes.behind_preamble(lane, data)
        self.take(sender, lane, data)

    def take(self, sender, lane, data):
        """What is records, but perhaps not whole ones; `lane` none: what was in slices."""
        for number, body in self.streams.setdefault((sender, lane), Framing()).records(data):
            sliced = self.record(sender, lane, number, body)
            if sliced:
                self.take(sender, None, sliced)

    def record(self, sender, lane, number, body):
        """@return what a SLICE brings of the stream that is in them"""
        name, by = RECORDS[number]
        sliced = None
        try:
            require(by in (BOTH, sender), f"from the {sender}")
            self.lanes.check_place(name, sender, lane)
            if name == "HELLO":
                self.on_hello(sender, body)
            elif name in OF_THE_LINK:
                sliced = self.on_link(name, sender, lane, body)
            else:
                self.begin(name)
                self.talk.take(name, sender, body)
        except Refused as refused:
            raise Refused(f"record {len(self.names)}, {name} of {len(body)} bytes: {refused}") from refused
        self.names.append(name)
        return sliced

    def on_link(self, name, sender, lane, body):
        require({SOURCE, DESTINATION} <= self.greeted, "before the greeting")
        # A JOIN may have been sent before the last record, which then came first on its lane.
        over = name != "JOIN" and self.talk and sender in self.talk.over
        require(not over, f"after the last record of the {sender}")
        return getattr(self.lanes, "on_" + name.lower())(lane, body)

    def begin(self, name):
        """What is talked of is said by the source's first record behind its greeting, which awaits no answer."""
        greeted = {SOURCE} if name in TALKS or self.talk else {SOURCE, DESTINATION}
        require(greeted <= self.greeted, "before the greeting")
        if self.talk is None:
            require(name in TALKS or name == "FAIL", "it begins no session")
            self.talk = TALKS.get(name, Talk)(self.images)

    def on_hello(self, sender, body):
        require(sender not in self.greeted, "a second one")
        require(sender == SOURCE or SOURCE in self.greeted, "the destination greets first")
        self.greeted.add(sender)
        reader = Reader(body)
        require(reader.bytes(8) == b"TELEPORT", "not a teleport peer")
        require(reader.number(4) == 3, "another version")
        length = reader.number(4)
        require(length <= 200, f"a name of {length} bytes")
        reader.bytes(length)
        reader.done()

    def told(self):
        """For people."""
        return self.talk.told() + (f"; {self.lanes.told()}" if self.lanes.counts else "")

    def check_end(self):
        """A session that ended well: nothing is left, and the drawing was walked to its end."""
        self.lanes.check_end()
        require(not any(stream.held for stream in self.streams.values()), "half a record at the end")
        require(self.greeted == {SOURCE, DESTINATION} and self.talk is not None, "it never began")
        require(self.talk.state == "over", f"it ended in the state {self.talk.state}")
