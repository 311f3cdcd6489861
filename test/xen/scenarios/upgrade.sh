# shellcheck shell=bash
# hosts trixie bookworm
# What a host is upgraded with: its guests, a PVH and an HVM one, are evacuated to a host of the next release of Debian
# (Xen 4.17 to 4.20), two at a time while they write; the host is installed anew with that release, and they are brought
# home. Proves: Xen's newer release resumes what the older one suspended; the way back is refused while the host is of the
# older one, and nothing is lost by that; disks are equal at each cut-over, what changed alone comes home, and each guest
# has every write that it saw acknowledged. Evacuations that fail, are ended, die or run out of their window are tried
# without Xen (make check).

guests='up1 up2'

pair_hosts
set_store directory
gate_digests on
index_donors host1 /srv/lab/donors
host2 rm -rf /var/lib/xl-teleport/evacuation
# Idle ones append ten acknowledged records a second too, and leave the processor, of which both hosts are short.
guest_create host2 up1 loop --memory 96 --churn 4 --idle
guest_create host2 up2 loop --memory 128 --churn 4 --idle --type hvm
trap 'dom0_weight 256' EXIT
dom0_weight 4096

# ---- to the newer release ----
link_set 100mbit 20ms
evacuate host2 0 --to host1 --parallel 2
for name in $guests; do has_moved host2 host1 "$name"; done
# both were begun before the first had moved
assert_equal "the order" 'start start moved moved' \
    "$(events 'select(.event == "start" or .event == "moved" or .event == "failed").event' | xargs)"

# ---- back to the older one: not before it is the newer one ----
teleport_fails 3 'runs Xen 4.17, the source 4.20' host1 host2 up1

# ---- installed anew, and home ----
dom0_weight 256
host_upgrade host2 trixie
dom0_weight 4096
evacuate host2 0 --back --home host2 --parallel 2
for name in $guests; do
    has_moved host1 host2 "$name"
    assert_equal "the target of $name" shadow \
        "$(events "select(.event == \"moved\" and .guest == \"$name\").report.disks[0].kind")"
done
assert_equal "who is still away" '' "$(host2 ls /var/lib/xl-teleport/evacuation/away)"
link_free

dom0_weight 256
for name in $guests; do witness_verdict host2 "$name"; done
