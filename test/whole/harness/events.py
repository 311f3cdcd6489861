"""What a test waits for: never for time, always for an event, with a limit that
only a fault reaches."""

import ctypes
import os
import select
import struct
import time

# How much slower than usual all is: programs built with a sanitizer.
SLOWNESS = int(os.environ.get("WHOLE_SLOWNESS", "1"))
# Ten times what the slowest event takes on a machine that is busy with others.
LIMIT = 60.0 * SLOWNESS

_libc = ctypes.CDLL(None, use_errno=True)
_MODIFY, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x80, 0x100, 0x200
_CHANGES = _MODIFY | _MOVED_TO | _CREATE | _DELETE


class TooLate(Exception):
    """What was waited for did not come."""


class Wrong(Exception):
    """The product has broken a promise. kind: which, in one or two words."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class FolderWatch:
    """Tells when something in one of these folders has changed."""

    def __init__(self, *folders):
        self.fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
            if _libc.inotify_add_watch(self.fd, os.fsencode(folder), _CHANGES) < 0:
                raise OSError(ctypes.get_errno(), f"watch {folder}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def until(self, condition, what, limit=LIMIT, program=None):
        """Returns condition() once that is true; looks at each change.

        program: whose doing it is; with its end nothing more is waited for."""
        deadline = time.monotonic() + limit
        runs = program is not None and program.poll() is None
        end = os.pidfd_open(program.pid) if runs else None
        try:
            while True:
                # Before the condition: what the program did last counts.
                ended = program is not None and program.poll() is not None
                value = condition()
                if value:
                    return value
                if ended:
                    raise TooLate(f"{what}: it ended before, with code "
                                  f"{program.returncode}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TooLate(f"{what}: not within {limit:.0f} s")
                watched = [self.fd] if end is None else [self.fd, end]
                if self.fd in select.select(watched, [], [], left)[0]:
                    os.read(self.fd, 65536)
        finally:
            if end is not None:
                os.close(end)


def wait_for_end(pids, what, limit=LIMIT):
    """Waits until all of these processes have ended."""
    deadline = time.monotonic() + limit
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TooLate(f"{what} (process {pid}) does not end")
        finally:
            os.close(fd)


def wait_for_one_end(pids, what, limit=LIMIT):
    """Waits until at least one of these processes has ended."""
    watched = []
    try:
        for pid in pids:
            watched.append(os.pidfd_open(pid))
        if not select.select(watched, [], [], limit)[0]:
            raise TooLate(f"{what}: not within {limit:.0f} s")
    except ProcessLookupError:
        pass  # it has
    finally:
        for fd in watched:
            os.close(fd)


class Gate:
    """Holds whoever comes to a step (test/whole/xen/step.hpp) of a host."""

    def __init__(self, folder, step):
        self.step = step
        self._paths = [os.path.join(folder, step + end)
                       for end in (".reached", ".goes_on")]
        for path in reversed(self._paths):
            os.mkfifo(path)
        self._reached, self._goes_on = (
            os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            for path in self._paths)

    def wait(self, alongside=None, limit=LIMIT):
        """Returns when somebody is held here.

        alongside: a process (Popen) whose end means that nobody will come.
        """
        watched = [self._reached]
        end = os.pidfd_open(alongside.pid) if alongside else None
        if end is not None:
            watched.append(end)
        try:
            ready = select.select(watched, [], [], limit)[0]
            if self._reached not in ready:
                why = "the program has ended" if ready else f"not within {limit:.0f} s"
                raise TooLate(f"step {self.step} was not reached: {why}")
            os.read(self._reached, 4096)
        finally:
            if end is not None:
                os.close(end)

    def is_reached(self):
        return bool(select.select([self._reached], [], [], 0)[0])

    def release(self, errno=0):
        """Lets everybody go on, or fail with errno; holds nobody any more."""
        for path in self._paths:
            if os.path.exists(path):
                os.unlink(path)
        os.write(self._goes_on, f"{errno}\n".encode() * 64)


def pids_in(namespace):
    """Every process in a pid namespace, by its number here: (pid, words)."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") != namespace:
                continue
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")[:-1]
            with open(f"/proc/{entry}/stat", "rb") as file:
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:
            continue  # it has ended
        if words and state not in (b"Z", b"X"):
            found.append((int(entry), [word.decode(errors="replace") for word in words]))
    return found


def pack_loop_config(backing, block_size=512, flags=16):
    """struct loop_config of linux/loop.h; flags: direct I/O."""
    info = struct.pack("QQQQQIIII64s64s32sQQ", 0, 0, 0, 0, 0, 0, 0, 0, flags,
                       b"", b"", b"", 0, 0)
    return struct.pack("II", backing, block_size) + info + bytes(64)
