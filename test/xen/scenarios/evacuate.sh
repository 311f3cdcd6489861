# shellcheck shell=bash
# A host is evacuated while its guests write: two at a time over a slow link, one of them failing at its first try;
# all are brought home; then the window closes before the last one's turn, which stays and is told.

guests='evac1 evac2 evac3'
record=/var/lib/xl-teleport/evacuation/record.jsonl

# evacuate CODE OPTION...: on host1; its events are in $LAB/evacuation
evacuate() {
    local expected=$1 code=0 began
    shift
    began=$(now_ms)
    host1 "teleport-evacuate --json --retry-pause 5 $*" > "$LAB/evacuation" 2> "$LAB/evacuation.errors" || code=$?
    say "measured: $(seconds_since "$began") s for teleport-evacuate $*, exit code $code"
    say "$(tail -n 1 "$LAB/evacuation") $(cat "$LAB/evacuation.errors")"
    assert_equal "the exit code of teleport-evacuate $*" "$expected" "$code"
}
# events FILTER: of the last evacuation; fate GUEST: what became of it
events() { jq -r "$1" "$LAB/evacuation"; }
fate() { events "select(.event == \"over\") | .guests[] | select(.guest == \"$1\") | .fate"; }

# fail_once GUEST: once some of its disk has been sent, its teleport is killed
sends() { grep -q "\"guest\":\"$1\",\"progress\":.*\"phase\":\"bulk\"" "$LAB/evacuation"; }
fail_once() {
    wait_for "the teleport of $1 to be under way" 240 sends "$1"
    host1 "pkill -KILL -o -f '[x]l-teleport --json -- $1 '"
}

pair_hosts
set_store directory
index_donors host2 /srv/lab/donors
host1 rm -rf /var/lib/xl-teleport/evacuation
: > "$LAB/evacuation"
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
mkdir -p "$LAB/teleport"
for name in $guests; do
    assert_equal "the fate of $name" moved "$(fate "$name")"
    assert_equal "where $name runs" 2 "$(guest_hosts "$name")"
    guest_alive host2 "$name"
    events "select(.event == \"moved\" and .guest == \"$name\").report" > "$LAB/teleport/report"
    disks_equal host1 host2 "$name"
done
assert_equal "who failed once" evac1 "$(events 'select(.event == "failed").guest')"
assert_equal "tries of evac1" '1 2' "$(events 'select(.event == "start" and .guest == "evac1").try' | xargs)"
# never more than two between start and end
assert_equal "most at once" 2 "$(events 'select(.event == "start" or .event == "moved" or .event == "failed").event' |
    awk '/start/ { if (++n > most) most = n } !/start/ { n-- } END { print most }')"
assert_equal "the record" "$(events 'select(.event != "progress").event' | xargs)" "$(host1 cat $record | jq -r .event | xargs)"

# ---- and home, what changed alone ----
gate_digests off
evacuate 0 --back --home host1
for name in $guests; do
    assert_equal "where $name runs" 1 "$(guest_hosts "$name")"
    guest_alive host1 "$name"
    assert_equal "the target of $name" shadow \
        "$(events "select(.event == \"moved\" and .guest == \"$name\").report.disks[0].kind")"
done
assert_equal "who is still away" '' "$(host1 ls /var/lib/xl-teleport/evacuation/away)"

# ---- the window closes with one not begun ----
# 40 to 100 seconds from now, within the first guest's move, made slow
link_set 1mbit 20ms
window=$(host1 'date +%H:%M')-$(host1 'date -d "+100 seconds" +%H:%M')
evacuate 1 --to host2 --guests evac1,evac3 --window "$window" --at-close cancel
assert_equal "the window's end" 1 "$(events 'select(.event == "window_closed").event' | wc -l)"
assert_equal "the first one" failed "$(fate evac1)"
assert_equal "the one not begun" not_started "$(fate evac3)"
assert_equal "who was begun" evac1 "$(events 'select(.event == "start").guest')"
link_free

for name in $guests; do
    assert_equal "where $name runs" 1 "$(guest_hosts "$name")"
    witness_verdict host1 "$name"
done
