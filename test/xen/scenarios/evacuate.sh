# shellcheck shell=bash
# A host is evacuated while its guests write, two at a time, and they are brought home. Proves: each disk is equal at
# each cut-over, what changed alone comes home, and at the end each guest has every write that it saw acknowledged.
# Evacuations that fail, are ended, die or run out of their window are tried without Xen (make check).

guests='evac1 evac2'

pair_hosts
set_store directory
gate_digests on
index_donors host2 /srv/lab/donors
host1 rm -rf /var/lib/xl-teleport/evacuation
# Idle ones append ten acknowledged records a second too, and leave the processor, of which both hosts are short.
for name in $guests; do guest_create host1 "$name" loop --memory 96 --churn 4 --idle; done
# From here on two teleports would share the hosts' one processor in equal parts with the guests.
trap 'dom0_weight 256' EXIT
dom0_weight 4096

# ---- there, two at a time ----
link_set 100mbit 20ms
evacuate host1 0 --to host2 --parallel 2
for name in $guests; do has_moved host1 host2 "$name"; done
# both were begun before the first had moved
assert_equal "the order" 'start start moved moved' \
    "$(events 'select(.event == "start" or .event == "moved" or .event == "failed").event' | xargs)"

# ---- and home, what changed alone ----
evacuate host1 0 --back --home host1 --parallel 2
for name in $guests; do
    has_moved host2 host1 "$name"
    assert_equal "the target of $name" shadow \
        "$(events "select(.event == \"moved\" and .guest == \"$name\").report.disks[0].kind")"
done
assert_equal "who is still away" '' "$(host1 ls /var/lib/xl-teleport/evacuation/away)"
link_free

# Whoever shuts down needs the processor more than dom0 does.
dom0_weight 256
for name in $guests; do witness_verdict host1 "$name"; done
