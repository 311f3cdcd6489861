"""What became of a guest in each fault, and test/RESULTS-faults.md of it."""

import json

MARK = "outcome: "
HEAD = """# Faults during the hand-over

Made by `make faults-page`, over a false Xen (test/whole): each line is a place
in time at which a process was held, each column what was done there: a process
killed, a host without power, the step itself failing as on a full disk, the link
cut. The last table has phases of the transfer in the place of such steps. A
cell has the exit code of `xl teleport` ("killed" where it was the victim) and
the host on which the guest ran in the end, once, with every write that it had
seen acknowledged; "asked" where that needed `xl teleport --recover`, by a person
or by a boot. After each the guest was teleported once more. Empty: what would be
killed is not there at that time.
"""
BEFORE, AFTER, PHASES = "before GO", "after GO", "by phase"


def tell(when, step, fault, code, host, asked):
    """One cell. code: the exit code, or what the signal left of it; host: "source"
    or "destination"; asked: whether somebody had to ask."""
    print(MARK + json.dumps({"when": when, "step": step, "fault": fault,
                             "code": code, "host": host, "asked": asked}))


def told(output):
    """The cells in a test's output."""
    return [json.loads(line[len(MARK):]) for line in output.splitlines()
            if line.startswith(MARK)]


def text_of(cell):
    """A cell for people."""
    code = str(cell["code"]) if 0 <= cell["code"] <= 5 else "killed"
    return f"{code}, {cell['host']}" + (", asked" if cell["asked"] else "")


def table(cells, steps):
    """One table: lines are steps in their order, columns faults."""
    faults = sorted({cell["fault"] for cell in cells})
    at = {(cell["step"], cell["fault"]): text_of(cell) for cell in cells}
    lines = ["| step | " + " | ".join(faults) + " |",
             "|---" * (len(faults) + 1) + "|"]
    lines += [f"| {step} | " + " | ".join(at.get((step, fault), "")
                                          for fault in faults) + " |"
              for step in steps if any(cell["step"] == step for cell in cells)]
    return "\n".join(lines) + "\n"


def page(cells, steps):
    """The whole page. steps: {BEFORE: [step...], AFTER: [...], PHASES: [...]}."""
    parts = [HEAD]
    for when in (BEFORE, AFTER, PHASES):
        here = [cell for cell in cells if cell["when"] == when]
        parts.append(f"\n## {when[0].upper()}{when[1:]}: {len(here)} faults\n\n"
                     + table(here, steps[when]))
    return "".join(parts)
