"""trace.py: a recorded session in a file: pieces of what each side sent, in the
order in which they passed. Each piece: "s" or "d" (source, destination), its
length as u32, little-endian, its bytes."""


def pieces(path):
    with open(path, "rb") as file:
        data = file.read()
    at, found = 0, []
    while at < len(data):
        size = int.from_bytes(data[at + 1:at + 5], "little")
        side = {b"s": "source", b"d": "destination"}[data[at:at + 1]]
        found.append((side, data[at + 5:at + 5 + size]))
        at += 5 + size
    return found


def records(found):
    """The same with one record in each piece, where they pass whole."""
    streams, whole = {"source": b"", "destination": b""}, []
    for side, data in found:
        streams[side] += data
        while len(streams[side]) >= 8:
            size = 8 + int.from_bytes(streams[side][:4], "little")
            if len(streams[side]) < size:
                break
            whole.append((side, streams[side][:size]))
            streams[side] = streams[side][size:]
    return whole


def write(file, side, data):
    file.write({"source": b"s", "destination": b"d"}[side] + len(data).to_bytes(4, "little") + data)


class Headers:
    """Where a stream's records begin; the stream comes in pieces."""

    def __init__(self):
        self.header, self.skip = b"", 0

    def find(self, data, number):
        """Where in this piece the header of a record of that number begins (0: or before it), if one does."""
        at = 0
        while at < len(data):
            start = at
            if self.skip:
                at += min(self.skip, len(data) - at)
                self.skip -= at - start
                continue
            at += min(8 - len(self.header), len(data) - at)
            self.header += data[start:at]
            if len(self.header) == 8:
                if int.from_bytes(self.header[4:6], "little") == number:
                    return start
                self.skip, self.header = int.from_bytes(self.header[:4], "little"), b""
        return None
