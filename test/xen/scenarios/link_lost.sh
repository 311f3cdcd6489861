# shellcheck shell=bash
# ready pvh
# A link that is lost in the bulk comes back, and a destination's session that dies in the bulk or in the memory is
# begun anew: the command goes on by itself, what was at the destination is not sent again, no write is lost, and the
# whole disk is equal.

guest=away1
mkdir -p "$LAB/teleport"
try() {
    host1 "rm -f /tmp/try.json /tmp/try.rc; (xl-teleport --json $guest host2 > /tmp/try.json 2> /tmp/try.err; echo \$? > /tmp/try.rc) > /dev/null 2>&1 &"
}
progress_of() { host1 "tail -1 /tmp/try.json 2> /dev/null" | jq -r ".progress.$1 // 0" 2> /dev/null; }
in_phase() { [ "$(progress_of phase)" = "$1" ]; }
in_bulk_past() { [ "$(progress_of phase)" = bulk ] && [ "$(progress_of sent)" -gt "$1" ]; }
tries_again() { host1 "grep -c 'trying again' /tmp/try.err" | grep -qx "$1"; }
tried() { host1 'test -e /tmp/try.rc'; }

pair_hosts
set_store directory
guest_create host1 $guest loop
link_set 40mbit 10ms
try
wait_for 'the bulk' 120 in_bulk_past 5000000
say 'the link is cut'
link_cut
wait_for 'the command to look for the link' 60 tries_again 1
guest_alive host1 $guest 60
link_restore
link_set 40mbit 10ms
wait_for 'the bulk of the second attempt' 240 in_bulk_past 5000000
say "the destination's session is killed"
host2 "pkill -9 -f '[t]eleportd --session'"
link_free
wait_for 'the memory of the third attempt' 400 in_phase memory
say "the destination's session is killed again"
host2 "pkill -9 -f '[t]eleportd --session'"
wait_for 'the command to go on' 60 tries_again 3
guest_alive host1 $guest 60
wait_for 'the command to end' 400 tried
assert_equal "the exit code ($(host1 cat /tmp/try.err))" 0 "$(host1 cat /tmp/try.rc)"
host1 'tail -1 /tmp/try.json' > "$LAB/teleport/report"
losses_are 3
assert_equal 'what the attempts left was adopted' partial "$(report '.disks[0].kind')"
# The third attempt had all of the disk there when it came to the memory; what the guest has written since is sent.
data=$(($(report .disk_bytes) - $(report .bulk.zero)))
at_least 'bytes that were in place, of the data' $((data * 7 / 10)) "$(report .bulk.in_place)"
at_most 'bytes that crossed again' $((data * 3 / 10)) "$(report '.bulk.link + .bulk.donors')"
assert_equal 'hosts it runs on' 2 "$(guest_hosts $guest)"
disks_equal host1 host2 $guest
witness_verdict host2 $guest
