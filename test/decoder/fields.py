"""fields.py: bytes to fields, with every limit checked; and the two libraries
that PROTOCOL.md names, zstd and XXH3, through their C interfaces."""
import ctypes
import ctypes.util
import json


class Refused(Exception):
    """What PROTOCOL.md says is refused."""


def require(holds, what):
    if not holds:
        raise Refused(what)


class Reader:
    """Little-endian numbers, packed without gaps (section 2)."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def bytes(self, size):
        require(self.at + size <= len(self.body), "the body is too short")
        self.at += size
        return self.body[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.bytes(size), "little")

    def mask(self):
        """The set of the blocks in it."""
        bits = self.number(32)
        return {i for i in range(256) if bits >> i & 1}

    def rest(self):
        return self.bytes(len(self.body) - self.at)

    def done(self):
        require(self.at == len(self.body), "the body is too long")


def json_body(body, fields):
    """Section 2.2: one object; `fields` gives the type of each that must be there."""
    require(len(body) <= 1048576, "JSON of more than 1 MiB")
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError as failure:
        raise Refused(f"no JSON: {failure}") from failure
    require(isinstance(value, dict), "JSON that is no object")
    for name, kind in fields.items():
        require(isinstance(value.get(name), kind), f"JSON without a proper '{name}'")
    return value


def json_list(value, name, fields):
    """The list `name` of an object, of objects that have these fields."""
    require(isinstance(value.get(name), list) and len(value[name]) <= 1024, f"no proper '{name}'")
    for entry in value[name]:
        for field, kind in fields.items():
            require(isinstance(entry, dict) and isinstance(entry.get(field), kind), f"'{name}' without a proper '{field}'")
    return value[name]


_xxhash = ctypes.CDLL(ctypes.util.find_library("xxhash"))
_xxhash.XXH3_64bits.restype = ctypes.c_uint64
_xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3(block):
    return _xxhash.XXH3_64bits(block, len(block))


class _Buffer(ctypes.Structure):
    _fields_ = [("memory", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]


_zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
_zstd.ZSTD_createDCtx.restype = ctypes.c_void_p
for _name in ("ZSTD_decompressStream", "ZSTD_DCtx_setParameter"):
    getattr(_zstd, _name).restype = ctypes.c_size_t
_zstd.ZSTD_freeDCtx.argtypes = [ctypes.c_void_p]
_zstd.ZSTD_DCtx_setParameter.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
_zstd.ZSTD_decompressStream.argtypes = [
    ctypes.c_void_p, ctypes.POINTER(_Buffer), ctypes.POINTER(_Buffer)]
_zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
_WINDOW_LOG_MAX = 100  # ZSTD_d_windowLogMax


class Unpacker:
    """All pieces of a connection are one zstd stream, window 2^25 (section 4.6)."""

    def __init__(self):
        self.context = _zstd.ZSTD_createDCtx()
        _zstd.ZSTD_DCtx_setParameter(self.context, _WINDOW_LOG_MAX, 25)

    def __del__(self):
        _zstd.ZSTD_freeDCtx(self.context)

    def piece(self, payload, raw):
        """The `raw` bytes of this piece, and no more."""
        # One byte of room above: a piece that gives more is found by it.
        out = ctypes.create_string_buffer(raw + 1)
        source = ctypes.create_string_buffer(payload, max(len(payload), 1))
        to = _Buffer(ctypes.cast(out, ctypes.c_void_p), raw + 1, 0)
        taken = _Buffer(ctypes.cast(source, ctypes.c_void_p), len(payload), 0)
        while True:
            before = (to.at, taken.at)
            code = _zstd.ZSTD_decompressStream(self.context, ctypes.byref(to), ctypes.byref(taken))
            require(not _zstd.ZSTD_isError(ctypes.c_size_t(code)), "a piece that zstd refuses")
            if taken.at == len(payload) and to.at <= raw and (to.at, taken.at) == before:
                break
            require(to.at <= raw, "a piece of more bytes than announced")
            require((to.at, taken.at) != before, "a piece that goes nowhere")
        require(to.at == raw, "a piece of fewer bytes than announced")
        return out.raw[:raw]


def unpack_frame(frame, raw):
    """Of zstd data that is `raw` bytes unpacked, those."""
    out = ctypes.create_string_buffer(max(raw, 1))
    size = _zstd.ZSTD_decompress(out, raw, frame, len(frame))
    require(size == raw, f"zstd data that does not unpack to {raw} bytes")
    return out.raw[:raw]
