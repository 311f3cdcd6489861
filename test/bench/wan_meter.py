#!/usr/bin/env python3
"""wan_meter.py OUT COMMAND...: what a command and all that it starts cost.

Runs COMMAND, waits until it and every process below it have ended, and writes
{"cpu_seconds": user and system of all, "rss_kib": the peak of the largest, "code"}
to OUT. SIGTERM ends COMMAND's process group; whatever else it left is waited for.
(10 MiB of this program's own are the least that can be seen as peak.)
"""
import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit("wan_meter: no subreaper")
# A group of its own, so that a pipeline ends as a whole.
group = child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, setpgroup=0)


def end(*_):
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        pass


signal.signal(signal.SIGTERM, end)
code = 0
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        break
    if pid == child:
        code = os.waitstatus_to_exitcode(status)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w", encoding="ascii") as out:
    json.dump({"cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
               "rss_kib": used.ru_maxrss, "code": code}, out)
sys.exit(code if 0 <= code < 256 else 1)
