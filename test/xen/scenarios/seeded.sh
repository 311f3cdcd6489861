# shellcheck shell=bash
# The disk of a running guest is seeded over a slow link, which breaks on the way; the guest writes on meanwhile. The
# teleport that follows adopts the seed, sends what was written since, and keeps to the limit it was given. Both go over
# three TCP connections.

guest=seeded1
seed() {
    host1 "rm -f /tmp/seed.rc; (teleportctl seed --json --connections 3 $guest host2 > /tmp/seed.json 2> /tmp/seed.err; echo \$? > /tmp/seed.rc) > /dev/null 2>&1 &"
}
seeded() { host1 'test -e /tmp/seed.rc'; }
has_sent() { [ $(($(link_bytes 1 | cut -d' ' -f1) - before)) -gt "$1" ]; }
# what it had sent while the link was there; one line for each
tries_again() { host1 "pgrep -x teleportctl > /dev/null && ! ss -Htn state established '( dport = :8744 )' | grep -q ."; }
seed_report() { host1 'cat /tmp/seed.json' | jq -r "$1"; }

pair_hosts
set_store directory
index_empty host2
guest_create host1 $guest loop

# ---- seeded, while it writes ----
link_set 40mbit 20ms
before=$(link_bytes 1 | cut -d' ' -f1)
seed
wait_for '10 MB of the seed' 120 has_sent 10000000
link_cut
wait_for 'the seed to lose its link' 60 tries_again
guest_alive host1 $guest
link_restore
wait_for 'the seed to end' 300 seeded
assert_equal "the exit code ($(host1 cat /tmp/seed.err))" 0 "$(host1 cat /tmp/seed.rc)"
say "measured: seeded in $(seed_report '"\(.seconds) s at last, sent \(.link.sent), of \(.disk_bytes) bytes in place \(.bulk.in_place), over the link \(.bulk.link), followed \(.followed)"')"
assert_equal 'losses of the link' 1 "$(seed_report .link.losses)"
assert_equal 'connections of the seed' 3 "$(seed_report .link.connections)"
assert_equal 'what the first attempt left' partial "$(seed_report '.disks[0].kind')"
at_least 'bytes that were there' 5000000 "$(seed_report .bulk.in_place)"
assert_equal "where $guest runs" 1 "$(guest_hosts $guest)"

# ---- and moved: its memory, and what it has written since ----
# The limit is such that it, and not the emulation, says how long this takes: a guest that does little has some 30 MB to
# send.
guest_mode host1 $guest idle
link_set 100mbit 20ms
teleport host1 host2 $guest --bwlimit 2Mbit --connections 3
say "measured: $(report '"\(.total_seconds) s, sent \(.link.sent), gaps \(.bulk.link), in place \(.bulk.in_place), written meanwhile \(.rounds.link)"')"
assert_equal 'connections of the teleport' 3 "$(report .link.connections)"
assert_equal 'the target' shadow "$(report '.disks[0].kind')"
at_most 'gaps after a seed' $(($(report .disk_bytes) / 10)) "$(report .bulk.link)"
disks_equal host1 host2 $guest
# 2 Mbit/s are 250 kB/s; a tenth for what the limit lets through at once.
at_least 'tenths of seconds, by the limit' $(($(report .link.sent) * 9 / 250000)) "$(report '.total_seconds * 10 | floor')"
# Without a limit it takes some 80 s in here: less than that would show nothing.
at_least 'bytes under the limit' 22500000 "$(report .link.sent)"
link_free
witness_verdict host2 $guest
