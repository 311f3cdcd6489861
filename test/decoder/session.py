"""session.py: PROTOCOL.md, sections 2 and 3.1: records out of two streams of
bytes, and what the first after HELLO makes of the session."""
from fields import Reader, Refused, require
from seed import Seed
from talk import Talk
from teleport import Query, Teleport

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
TALKS = {"OFFER": Teleport, "SEED": Seed, "QUERY": Query}


def header(data):
    """Length and number of the record that begins here."""
    reader = Reader(data[:8])
    length, number, reserved = reader.number(4), reader.number(2), reader.number(2)
    require(length <= 8388608, f"a record of {length} bytes")
    require(number in RECORDS and reserved == 0, f"record {number}, reserved {reserved}")
    return length, number


class Session:
    """A whole session, or the exchange of section 4 alone.

    @param sizes   of the disks, where the session begins with section 4
    @param images  see Disks"""

    def __init__(self, sizes=None, images=None):
        self.images = images
        self.streams = {SOURCE: b"", DESTINATION: b""}
        self.greeted = {SOURCE, DESTINATION} if sizes else set()
        self.talk = Talk(images) if sizes else None
        if sizes:
            self.talk.begin_disks(sizes)
        self.names = []

    @property
    def disks(self):
        return self.talk.disks

    def feed(self, sender, data):
        """Bytes that `sender` sent, of any number."""
        stream = self.streams[sender] + data
        while len(stream) >= 8:
            length, number = header(stream)
            if len(stream) < 8 + length:
                break
            self.record(sender, number, stream[8:8 + length])
            stream = stream[8 + length:]
        self.streams[sender] = stream

    def record(self, sender, number, body):
        name, by = RECORDS[number]
        try:
            require(by in (BOTH, sender), f"from the {sender}")
            if name == "HELLO":
                self.on_hello(sender, body)
            else:
                self.begin(name)
                self.talk.take(name, sender, body)
        except Refused as refused:
            raise Refused(f"record {len(self.names)}, {name} of {len(body)} bytes: {refused}") from refused
        self.names.append(name)

    def begin(self, name):
        """What is talked of is said by the first record after the greetings; a QUERY awaits no answer to its own."""
        greeted = {SOURCE} if name == "QUERY" or self.talk else {SOURCE, DESTINATION}
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
        require(reader.number(4) == 2, "another version")
        length = reader.number(4)
        require(length <= 200, f"a name of {length} bytes")
        reader.bytes(length)
        reader.done()

    def check_end(self):
        """A session that ended well: nothing is left, and the drawing was walked to its end."""
        require(self.streams == {SOURCE: b"", DESTINATION: b""}, "half a record at the end")
        require(self.greeted == {SOURCE, DESTINATION} and self.talk is not None, "it never began")
        require(self.talk.state == "over", f"it ended in the state {self.talk.state}")
