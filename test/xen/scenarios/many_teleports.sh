# shellcheck shell=bash
# long
# A guest goes there and back, many times in a row (TELEPORTS, 20), writing all the while: one boot, and not one
# acknowledged record lost. The last time the whole disks are compared too.

guest=many1 teleports=${TELEPORTS:-20} from=1 to=2
pair_hosts
set_store directory
gate_digests off
guest_create host1 $guest loop --churn 8
for ((i = 1; i <= teleports; i++)); do
    [ "$i" -lt "$teleports" ] || gate_digests on
    teleport "$from" "$to" $guest
    say "measured: $i: $(report '"\(.total_seconds) s, downtime \(.downtime_seconds) s, sent \(.link.sent), memory \(.memory.coded_bytes)"')"
    [ "$i" -lt 3 ] || assert_equal "the target" shadow "$(report '.disks[0].kind')"
    guest_alive "$to" $guest
    read -r from to <<< "$to $from"
done
disks_equal "$to" "$from" $guest
witness_state $guest
# shellcheck disable=SC2154
assert_equal "moves that the witness's consoles show" "$teleports" "$moves"
witness_verdict "$from" $guest
