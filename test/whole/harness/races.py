"""What ThreadSanitizer says, where the programs were built with it: test/run-races
names its suppressions in RACE_SUPPRESSIONS."""

import os
import shutil

from harness.events import Wrong

SUPPRESSIONS = os.environ.get("RACE_SUPPRESSIONS")
FOLDER = "/var/races"
# A report changes no exit code: the test goes on, and shows all that there are.
OPTIONS = {} if not SUPPRESSIONS else {
    "TSAN_OPTIONS": f"log_path={FOLDER}/report suppressions={FOLDER}/suppressions "
                    "exitcode=0 second_deadlock_stack=1"}


def prepare(host):
    """Once a host has its disk: where its programs leave what is said of them."""
    if SUPPRESSIONS:
        os.makedirs(host.path(FOLDER))
        os.chmod(host.path(FOLDER), 0o777)  # not all of them are root's
        shutil.copy(SUPPRESSIONS, host.path(FOLDER) + "/suppressions")


def collect(hosts):
    """Prints what was reported, and keeps it beside the tests' logs: how many
    reports there were."""
    count = 0
    for host in hosts if SUPPRESSIONS else ():
        folder = host.path(FOLDER)
        for name in sorted(os.listdir(folder)):
            if name == "suppressions":
                continue
            with open(os.path.join(folder, name), encoding="utf-8",
                      errors="replace") as file:
                text = file.read()
            print(text)
            count += text.count("WARNING: ThreadSanitizer")
    return count


def check(count):
    if count:
        raise Wrong("race", f"ThreadSanitizer has {count} reports")
