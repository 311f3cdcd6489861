"""What a guest stands for on a slow link: the blocks of its disk do not wait behind
its memory."""

import os
import statistics

from harness.oracle import check_at_rest
from harness.registry import add, test
from harness.world import World

# Of test/bench: RUNS medians into DOWNTIME_PAGE.
RUNS = 3
PAGES = 7500
LIBXL = 1024  # pages in a record: libxc's MAX_BATCH_SIZE
STEPS = ("marks_taken", "blocks_sent", "blocks_proven", "disks_durable",
         "memory_sent", "looked", "guest_built", "saved", "go_sent", "running")
HEAD = """## The downtime on a slow link (8 Mbit/s, a guest that writes 200 kB/s)

The whole product over a false Xen (test/whole), two hosts on this machine, `--bwlimit
8Mbit` (test/bench/run downtime). The guest writes 50 blocks a second, each another one of
a disk of 64 MiB; its stream has {mib} MiB of memory. What follows `go_sent` is the false
xl's. Seconds from the suspension on, medians of {runs} runs; rounds are those beside the
memory. A record of the stream is sent whole, and the last one before the suspension is
sent behind it: libxl's own has 4 MiB.

| pages that do not compress | in a record | rounds | MB of disk in them | """


def move(guest_shape, rate, *memory):
    """The report of a guest that writes 200 kB/s."""
    with World() as world:
        guest = world.start_guest(world.here, **guest_shape)
        guest.has_memory(*memory)
        guest.write_every(20)
        one = world.teleport(guest, world.here, "--bwlimit", rate, "--connections", "1")
        one.wait(limit=300)
        report = one.expect(0)
        check_at_rest(world, guest)
        return report


@test("rounds go on beside a memory that fills the link")
def rounds_beside_memory():
    report = move({}, "16Mbit", 3000, 100, LIBXL)
    # One began, and waited for the end of the memory.
    assert report["round_count"] >= 4, report


def time_of(report, step):
    return next(one["seconds"] for one in report["downtime_steps"]
                if one["step"] == step)


def line_of(name, reports):
    def median(of):
        return statistics.median(of(one) for one in reports)

    cells = [name, f"{median(lambda one: one['round_count']):.0f}",
             f"{median(lambda one: one['rounds']['link']) / 1e6:.1f}"]
    for step in STEPS:
        cells.append(f"{median(lambda one, s=step: time_of(one, s)):.2f}")
    return "| " + " | ".join(cells) + " |\n"


def measure():
    text = HEAD.format(mib=round(PAGES * 1.5 / 256), runs=RUNS)
    text += " | ".join(STEPS) + " |\n|" + "---|" * (4 + len(STEPS)) + "\n"
    for incompressible, batch in ((100, 16), (100, LIBXL), (40, LIBXL)):
        reports = [move({"mib": 64}, "8Mbit", PAGES, incompressible, batch)
                   for _ in range(RUNS)]
        line = line_of(f"{incompressible} % | {batch}", reports)
        print(line)
        text += line
    if "DOWNTIME_PAGE" in os.environ:
        with open(os.environ["DOWNTIME_PAGE"], "w", encoding="utf-8") as file:
            file.write(text)


add("downtime: on a slow link", measure, limit=1800)
