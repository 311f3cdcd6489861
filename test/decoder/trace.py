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
