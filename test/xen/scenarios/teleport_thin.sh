# shellcheck shell=bash
# A guest on a thin volume, with a thin pool as store: the target is a thin volume and stays thin.

guest=thin1

# allocated HOST VOLUME: how much of a thin volume is backed by the pool, in whole percent
allocated() { on "$1" "lvs --noheadings -o data_percent $2" | awk '{ print int($1 + 0.5) }'; }

pair_hosts
set_store lvm-thin
index_donors host2 /srv/lab/donors
guest_create host1 $guest thin --idle
before=$(allocated host1 vg0/$guest-xvda)
teleport host1 host2 $guest
disks_equal host1 host2 $guest
after=$(allocated host2 vg0/$guest-xvda)
say "measured: thin volume, $before % allocated at the source, $after % at the destination"
at_most "share of the thin target that is allocated, in %" $((before + 10)) "$after"
witness_verdict host2 $guest
