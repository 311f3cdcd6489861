"""trace.py: a recorded session in a file: pieces of what each side sent, in the
order in which they passed. Each piece: "s" or "d" (source, destination), its
length as u32, little-endian, its bytes. So on the first lane; on a further one
"S" or "D", the lane's number as u8, from 1 on, then the same. The first bytes of
a further lane are its preamble."""

PREAMBLE = 24  # bytes
LETTERS = {"source": b"s", "destination": b"d"}


def pieces(path):
    """Of each: the side, the lane and the bytes."""
    with open(path, "rb") as file:
        data = file.read()
    sides = {letter: side for side, letter in LETTERS.items()}
    at, found = 0, []
    while at < len(data):
        letter, lane = data[at:at + 1], 0
        if letter.isupper():
            at += 1
            lane = data[at]
        size = int.from_bytes(data[at + 1:at + 5], "little")
        found.append((sides[letter.lower()], lane, data[at + 5:at + 5 + size]))
        at += 5 + size
    return found


def records(found):
    """The same with one record, or a preamble, in each piece, where they pass whole."""
    streams, whole = {}, []
    for side, lane, data in found:
        begun, stream = streams.get((side, lane), (lane == 0 or side == "destination", b""))
        stream += data
        while len(stream) >= 8:
            size = 8 + int.from_bytes(stream[:4], "little") if begun else PREAMBLE
            if len(stream) < size:
                break
            whole.append((side, lane, stream[:size]))
            begun, stream = True, stream[size:]
        streams[side, lane] = begun, stream
    return whole


def write(file, side, lane, data):
    letter = LETTERS[side].upper() + bytes([lane]) if lane else LETTERS[side]
    file.write(letter + len(data).to_bytes(4, "little") + data)


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
