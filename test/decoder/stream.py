"""stream.py: stream/CODING.md: pieces to libxl's stream, and its proof."""
import hashlib
import struct

from fields import Reader, require, unpack_frame

PAGE, END = 4096, bytes(8)
BROKEN, XALLOC, XTAB = 0xD, 0xE, 0xF
PAGE_DATA = 1
LIBXC_RECORD_MAX = 128 << 20


class Stream:
    """Makes libxl's stream of its pieces; keeps what Walk needs alone."""

    def __init__(self):
        self.digest, self.length, self.ended = hashlib.sha256(), 0, False
        self.walk = Walk()

    def on_piece(self, body):
        require(not self.ended, "a piece after the end")
        reader = Reader(body)
        kind = reader.number(1)
        require(kind in (1, 2, 3), f"a piece of kind {kind}")
        if kind == 3:
            self.on_end(reader)
            return
        data = reader.rest() if kind == 1 else page_data(reader)
        require(1 <= len(data) and (kind == 2 or len(data) <= 1048576), f"a raw piece of {len(data)} bytes")
        self.digest.update(data)
        self.length += len(data)
        self.walk.feed(data)

    def on_end(self, reader):
        length, digest = reader.number(8), reader.bytes(32)
        reader.done()
        self.digest.update(END)
        require(self.walk.may_end(), "END would not stand where a record may begin")
        require(length == self.length + len(END), f"a stream of {length} bytes, of which {self.length} came")
        require(digest == self.digest.digest(), "the stream's SHA-256")
        self.ended = True


def varint(reader):
    value = shift = 0
    while True:
        require(shift < 63, "a varint of more than 9 bytes")
        byte = reader.number(1)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7


def pfns(reader, count):
    """Pairs of type and pfn."""
    found, expected = [], 0
    while len(found) < count:
        step = varint(reader)
        first = expected + (-(step + 1) // 2 if step & 1 else step // 2)
        run = varint(reader)
        length, kind = (run >> 4) + 1, run & 15
        require(0 <= first and first + length <= 1 << 60, "a pfn out of range")
        require(len(found) + length <= count, "a run past the count")
        require(not 5 <= kind <= 8, f"a page of type {kind}")
        found += [(kind, pfn) for pfn in range(first, first + length)]
        expected = first + length
    return found


def page_data(reader):
    """Section 3: the record that comes of a pages piece."""
    require(reader.number(1) == 1, "another coding")
    pack, count = reader.number(1), reader.number(2)
    require(pack in (0, 1) and 1 <= count <= 1024, f"pack {pack}, {count} pfns")
    entries = pfns(reader, count)
    with_data = sum(1 for kind, _ in entries if kind not in (BROKEN, XALLOC, XTAB))
    codes = []
    while len(codes) < with_data:
        run = varint(reader)
        require(run & 7 in (0, 1), f"a page of code {run & 7}")
        codes += [run & 7] * ((run >> 3) + 1)
    require(len(codes) == with_data, "a run past the pages")
    whole = sum(codes) * PAGE
    require(pack == 0 or whole > 0, "nothing is packed")
    pages = reader.rest()
    if pack == 1:
        pages = unpack_frame(pages, whole)
    require(len(pages) == whole, f"{len(pages)} bytes of pages")
    packed = Reader(pages)
    data = b"".join(packed.bytes(PAGE) if code else bytes(PAGE) for code in codes)
    head = struct.pack("<IIII", PAGE_DATA, 8 + 8 * count + len(data), count, 0)
    return head + struct.pack(f"<{count}Q", *(kind << 60 | pfn for kind, pfn in entries)) + data


class Walk:
    """Over the headers of the stream that was made: section 2. libxl's own records, and inside of its
    LIBXC_CONTEXT those of libxc, each padded to 8 bytes."""
    LIBXC_CONTEXT = 1

    def __init__(self):
        self.held = b""
        self.skip = 0  # bytes of a body that are still to come
        self.step = self.libxl_header
        self.need = 16
        self.had_libxc = False

    def feed(self, data):
        at = 0
        while at < len(data):
            if self.skip:
                taken = min(self.skip, len(data) - at)
                self.skip -= taken
                at += taken
                continue
            taken = min(self.need - len(self.held), len(data) - at)
            self.held += data[at:at + taken]
            at += taken
            if len(self.held) == self.need:
                header, self.held = self.held, b""
                self.step(header)

    def then(self, step, need):
        self.step, self.need = step, need

    def may_end(self):
        return self.step == self.libxl_record and not self.held and not self.skip and self.had_libxc

    def libxl_header(self, header):
        ident, version, options = struct.unpack(">8sII", header)
        require(ident == b"LibxlFmt" and version == 2 and options == 0, "not libxl's stream, version 2")
        self.then(self.libxl_record, 8)

    def libxl_record(self, header):
        kind, length = struct.unpack("<II", header)
        require(kind != 0, "libxl's END inside a piece")
        if kind == self.LIBXC_CONTEXT:
            require(length == 0 and not self.had_libxc, "a second libxc part, or one with a length")
            self.then(self.libxc_header, 24)
        else:
            self.skip = -(-length // 8) * 8

    def libxc_header(self, header):
        marker, ident, version, options = struct.unpack(">QIIH", header[:18])
        require((marker, ident, version, options & 1) == ((1 << 64) - 1, 0x58454E46, 3, 0), "not libxc's stream, version 3")
        self.then(self.libxc_guest, 16)

    def libxc_guest(self, header):
        kind, shift = struct.unpack("<IH", header[:6])
        require(kind in (1, 2) and shift == 12, "no guest of x86")
        self.then(self.libxc_record, 8)

    def libxc_record(self, header):
        kind, length = struct.unpack("<II", header)
        require(length <= LIBXC_RECORD_MAX, f"a libxc record of {length} bytes")
        self.skip = -(-length // 8) * 8
        if kind == 0:  # libxc's END
            require(length == 0, "libxc's END with a body")
            self.had_libxc = True
            self.then(self.libxl_record, 8)
