# shellcheck shell=bash
# The index is a hint: one guest moves three times to a host where nothing is kept for it, and whatever the index
# there says, its disk arrives whole.
#   absent: the index is empty; everything that is not zero crosses the link
#   stale: after they were indexed, one donor was overwritten in part and the other deleted
#   lying: donors whose blocks have changed places under the index, with the old size and times, so that each
#          look-up leads to a place that holds other contents

guest=donors1
copies=/srv/lab/donors/copies

# forget HOST: what is kept there for the guest goes, so that its next target there is new
forget() {
    local path
    while read -r _ path; do on "$1" "teleportctl shadow forget $guest && rm '$path'" < /dev/null >&2; done < <(shadows "$1" $guest)
}

# copy_donors HOST: indexed, and free to be spoilt
copy_donors() {
    on "$1" "mkdir -p $copies && cp --sparse=always /srv/lab/donors/*.img $copies/"
    index_donors "$1" $copies
}

# judge FROM TO: moves it and looks at what is the same for all three
judge() {
    teleport "$1" "$2" $guest
    assert_equal "the target" new "$(report '.disks[0].kind')"
    disks_equal "$1" "$2" $guest
    forget "$1"
    say "measured: $3: from donors $(report .bulk.donors), gaps $(report .bulk.link), mismatched extents $(report '.bulk.mismatched_extents + .rounds.mismatched_extents')"
}

pair_hosts
set_store directory 'index=keep_fresh = false'
guest_create host1 $guest loop --idle

index_empty host2
judge host1 host2 absent
assert_equal "bytes from donors" 0 "$(report .bulk.donors)"
data=$(report .bulk.link)

copy_donors host1
host1 "rm $copies/plain.img
    for mib in \$(seq 16 32 320); do dd if=/dev/urandom of=$copies/rich.img bs=1M seek=\$mib count=16 conv=notrunc status=none; done"
judge host2 host1 stale
at_least "bytes from what is left of the donors" 1 "$(report .bulk.donors)"
at_least "gaps" $((data / 3)) "$(report .bulk.link)"
host1 "rm -r $copies"
index_empty host1

copy_donors host2
on_input host2 "python3 - $copies/*.img" << 'END'
import os, sys
for path in sys.argv[1:]:
    before = os.stat(path)
    file = os.open(path, os.O_RDWR)
    for at in range(0, before.st_size - 8191, 8192):
        pair = os.pread(file, 8192, at)
        if pair.count(0) != 8192:
            os.pwrite(file, pair[4096:] + pair[:4096], at)
    os.fsync(file)
    os.close(file)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
END
assert_equal "what the index thinks of its donors" fresh "$(host2 "teleportctl index list --json" | jq -r 'map(.state) | unique | join(" ")')"
at_least "blocks that the index promises" $((data / 2 / 4096)) "$(host2 "teleportctl index stat --json" | jq .kept_blocks)"
judge host1 host2 lying
at_least "gaps" $((data / 2)) "$(report .bulk.link)"
# What donors gave are blocks that their neighbour is equal to: next to nothing.
at_most "bytes from donors that lie" $((data / 20)) "$(report .bulk.donors)"
host2 "rm -r $copies"
index_empty host2

witness_verdict host2 $guest
