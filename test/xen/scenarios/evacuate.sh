# shellcheck shell=bash
# by hand
# long
# A host is evacuated while its guests write: two at a time over a slow link, one of them failing at its first try;
# then the window closes before the last one's turn, which stays and is told; and all are brought home.

guests='evac1 evac2 evac3'
record=/var/lib/xl-teleport/evacuation/record.jsonl

# evacuate CODE OPTION...: on host1; its events are in $LAB/evacuation
evacuate() {
    local expected=$1 code=0
    shift
    host1 "teleport-evacuate --json --retry-pause 5 $*" > "$LAB/evacuation" 2> "$LAB/evacuation.errors" || code=$?
    say "evacuation ($*): exit code $code, $(tail -n 1 "$LAB/evacuation") $(cat "$LAB/evacuation.errors")"
    assert_equal "the exit code of teleport-evacuate $*" "$expected" "$code"
}
# events FILTER: of the last evacuation; fate GUEST: what became of it
events() { jq -r "$1" "$LAB/evacuation"; }
fate() { events "select(.event == \"over\") | .guests[] | select(.guest == \"$1\") | .fate"; }

# fail_once GUEST: once its teleport is past the preflight, it is killed
fail_once() {
    local pid
    wait_for "the teleport of $1" 120 host1 "pgrep -f '[x]l-teleport --json -- $1 '"
    pid=$(host1 "pgrep -o -f '[x]l-teleport --json -- $1 '")
    wait_for "the teleport of $1 to be under way" 120 host1 "grep -qs '\"guest\":\"$1\"' /var/lib/xl-teleport/journal/*.source*"
    host1 "kill -KILL $pid"
}

pair_hosts
set_store directory
gate_digests off
index_donors host2 /srv/lab/donors
for name in $guests; do guest_create host1 "$name" loop --memory 96 --churn 4; done

# ---- there, two at a time, one failing once ----
link_set 100mbit 20ms
host1 "teleport-evacuate --dry-run --to host2 --json" > "$LAB/plan"
assert_equal "guests that can move" 3 "$(jq -r 'select(.event == "over").can_move' "$LAB/plan")"
assert "a dry run leaves no record" host1 "! test -e $record"
fail_once evac1 &
killer=$!
evacuate 0 --to host2 --parallel 2
wait "$killer" || fail "the teleport that was to fail was not found"
for name in $guests; do
    assert_equal "the fate of $name" moved "$(fate "$name")"
    assert_equal "where $name runs" 2 "$(guest_hosts "$name")"
    guest_alive host2 "$name"
done
assert_equal "who failed once" evac1 "$(events 'select(.event == "failed").guest')"
assert_equal "tries of evac1" '1 2' "$(events 'select(.event == "start" and .guest == "evac1").try' | xargs)"
# never more than two between start and end
assert_equal "most at once" 2 "$(events 'select(.event == "start" or .event == "moved" or .event == "failed").event' |
    awk '/start/ { if (++n > most) most = n } !/start/ { n-- } END { print most }')"
assert_equal "the record" "$(events 'select(.event != "progress").event' | xargs)" "$(host1 cat $record | jq -r .event | xargs)"

# ---- and home, what changed alone ----
evacuate 0 --back --home host1
for name in $guests; do
    assert_equal "where $name runs" 1 "$(guest_hosts "$name")"
    guest_alive host1 "$name"
    assert_equal "the target of $name" shadow \
        "$(events "select(.event == \"moved\" and .guest == \"$name\").report.disks[0].kind")"
done
assert_equal "who is still away" '' "$(host1 ls /var/lib/xl-teleport/evacuation/away)"

# ---- the window closes with one not begun ----
# it closes at the next full minute but one of host1's clock: within the first guest's move, made slow
link_set 4mbit 20ms
window=$(host1 'date +%H:%M')-$(host1 'date -d "+2 minutes" +%H:%M')
for name in $guests; do guest_mode host1 "$name" heavy; done
evacuate 1 --to host2 --guests evac1,evac3 --window "$window" --at-close cancel
assert_equal "the window's end" 1 "$(events 'select(.event == "window_closed").event' | wc -l)"
for name in evac1 evac3; do assert_equal "where $name runs" 1 "$(guest_hosts "$name")"; done
stays=$(events 'select(.event == "over").guests[] | select(.fate == "not_started").guest')
say "measured: not begun within $window: $stays"
assert_equal "guests not begun" 1 "$(wc -w <<< "$stays")"
link_free

for name in $guests; do
    guest_mode host1 "$name" idle
    witness_verdict host1 "$name"
done
