# shellcheck shell=bash
# A host is evacuated while its guests write: two at a time over a slow link, one of them failing at its first try; and
# all are brought home. Then the window closes before the last one's turn, which stays and is told. Proves: each disk
# is equal at each cut-over, and at the end each guest has every write that it saw acknowledged.

guests='evac1 evac2 evac3'

# fail_once GUEST: once some of its disk has been sent, its teleport is killed
fail_once() {
    wait_for "the teleport of $1 to be under way" 240 sends "$1"
    host1 "pkill -KILL -o -f '[x]l-teleport --json -- $1 '"
}

pair_hosts
set_store directory
gate_digests on
index_donors host2 /srv/lab/donors
host1 rm -rf /var/lib/xl-teleport/evacuation
: > "$LAB/evacuation"
# Idle ones append ten acknowledged records a second too, and leave the processor, of which both hosts are short.
for name in $guests; do guest_create host1 "$name" loop --memory 96 --churn 4 --idle; done
guest_mode host1 evac2 normal
# From here on two teleports would share the hosts' one processor in equal parts with the guests.
trap 'dom0_weight 256' EXIT
dom0_weight 4096

# ---- there, two at a time, one failing once ----
link_set 100mbit 20ms
host1 "teleport-evacuate --dry-run --to host2 --json" > "$LAB/plan"
assert_equal "guests that can move" 3 "$(jq -r 'select(.event == "over").can_move' "$LAB/plan")"
assert_equal "the record of a dry run" '' "$(evacuation_record)"
fail_once evac1 &
killer=$!
evacuate 0 --to host2 --parallel 2
wait "$killer" || fail "the teleport that was to fail was not found"
for name in $guests; do has_moved host1 host2 "$name"; done
assert_equal "who failed once" evac1 "$(events 'select(.event == "failed").guest')"
assert_equal "tries of evac1" '1 2' "$(events 'select(.event == "start" and .guest == "evac1").try' | xargs)"
# never more than two between start and end
assert_equal "most at once" 2 "$(events 'select(.event == "start" or .event == "moved" or .event == "failed").event' |
    awk '/start/ { if (++n > most) most = n } !/start/ { n-- } END { print most }')"
assert_equal "the record" "$(events 'select(.event != "progress").event' | xargs)" "$(evacuation_record | jq -r .event | xargs)"

# ---- and home, what changed alone ----
evacuate 0 --back --home host1 --parallel 2
for name in $guests; do
    has_moved host2 host1 "$name"
    assert_equal "the target of $name" shadow \
        "$(events "select(.event == \"moved\" and .guest == \"$name\").report.disks[0].kind")"
done
assert_equal "who is still away" '' "$(host1 ls /var/lib/xl-teleport/evacuation/away)"

# ---- the window closes with one not begun ----
# By the local time it is 90 s before five; over a link as slow as this no guest is through by then.
link_set 1mbit 20ms
LAB_LOCAL_TIME=$(before_five 90) evacuate 1 --to host2 --except evac2 --window 02:00-05:00 --at-close cancel
assert_equal "who was cancelled" evac1 "$(events 'select(.event == "window_closed").running[]')"
assert_equal "who was begun" evac1 "$(events 'select(.event == "start").guest')"
assert_equal "the fate of evac1" failed "$(fate evac1)"
assert_equal "the fate of evac3" not_started "$(fate evac3)"
assert_equal "the summary" '0 moved, 2 stayed' "$(events 'select(.event == "over") | "\(.moved) moved, \(.stayed) stayed"')"
link_free

# Whoever shuts down needs the processor more than dom0 does.
dom0_weight 256
for name in $guests; do
    assert_equal "where $name runs" 1 "$(guest_hosts "$name")"
    guest_mode host1 "$name" idle
    witness_verdict host1 "$name"
done
