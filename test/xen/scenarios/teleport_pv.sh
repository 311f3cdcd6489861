# shellcheck shell=bash
# A PV guest on a thin volume that it boots from by pygrub, with a thin pool as store. Debian's Xen cannot tell what such
# a guest writes to its memory, so it moves while it stands still, when that is asked for. Proves: without that it is
# refused before anything moves, with a sentence that says how; with it the target is a thin volume and stays thin, whole
# disks are equal at the cut-over, the stream of a PV guest is rebuilt byte for byte, and the guest goes on, there and back.

guest=pv1

# allocated HOST VOLUME: how much of a thin volume is backed by the pool, in whole percent
allocated() { on "$1" "lvs --noheadings -o data_percent $2" | awk '{ print int($1 + 0.5) }'; }

pair_hosts
set_store lvm-thin streams
index_donors host2 /srv/lab/donors
guest_create host1 $guest thin --idle --type pv --boot disk --memory 128
teleport_fails 3 'use --non-live' host1 host2 $guest

before=$(allocated host1 vg0/$guest-xvda)
teleport host1 host2 $guest --non-live
disks_equal host1 host2 $guest
streams_equal host1 host2
guest_alive host2 $guest
after=$(allocated host2 vg0/$guest-xvda)
say "measured: thin volume, $before % allocated at the source, $after % at the destination"
at_most "share of the thin target that is allocated, in %" $((before + 10)) "$after"

teleport host2 host1 $guest --non-live
assert_equal 'the target on the way back' shadow "$(report '.disks[0].kind')"
disks_equal host2 host1 $guest
streams_equal host2 host1
witness_verdict host1 $guest
