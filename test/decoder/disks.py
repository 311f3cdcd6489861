"""disks.py: section 4 of PROTOCOL.md: the life of each extent of a session's
disks, as the records say it."""
import hashlib

from fields import Reader, Refused, Unpacker, require, xxh3

BLOCK, EXTENT, BLOCKS = 4096, 1 << 20, 256
UNDER_WAY, DATA = 1024, 96 << 20
ZERO_BLOCK = bytes(BLOCK)


class Extent:
    """One that was announced. `at`: announced, wants_digests, digests, wanted,
    data, mismatch or proven."""

    def __init__(self, digest):
        self.digest = digest
        self.at = "announced"
        self.absent = set()    # blocks whose data must come
        self.whole_sent = False  # since the last proof
        self.data = 0  # bytes of its blocks that came and are not answered


class Disks:
    """@param sizes   bytes of each disk
    @param images  what each holds, when that is known and does not change"""

    def __init__(self, sizes, images=None):
        self.sizes, self.images = sizes, images
        self.extents = {}
        self.unpacker = Unpacker()
        self.sent = {}       # (place, block) -> the bytes sent last
        self.link_bytes = 0  # of blocks in EXTENT_DATA
        self.gap_bytes = 0   # of those that section 6.4 counts as such
        self.mismatches = 0
        self.complete = False

    def length(self, place):
        return min(EXTENT, self.sizes[place[0]] - place[1] * EXTENT)

    def blocks(self, place):
        return -(-self.length(place) // BLOCK)

    def image(self, place):
        if self.images is None:
            return None
        start = place[1] * EXTENT
        return self.images[place[0]][start:start + self.length(place)]

    def place(self, reader):
        place = (reader.number(2), reader.number(8))
        require(place[0] < min(64, len(self.sizes)), f"disk {place[0]} was not offered")
        require(place[1] < 67108864 and place[1] * EXTENT < self.sizes[place[0]],
                f"extent {place[1]} is not on the disk")
        return place

    def mask(self, reader, place):
        mask = reader.mask()
        require(all(i < self.blocks(place) for i in mask), "a block past the extent's end")
        return mask

    def counted(self, keep):
        return sum(1 for extent in self.extents.values() if keep(extent))

    def all_proven(self):
        wanted = sum(-(-size // EXTENT) for size in self.sizes)
        return len(self.extents) == wanted and self.counted(lambda e: e.at != "proven") == 0

    def check_digest(self, place, digest):
        image = self.image(place)
        require(image is None or hashlib.sha256(image).digest() == digest,
                f"the SHA-256 of {place} is not its image's")

    # --- from the source

    def on_extents(self, body):
        reader = Reader(body)
        disk, first, count = reader.number(2), reader.number(8), reader.number(2)
        require(1 <= count <= 64, f"{count} extents announced at once")
        at = first
        while at < first + count:
            kind, run = reader.number(1), reader.number(2)
            require(kind in (0, 1), f"kind {kind}")
            require(1 <= run <= first + count - at, "a run of none, or of too many")
            for _ in range(run):
                place = self.place(Reader(disk.to_bytes(2, "little") + at.to_bytes(8, "little")))
                require(place not in self.extents, f"{place} announced twice")
                digest = reader.bytes(32) if kind else hashlib.sha256(bytes(self.length(place))).digest()
                self.check_digest(place, digest)
                self.extents[place] = Extent(digest)
                self.extents[place].zero = kind == 0
                at += 1
        reader.done()
        require(self.counted(lambda e: e.at != "proven") <= UNDER_WAY, "too many extents under way")

    def on_block_digests(self, body):
        reader = Reader(body)
        place = self.place(reader)
        extent = self.known(place, "wants_digests")
        zero = self.mask(reader, place)
        count = reader.number(2)
        require(count == self.blocks(place) - len(zero), f"{count} digests")
        digests = [reader.number(8) for _ in range(count)]
        reader.done()
        image = self.image(place)
        if image is not None:
            named = iter(digests)
            for i in range(self.blocks(place)):
                block = image[i * BLOCK:(i + 1) * BLOCK].ljust(BLOCK, b"\0")
                if i in zero:
                    require(block == ZERO_BLOCK, f"block {i} of {place} is no zeros")
                else:
                    require(xxh3(block) == next(named), f"the digest of block {i} of {place}")
        extent.at, extent.zeros = "digests", zero

    def on_extent_data(self, body):
        reader = Reader(body)
        place = self.place(reader)
        require(place in self.extents, f"{place} was not announced")
        extent = self.extents[place]
        require(extent.at in ("wanted", "mismatch", "proven"), f"data of {place} when {extent.at}")
        digest = reader.bytes(32)
        data, zero = self.mask(reader, place), self.mask(reader, place)
        require(not data & zero, "blocks in both masks")
        sizes = [min(BLOCK, self.length(place) - i * BLOCK) for i in sorted(data)]
        raw, coded, length = reader.number(4), reader.number(1), reader.number(4)
        require(raw == sum(sizes), f"{raw} raw bytes")
        require(coded in (0, 2) and length <= 1064960, f"coded {coded}, {length} bytes")
        require(coded == 2 or length == raw, "a plain payload of another length")
        payload = reader.bytes(length)
        reader.done()
        if coded == 2:
            payload = self.unpacker.piece(payload, raw)
        require(extent.absent <= data | zero, f"blocks of {place} that were wanted do not come")
        self.check_digest(place, digest)
        image, at = self.image(place), 0
        for i, size in zip(sorted(data), sizes):
            block = payload[at:at + size]
            require(image is None or block == image[i * BLOCK:i * BLOCK + size],
                    f"block {i} of {place} is not the image's")
            self.sent[place, i] = block
            at += size
        for i in zero:
            size = min(BLOCK, self.length(place) - i * BLOCK)
            require(image is None or not any(image[i * BLOCK:i * BLOCK + size]), f"block {i} of {place} is no zeros")
            self.sent[place, i] = bytes(size)
        self.link_bytes += raw
        new = data if extent.at == "proven" else data & extent.absent
        self.gap_bytes += sum(size for i, size in zip(sorted(data), sizes) if i in new)
        extent.at, extent.digest, extent.absent, extent.data = "data", digest, set(), raw
        require(sum(e.data for e in self.extents.values()) <= DATA, "too much data under way")

    def on_disks_complete(self, body):
        require(not body, "DISKS_COMPLETE has a body")
        require(self.all_proven(), "DISKS_COMPLETE before all is proven")
        require(not self.complete, "DISKS_COMPLETE twice")
        self.complete = True

    # --- from the destination

    def known(self, place, *states):
        extent = self.extents.get(place)
        require(extent is not None, f"{place} was not announced")
        require(extent.at in states, f"{place} is {extent.at}, not {' or '.join(states)}")
        return extent

    def on_extent_states(self, body):
        reader = Reader(body)
        count = reader.number(2)
        require(1 <= count <= 64, f"{count} states")
        for _ in range(count):
            place = self.place(reader)
            state = reader.number(1)
            if state == 1:
                extent = self.known(place, "announced", "digests", "data")
                extent.at, extent.whole_sent, extent.data = "proven", False, 0
            elif state == 2:
                extent = self.known(place, "announced")
                require(not extent.zero, f"{place} wants digests of zeros")
                extent.at = "wants_digests"
            elif state == 3:
                extent = self.known(place, "digests", "data")
                require(not extent.whole_sent, f"{place} does not match twice")
                extent.at, extent.whole_sent, extent.data = "mismatch", True, 0
                extent.absent = set(range(self.blocks(place)))
                self.mismatches += 1
            else:
                raise Refused(f"state {state}")
        reader.done()

    def on_wanted(self, body):
        reader = Reader(body)
        place = self.place(reader)
        extent = self.known(place, "digests")
        blocks = {i for i in reader.mask() if i < self.blocks(place)}
        reader.done()
        require(blocks, "no block is wanted")
        require(not blocks & extent.zeros, "blocks of zeros are wanted")
        extent.at, extent.absent = "wanted", blocks

    # --- at the end

    def check_end(self, final):
        """@param final  what the disks hold at the end; every proof names that"""
        require(self.all_proven(), "the session ends with extents that are not proven")
        for place, extent in self.extents.items():
            start = place[1] * EXTENT
            image = final[place[0]][start:start + self.length(place)]
            require(hashlib.sha256(image).digest() == extent.digest, f"{place} was proven to be something else")
            for i in range(self.blocks(place)):
                sent = self.sent.get((place, i))
                require(sent is None or sent == image[i * BLOCK:i * BLOCK + len(sent)],
                        f"block {i} of {place} was sent last with other bytes")
