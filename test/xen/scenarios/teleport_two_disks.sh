# shellcheck shell=bash
# A guest with three disks, all of them moved and all of them right: two that it writes to, one read-only.

guest=disks1
pair_hosts
set_store directory
guest_create host1 $guest loop --disks 3
teleport host1 host2 $guest
assert_equal "the disks" "xvda xvdb xvdc" "$(report '.disks | map(.vdev) | join(" ")')"
disks_equal host1 host2 $guest
assert_equal "who may write" "xvda 1 xvdb 1 xvdc 0" \
    "$(host2 "xl list -l $guest" | jq -r '.[0].config.disks | map("\(.vdev) \(.readwrite // 0)") | join(" ")')"
guest_alive host2 $guest
teleport host2 host1 $guest
assert_equal "the targets on the way back" "shadow shadow shadow" "$(report '.disks | map(.kind) | join(" ")')"
disks_equal host2 host1 $guest
witness_verdict host1 $guest
