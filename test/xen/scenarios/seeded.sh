# shellcheck shell=bash
# Two disks of a running guest are seeded over a slow link while it writes, and a third that it only reads. The teleport
# that follows, of a guest that writes as fast as it can, adopts the seeds, sends what was written since, aims at a
# long downtime and keeps to its limit; all over three TCP connections. A link that breaks, and a guest that outruns it, are tried
# without Xen (make check).

guest=seeded1

pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop --disks 3 --churn 6

link_set 40mbit 20ms
host1 "teleportctl seed --json --connections 3 $guest host2" > "$LAB/seed" 2> "$LAB/seed.errors" ||
    fail "the seed: $(cat "$LAB/seed.errors")"
seed_report() { tail -n 1 "$LAB/seed" | jq -r "$1"; }
say "measured: seeded in $(seed_report '"\(.seconds) s, sent \(.link.sent), of \(.disk_bytes) bytes over the link \(.bulk.link), followed \(.followed)"')"
assert_equal 'connections of the seed' 3 "$(seed_report .link.connections)"
assert_equal "where $guest runs" 1 "$(guest_hosts $guest)"
link_free

guest_mode host1 $guest heavy
teleport host1 host2 $guest --connections 3 --downtime 20 --max-downtime 60
say "measured: $(report '"\(.total_seconds) s, sent \(.link.sent), gaps \(.bulk.link), in place \(.bulk.in_place), \(.round_count) rounds carried \(.rounds.link)"')"
assert_equal 'connections of the teleport' 3 "$(report .link.connections)"
assert_equal 'the disks' 'xvda shadow xvdb shadow xvdc shadow' "$(report '.disks | map("\(.vdev) \(.kind)") | join(" ")')"
at_most 'gaps after a seed' $(($(report .disk_bytes) / 10)) "$(report .bulk.link)"
at_most 'seconds of downtime, by its limit' 60 "$(report '.downtime_seconds | ceil')"
disks_equal host1 host2 $guest
assert_equal "who may write" "xvda 1 xvdb 1 xvdc 0" \
    "$(host2 "xl list -l $guest" | jq -r '.[0].config.disks | map("\(.vdev) \(.readwrite // 0)") | join(" ")')"
assert_equal "what is kept" "xvda xvdb xvdc" "$(shadows host1 $guest | cut -d' ' -f1 | xargs)"
guest_mode host2 $guest idle
witness_verdict host2 $guest
