# shellcheck shell=bash
# Guests on logical volumes, with volume groups as stores. Linear, the volume in two pieces: there into a new
# volume, and back into its own, which was set aside. Thin: the target is a thin volume and stays thin.

linear=lv1 thin=lv2

# allocated HOST VOLUME: how much of a thin volume is backed by the pool, in whole percent
allocated() { on "$1" "lvs --noheadings -o data_percent $2" | awk '{ print int($1 + 0.5) }'; }

pair_hosts
index_donors host2 /srv/lab/donors

set_store lvm
guest_create host1 $linear lv --idle
assert_equal "pieces of the volume" 2 "$(host1 "lvs --noheadings -o seg_count vg0/$linear-xvda" | tr -d ' ')"
teleport host1 host2 $linear
assert_equal "the target" new "$(report '.disks[0].kind')"
disks_equal host1 host2 $linear
assert_equal "kind of the new volume" linear "$(host2 "lvs --noheadings -o segtype vg0/$linear-xvda" | tr -d ' ')"
guest_mode host2 $linear normal
guest_alive host2 $linear
teleport host2 host1 $linear
assert_equal "the target on the way back" shadow "$(report '.disks[0].kind')"
at_most "gaps on the way back" $(($(report .disk_bytes) / 10)) "$(report .bulk.link)"
disks_equal host2 host1 $linear
assert_equal "its volume has its name again" "/dev/vg0/$linear-xvda" "$(guest_disks host1 $linear | cut -d' ' -f2)"
witness_verdict host1 $linear
guest_destroy $linear

set_store lvm-thin
guest_create host1 $thin thin --idle
before=$(allocated host1 vg0/$thin-xvda)
teleport host1 host2 $thin
disks_equal host1 host2 $thin
after=$(allocated host2 vg0/$thin-xvda)
say "measured: thin volume, $before % allocated at the source, $after % at the destination"
at_most "share of the thin target that is allocated, in %" $((before + 10)) "$after"
witness_verdict host2 $thin
