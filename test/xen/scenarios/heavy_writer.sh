# shellcheck shell=bash
# A guest that writes faster than the link carries. With a short --max-downtime the teleport ends with exit code 1
# and says why, and the guest goes on where it was; with a longer one it moves, stands still for no longer than
# that, and no write is lost.

guest=heavy1
pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop --heavy
link_set 20mbit 5ms
teleport_fails 1 'writes faster than the link carries' host1 host2 $guest --downtime 0.2 --max-downtime 0.5
guest_alive host1 $guest
teleport host1 host2 $guest --max-downtime 60
link_free
assert_equal "what the first try left is adopted" partial "$(report '.disks[0].kind')"
say "measured: $(report '"\(.round_count) rounds carried \(.rounds.link) bytes, downtime \(.downtime_seconds) s"')"
at_most 'seconds of downtime, by its limit' 60 "$(report '.downtime_seconds | ceil')"
disks_equal host1 host2 $guest
guest_mode host2 $guest idle
witness_verdict host2 $guest
