"""Programs of the product's that run beside the test, and what they say."""

import json
import os
import subprocess

from harness.events import LIMIT, FolderWatch, TooLate, Wrong


class Program:
    """One run of a program on a host. What it says lies in two files of the
    world's folder, so that nothing of it is lost and no pipe fills."""

    def __init__(self, world, host, *argv, environment=None):
        self.world, self.host = world, host
        self.name = argv[0]
        self.out = os.path.join(world.folder,
                                f"{self.name}.{len(os.listdir(world.folder))}")
        with open(self.out, "wb") as out, open(self.out + ".err", "wb") as error:
            self.program = host.spawn(*argv, output=out, error=error,
                                      environment=environment)
        world.end_with(self.program)

    def wait(self, limit=LIMIT):
        """The exit code; negative, of what killed it."""
        try:
            return self.program.wait(limit)
        except subprocess.TimeoutExpired as late:
            raise TooLate(f"{self.name} does not end") from late

    def wait_until(self, condition, what, limit=LIMIT):
        """Until condition() holds; it is looked at when the program says
        something. Fails with all that it said once it has ended."""
        try:
            with FolderWatch(self.world.folder) as changes:
                changes.until(condition, f"{self.name}: {what}", limit, self.program)
        except TooLate as late:
            raise TooLate(f"{late}; it said: {self.said}") from late

    def wait_for_words(self, words, limit=LIMIT):
        """Until it has said this on its standard error."""
        self.wait_until(lambda: words in self.said, f"says '{words}'", limit)

    def expect(self, *codes):
        """Its report, when it ends with one of these exit codes."""
        code = self.wait()
        if code not in codes:
            raise Wrong("exit code", f"{code}, not {codes}: {self.said}")
        return self.report

    @property
    def report(self):
        lines = self.lines
        return lines[-1] if lines else {}

    @property
    def lines(self):
        """The JSON objects that it has printed, one a line."""
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]

    @property
    def said(self):
        with open(self.out + ".err", encoding="utf-8", errors="replace") as file:
            return file.read().strip()


class Teleport(Program):
    """One run of `xl teleport`."""

    def __init__(self, world, source, *words):
        super().__init__(world, source, "xl-teleport", "--json", *words)

    def interrupt(self, signal_number):
        self.host.kill("teleport", signal_number)

    def wait_for_phase(self, phase, least=1):
        """Until it has done so many bytes of a phase."""
        def is_there():
            return any(one.get("progress", {}).get("phase") == phase
                       and one["progress"]["done"] >= least for one in self.lines)
        self.wait_until(is_there, f"is in the phase '{phase}'")


class Evacuation(Program):
    """One run of `teleport-evacuate`."""

    def __init__(self, world, host, options, zone):
        super().__init__(world, host, "teleport-evacuate", "--json",
                         "--retry-pause", "0", *options,
                         environment={"TZ": zone} if zone else None)

    def events(self, *kinds, guest=None):
        """Those of these kinds, in their order; all but "progress" when none is
        named."""
        return [one for one in self.lines
                if (one["event"] in kinds if kinds else one["event"] != "progress")
                and guest in (None, one.get("guest"))]

    def wait_for_event(self, kind, guest=None):
        self.wait_until(lambda: self.events(kind, guest=guest), f"'{kind}' of {guest}")

    def wait_for_bulk(self, guest, least=65536):
        """Until so many bytes have been sent for the guest, whose disk is on its
        way."""
        def is_sent():
            return any(one["progress"]["phase"] == "bulk"
                       and one["progress"]["sent"] >= least
                       for one in self.events("progress", guest=guest))
        self.wait_until(is_sent, f"the bulk of {guest}")

    @property
    def fates(self):
        over, = self.events("over")
        return {one["guest"]: one["fate"] for one in over["guests"]}
