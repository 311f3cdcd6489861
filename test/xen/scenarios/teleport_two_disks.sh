# shellcheck shell=bash
# A guest with three disks, all of them moved and all of them right: two that it writes to, one read-only.

guest=disks1
pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop --disks 3
teleport host1 host2 $guest
assert_equal "the disks" "xvda xvdb xvdc" "$(report '.disks | map(.vdev) | join(" ")')"
disks_equal host1 host2 $guest
assert_equal "who may write" "xvda 1 xvdb 1 xvdc 0" \
    "$(host2 "xl list -l $guest" | jq -r '.[0].config.disks | map("\(.vdev) \(.readwrite // 0)") | join(" ")')"
assert_equal "what is kept" "xvda xvdb xvdc" "$(shadows host1 $guest | cut -d' ' -f1 | xargs)"
witness_verdict host2 $guest
