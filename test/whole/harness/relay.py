"""A session that is listened to: test/decoder's relay on the source, with the
keys of both hosts, and its decoder, which knows PROTOCOL.md alone."""

import glob
import os
import shutil
import signal
import subprocess
import sys

from harness.events import LIMIT, Wrong
from harness.host import HERE

DECODER = os.path.join(HERE, "../decoder")
PORT = 9100


class Relay:
    """Carries sessions from `source` to the other host; `address` is the name
    that the source calls. options: those of relay.py."""

    address = f"127.0.0.1:{PORT}"

    def __init__(self, world, source, *options):
        destination = world.other(source)
        inside = "/var/tmp/relay"
        self.folder = source.path(inside)
        shutil.copytree(DECODER, self.folder)
        for name, host in (("here", source), ("there", destination)):
            keys = os.path.join(self.folder, name)
            os.makedirs(keys)
            for file in ("host.crt", "host.key"):
                shutil.copy(host.path("/etc/xen/teleport/" + file), keys)
        # Paired under the relay's name, too.
        peers = source.path("/etc/xen/teleport/peers/")
        pinned, = os.listdir(peers)
        shutil.copy(peers + pinned, peers + "127.0.0.1.crt")
        self.program = source.spawn(
            "python3", f"{inside}/relay.py", *options, str(PORT),
            f"{destination.address}:8744", f"{inside}/here", f"{inside}/there",
            f"{inside}/session.trace", output=subprocess.PIPE)
        world.end_with(self.program)
        line = self.program.stdout.readline()
        if line != b"listening\n":
            raise RuntimeError(f"the relay says {line}{self.program.stdout.read()}")

    def wait(self):
        """Until all of its sessions are over: the paths of their traces."""
        said = self.program.communicate(timeout=LIMIT)[0].decode()
        if self.program.returncode != 0:
            raise RuntimeError(f"the relay: {said}")
        return self._traces()

    def end(self):
        """Whatever sessions it would still carry: the paths of the traces."""
        # spawn() has nsenter for a child, which has the relay for one.
        os.killpg(self.program.pid, signal.SIGKILL)
        self.program.communicate()
        return self._traces()

    def _traces(self):
        return sorted(glob.glob(os.path.join(self.folder, "session.trace*")))


def judge(program, *words):
    """What decode.py or damage.py says of a trace."""
    done = subprocess.run(
        [sys.executable, os.path.join(DECODER, program), *words], check=False,
        capture_output=True, text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    print(done.stdout, done.stderr)
    if done.returncode != 0:
        raise Wrong("protocol", f"{program}: {done.stdout}{done.stderr}")
    return done.stdout
