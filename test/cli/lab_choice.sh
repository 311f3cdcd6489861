#!/bin/bash
# What of the lab runs where there is no time for all of it: teleport_loop each
# time, and each of the others within four commits, though a run on a machine half
# as fast has time for five of them only.
. "$(dirname "$0")/functions.sh"
lab=$TELEPORT_SOURCE/test/xen
all() { (cd "$lab/scenarios" && ls -- *.sh) | sed 's/\.sh$//' | sort; }

# The table of times has each scenario, and no other.
diff <(all) <(sed '/^#/d' "$lab/times" | cut -d' ' -f1 | sort) || fail 'test/xen/times has other scenarios'

LAB_MINUTES='' LEAVE_OUT='' "$lab/run" --list | sort | diff <(all) - || fail 'not all run'
for ((commit = 100; commit < 120; ++commit)); do
  : >begun
  for ((next = commit; next < commit + 4; ++next)); do
    LAB_MINUTES=30 LAB_ROTATION=$next LEAVE_OUT='' "$lab/run" --list >chosen
    sort chosen | diff <(all) - || fail "of commit $next not all may run"
    [[ $(head -n 1 chosen) = teleport_loop ]] || fail "commit $next begins otherwise"
    head -n 6 chosen >>begun
  done
  sort -u begun | diff <(all) - || fail "commits $commit to $((commit + 3)) leave some out"
done

# The same commit chooses the same, with no word said.
LAB_MINUTES=30 LAB_ROTATION='' "$lab/run" --list >once
LAB_MINUTES=30 LAB_ROTATION='' "$lab/run" --list | diff once - || fail 'another choice in the same tree'
