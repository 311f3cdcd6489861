# shellcheck shell=bash
# A guest goes there and back, several times in a row (TELEPORTS, 3; 20 with LONG=1), writing all the while: one boot,
# and not one acknowledged record lost. Each time the whole disks are compared.

guest=many1 teleports=${TELEPORTS:-${LONG:+20}} from=1 to=2
teleports=${teleports:-3}
pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop
for ((i = 1; i <= teleports; i++)); do
    teleport "$from" "$to" $guest
    say "measured: $i: $(report '"\(.total_seconds) s, downtime \(.downtime_seconds) s, sent \(.link.sent), memory \(.memory.coded_bytes)"')"
    [ "$i" -lt 3 ] || assert_equal "the target" shadow "$(report '.disks[0].kind')"
    disks_equal "$from" "$to" $guest
    guest_alive "$to" $guest
    read -r from to <<< "$to $from"
done
witness_state $guest
# shellcheck disable=SC2154
assert_equal "moves that the witness's consoles show" "$teleports" "$moves"
witness_verdict "$from" $guest
