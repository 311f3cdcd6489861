"""A guest, as the witness knows it."""

import os

from harness.events import FolderWatch, Wrong


class Guest:
    """What the witness knows of a guest."""

    def __init__(self, world, name, uuid):
        self.world, self.name, self.uuid = world, name, uuid
        self.folder = os.path.join(world.folder, "shared", "witness")

    def lines(self):
        """(what, host, domid, number) of each line of the witness."""
        try:
            with open(os.path.join(self.folder, self.uuid), encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        words = [line.split() for line in text.split("\n")[:-1]]
        return [(w[0], w[1], int(w[2]), int(w[3])) for w in words]

    def write_every(self, milliseconds):
        """From now on, wherever it runs."""
        path = os.path.join(self.folder, self.uuid + ".pace")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{milliseconds}\n")
        os.rename(path + ".new", path)

    def has_memory(self, pages, incompressible, batch):
        """What libxl's helper finds: pages of 4 KiB, of which so many percent do not
        compress, and so many make a record. Half of them comes a second time."""
        path = os.path.join(self.folder, self.uuid + ".memory")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{pages} {incompressible} {batch}\n")

    def wait_for_records(self, host, count=5):
        """Until the guest has written so many more records on a host."""
        before = len(self.lines())

        def enough():
            new = [one for one in self.lines()[before:]
                   if one[0] == "record" and one[1] == host.name]
            return len(new) >= count
        with FolderWatch(self.folder) as changes:
            changes.until(enough, f"{self.name} writes on {host.name}")

    def places(self, *states):
        """(host, domain) for each domain of this guest in one of these states."""
        return [(host, domain) for host in self.world.hosts
                for domain in host.domains()
                if domain["uuid"] == self.uuid and domain["state"] in states]

    def running_on(self):
        return [host for host, _ in self.places("running")]

    def check_history(self):
        """One guest wrote one history, and nothing acknowledged was lost."""
        path = os.path.join(self.folder, self.uuid + ".violations")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read().strip()
            raise Wrong(text.split(":")[0], text)
        last = None
        for number, (what, host, domid, record) in enumerate(self.lines(), 1):
            where = f"line {number}: {what} {record} on {host} (domain {domid})"
            if what == "record" and record != (last or 0) + 1:
                kind = "runs twice" if record <= (last or 0) else "lost write"
                raise Wrong(kind, f"{where} follows {last}")
            if what == "arrived" and record != (last or 0):
                raise Wrong("lost write", f"{where} follows {last}")
            if what == "booted" and record < (last or 0):
                raise Wrong("lost write", f"{where} follows {last}")
            last = record

    def check_runs_on(self, host):
        """It runs there, only there, and works."""
        running = self.running_on()
        if len(running) > 1:
            raise Wrong("runs twice", f"{self.name} runs on both hosts")
        if running != [host]:
            where = [one.name for one in running] or "nowhere: " + str(
                [(h.name, d["name"], d["state"]) for h, d in
                 self.places("paused", "suspended", "dying")])
            raise Wrong("elsewhere" if running else "nowhere",
                        f"{self.name} runs on {where}, not {host.name}")
        self.wait_for_records(host)
        self.check_history()
