"""lanes.py: PROTOCOL.md, sections 1.1 and 2.4 to 2.7: several lanes of a source,
and the one stream of records that their slices are.

A trace has what came on each lane in its order. Between lanes it has no more than
this: what answers something comes behind it.
"""
import collections

from fields import Reader, require
from trace import PREAMBLE

MAX_FURTHER, MAX_SLICE = 15, 32768


class Lanes:
    def __init__(self):
        self.name = self.secret = None  # the link's, by ASK_LANES
        self.room = None     # further lanes, by LANES
        self.preambles = {}  # what came of that of each further lane
        self.joined = set()    # lanes on which the source has said JOIN
        self.answered = set()  # and the destination
        self.last = {}       # lane -> number of its last slice
        self.counts = collections.Counter()  # slices of each lane
        self.next, self.waiting = 0, {}  # number -> bytes of those that came too early

    def behind_preamble(self, lane, data):
        """Of what came on a further lane, what is left for records."""
        require(self.room, "a lane that nobody allowed")
        had = self.preambles.get(lane, b"")
        missing = PREAMBLE - len(had)
        self.preambles[lane] = had + data[:missing]
        wanted = b"TPLANE01" + self.name
        require(wanted.startswith(self.preambles[lane]), "the preamble of a lane")
        return data[missing:]

    def check_place(self, name, sender, lane):
        """@param lane  none: it comes out of the slices"""
        if lane is None:
            require(name not in ("ASK_LANES", "JOIN", "SLICE"), "inside a slice")
        elif sender == "destination":
            said = lane > 0 and lane in self.joined - self.answered
            require(said == (name == "JOIN") and (said or lane == 0), f"said back on lane {lane}")
        elif lane > 0:
            wanted = "SLICE" if lane in self.answered else "JOIN"
            require(name == wanted, f"no {wanted}, on lane {lane}")
            require(name == "SLICE" or lane not in self.joined, "a second JOIN")
        else:
            require(name != "JOIN", "on the first lane")
            require(lane not in self.last or name == "SLICE", "behind slice 0, and no SLICE")

    def on_ask_lanes(self, _, body):
        require(self.name is None, "a second time")
        reader = Reader(body)
        self.name, self.secret = reader.bytes(16), reader.bytes(32)
        reader.done()

    def on_lanes(self, _, body):
        require(self.name is not None and self.room is None, "nobody asked, or it was said before")
        reader = Reader(body)
        self.room = reader.number(1)
        reader.done()
        require(self.room <= MAX_FURTHER, f"{self.room} lanes")

    def on_join(self, lane, body):
        reader = Reader(body)
        if lane in self.joined:  # so it is the destination's
            reader.done()
            self.answered.add(lane)
            return
        secret = reader.bytes(32)
        reader.done()
        require(secret == self.secret, "another secret")
        self.joined.add(lane)
        require(len(self.joined) <= self.room, f"{len(self.joined)} lanes of {self.room}")

    def on_slice(self, lane, body):
        """@return what of the stream of records can now be read"""
        reader = Reader(body)
        number, data = reader.number(8), reader.rest()
        require(1 <= len(data) <= MAX_SLICE, f"a slice of {len(data)} bytes")
        require(self.answered, "no lane has joined")
        first = lane == 0 and lane not in self.last
        require((number == 0) == first, f"slice {number} on lane {lane}, which had {self.counts[lane]}")
        require(number > self.last.get(lane, -1), f"slice {number} behind {self.last.get(lane)}")
        require(number >= self.next and number not in self.waiting, f"slice {number} twice")
        self.last[lane] = number
        self.counts[lane] += 1
        self.waiting[number] = data
        found = []
        while self.next in self.waiting:
            found.append(self.waiting.pop(self.next))
            self.next += 1
        return b"".join(found)

    def check_end(self):
        require(not self.waiting, f"slice {self.next} never came")

    def told(self):
        """For people."""
        return f"slices on {len(self.counts)} lanes: {sorted(self.counts.values(), reverse=True)}"
