# shellcheck shell=bash
# An evacuation that is ended: by SIGTERM its guests stay and it says so; after its sudden death the next start finds out
# what became of them and goes on; what runs when the window closes is finished where that is wanted. No write is lost.

guests='ended1 ended2'

# end_in_bulk SIGNAL: while the disk of ended1 is being sent
end_in_bulk() {
    wait_for "the teleport of ended1 to be under way" 240 sends ended1
    host1 "pkill -$1 -f '^teleport-evacuat[e] '"
}
evacuate_and_end() {
    local signal=$1 ender
    shift
    : > "$LAB/evacuation"
    end_in_bulk "$signal" &
    ender=$!
    evacuate "$@"
    wait "$ender" || fail "SIG$signal did not reach the evacuation"
}
no_teleport_runs() { ! host1 "pgrep -f '[x]l-teleport --json'" > /dev/null; }
all_at() {
    local name
    for name in $guests; do
        assert_equal "where $name runs" "$1" "$(guest_hosts "$name")"
        guest_alive "host$1" "$name" 60
    done
}

pair_hosts
set_store directory
gate_digests on
index_donors host2 /srv/lab/donors
host1 rm -rf /var/lib/xl-teleport/evacuation
for name in $guests; do guest_create host1 "$name" loop --memory 96 --churn 4 --idle; done
# From here on two teleports would share the hosts' one processor in equal parts with the guests.
trap 'dom0_weight 256' EXIT
dom0_weight 4096
link_set 40mbit 10ms

# ---- SIGTERM ----
evacuate_and_end TERM 1 --to host2
assert_equal "who was under way" ended1 "$(events 'select(.event == "stopping").running[]')"
assert_equal "the fate of ended1" failed "$(fate ended1)"
assert_equal "the fate of ended2" not_started "$(fate ended2)"
all_at 1

# ---- sudden death (ssh says 255 of what a signal ended), and the next start ----
evacuate_and_end KILL 255 --to host2
wait_for "the teleport that it left to cancel itself" 120 no_teleport_runs
all_at 1
evacuate 0 --to host2
assert_equal "how it began" resumed "$(events 'select(.event == "begin" or .event == "resumed").event')"
for name in $guests; do has_moved host1 host2 "$name"; done

# ---- home; the window closes with one under way, which is finished ----
link_set 1mbit 10ms
closed() { grep -q '"event":"window_closed"' "$LAB/evacuation"; }
(wait_for "the window to close" 300 closed && link_free) &
opener=$!
LAB_LOCAL_TIME=$(before_five 90) evacuate 1 --back --home host1 --window 02:00-05:00 --at-close finish
wait "$opener" || fail "the window did not close"
assert_equal "who was finished" ended1 "$(events 'select(.event == "window_closed" and (.cancel | not)).running[]')"
has_moved host2 host1 ended1
assert_equal "the fate of ended2" not_started "$(fate ended2)"
assert_equal "where ended2 runs" 2 "$(guest_hosts ended2)"
evacuate 0 --back --home host1
has_moved host2 host1 ended2

for name in $guests; do
    guest_mode host1 "$name" idle
    witness_verdict host1 "$name"
done
