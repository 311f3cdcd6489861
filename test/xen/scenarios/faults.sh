# shellcheck shell=bash
# ready pvh
# Faults on both sides of the point of no return. First a link that is lost in the bulk comes back, and a session that
# dies in the memory is begun anew: the command goes on by itself, and what was at the destination is not sent again. Then, on the way back and with the guest suspended at the gate, the destination's session is killed,
# and after that the source's process: each time the guest goes on where it was, and nothing of it stays at the
# destination. Then, in each round, at random: the guest is teleported to the other host, and when a journal has come
# to a state, and some milliseconds later, a process of either host is killed or the link cut. Nobody helps for half a
# minute, as hosts are to find out by themselves; after that a person asks, as the exit code says. Each time: the
# guest runs once, where the command or the person was told, with every write that it saw acknowledged; no other
# domain, process or suspended copy stays. FAULT_ROUNDS=50 for many, FAULT_SEED=N for the same ones.

guest=struck1

# Rounds: where the fault is, the journal's role and state, the victims.
faults='source source moving teleport
source source moving link
source source go teleport
source source go teleport
source source go link
source source moved teleport
destination destination building session
destination destination ready receive
destination destination ready session
destination destination ready session receive
destination destination go receive
destination destination go session
destination destination go session receive
destination destination go teleportd session receive
destination destination go link
destination destination running session
destination destination running teleportd'

RANDOM=${FAULT_SEED:-$$}
say "FAULT_SEED=${FAULT_SEED:-$$}"

# begin FROM TO SECONDS: a teleport in the background that looks for a lost link for so long
begin() {
    on "$1" "rm -f /tmp/try.rc; { xl-teleport --json --ask-limit 20 --reconnect $3 $guest host$2 > /tmp/try.json 2> /tmp/try.err; echo \$? > /tmp/try.rc; } > /dev/null 2>&1 &"
}
tried() { on "$1" test -e /tmp/try.rc; }
is_waiting() { on "$1" grep -q waiting /tmp/struck; }
domains() { local number; for number in $LAB_HOSTS; do on "$number" xl list | awk 'NR > 2 { print $1, $5 }'; done; }
# at_rest: one domain of the guest, with its own name and running, and no process of a teleport on either host, but xl,
# which goes on as the guest's monitor.
at_rest() {
    local number
    for number in $LAB_HOSTS; do
        on "$number" '! pgrep -f "^[^ ]*(xl-teleport --json|teleportd --session)" > /dev/null' || return 1
    done
    [[ $(domains) =~ ^"$guest "[rb-]+$ ]]
}
comes_to_rest() {
    local deadline=$((SECONDS + $1))
    until at_rest; do [ $SECONDS -lt $deadline ] || return 1; sleep 1; done
}

# The gate's hook at host1 tells that it is reached, and holds it while the scenario wants that.
hold=/run/lab-hold-gate
install_gate() {
    on_input 1 'cat > /usr/local/lib/lab/hold-gate; chmod 755 /usr/local/lib/lab/hold-gate' << 'END'
#!/bin/sh
touch /run/lab-at-gate
while [ -e /run/lab-hold-gate ]; do sleep 0.1; done
exec /usr/local/lib/lab/at-gate
END
    host1 "sed -i s,/at-gate,/hold-gate, /etc/xen/teleport.conf"
}
at_gate_or_ended() { host1 test -e /run/lab-at-gate || tried 2; }
# hold_at_gate: a teleport from host2 that waits there. Where an emulated host stood still for many seconds, the link is
# lost without our doing: once more.
hold_at_gate() {
    local attempt
    for attempt in 1 2 3; do
        host1 "rm -f /run/lab-at-gate; touch $hold"
        standstill_forget
        begin 2 1 0
        wait_for 'the gate, or the end' 600 at_gate_or_ended
        tried 2 || return 0
        say "attempt $attempt ended before the gate: $(host2 cat /tmp/try.err)"
        stood_still || fail 'no host stood still, and the gate was not reached'
        goes_on_where_it_was 1
    done
    fail 'the gate was not reached in 3 attempts'
}
nothing_at_host1() { ! host1 "xl list" | awk 'NR > 2' | grep -q .; }
# goes_on_where_it_was CODE: the command has ended with it.
goes_on_where_it_was() {
    host1 "rm -f $hold"
    assert_equal "the exit code ($(host2 cat /tmp/try.err))" "$1" "$(host2 cat /tmp/try.rc)"
    guest_alive host2 $guest 120
    wait_for 'host1 to clean up' 150 nothing_at_host1
    assert_equal 'hosts it runs on' 2 "$(guest_hosts $guest)"
}
# kill_at_gate HOST PROCESS CODE: the process, by pgrep's pattern; with what the command ends then.
kill_at_gate() {
    hold_at_gate
    on "$1" "pkill -9 -o -f '$2'"
    wait_for 'the command to end' 120 tried 2
    goes_on_where_it_was "$3"
}

progress_of() { host1 "tail -1 /tmp/try.json 2> /dev/null" | jq -r ".progress.$1 // 0" 2> /dev/null; }
in_phase() { [ "$(progress_of phase)" = "$1" ]; }
in_bulk_past() { [ "$(progress_of phase)" = bulk ] && [ "$(progress_of sent)" -gt "$1" ]; }
tries_again() { host1 "grep -c 'trying again' /tmp/try.err" | grep -qx "$1"; }
# go_on_by_itself: one teleport that loses its link and its session.
go_on_by_itself() {
    local data
    link_set 40mbit 10ms
    begin 1 2 600
    wait_for 'the bulk' 120 in_bulk_past 5000000
    link_cut
    wait_for 'the command to look for the link' 60 tries_again 1
    guest_alive host1 $guest 60
    link_restore
    wait_for 'the memory of the second attempt' 400 in_phase memory
    host2 "pkill -9 -f '[t]eleportd --session'"
    wait_for 'the command to go on' 60 tries_again 2
    guest_alive host1 $guest 60
    wait_for 'the command to end' 400 tried 1
    assert_equal "the exit code ($(host1 cat /tmp/try.err))" 0 "$(host1 cat /tmp/try.rc)"
    host1 'tail -1 /tmp/try.json' > "$LAB/teleport/report"
    losses_are 2
    assert_equal 'what the attempts left was adopted' partial "$(report '.disks[0].kind')"
    # The last attempt had all of the disk there when it came to the memory; what the guest has written since is sent.
    data=$(($(report .disk_bytes) - $(report .bulk.zero)))
    at_least 'bytes that were in place, of the data' $((data * 7 / 10)) "$(report .bulk.in_place)"
    at_most 'bytes that crossed again' $((data * 3 / 10)) "$(report '.bulk.link + .bulk.donors')"
    assert_equal 'hosts it runs on' 2 "$(guest_hosts $guest)"
}

# round FROM TO: sets now to where the guest runs after it.
round() {
    local from=$1 to=$2 place role state victims host delay code asked=''
    read -r place role state victims < <(sed -n "$((RANDOM % $(wc -l <<< "$faults") + 1))p" <<< "$faults")
    if [ "$place" = source ]; then host=$from; else host=$to; fi
    # The permission is on its way for some milliseconds, what follows takes some hundred.
    delay=$((RANDOM % (RANDOM % 3 ? 20 : 1500)))
    on "$host" "rm -f /tmp/struck; setsid /usr/local/lib/lab/strike $role $state $delay $victims > /tmp/struck 2>&1 < /dev/null &"
    wait_for 'the striker' 30 is_waiting "$host"
    begin "$from" "$to" 20
    wait_for 'the command to end' 600 tried "$from"
    # A moment that has not come by now, or nobody left to strike.
    on "$host" 'timeout 3 tail --pid="$(pgrep -x strike)" -f /dev/null; pkill -x strike' || true
    link_restore
    case $victims in *teleportd*) daemon_restart "$host" ;; esac # as systemd does
    code=$(on "$from" cat /tmp/try.rc)
    if ! comes_to_rest 30; then
        asked=", asked: $(on "$from" "xl teleport --recover $guest 2>&1; echo exit code \$?")"
        comes_to_rest 120 || fail "no rest after $place $state +$delay $victims: exit code $code$asked; $(domains)"
    fi
    now=$(guest_hosts $guest)
    say "measured: from host$from, $state +$delay ms, $victims: $(on "$host" tail -n 1 /tmp/struck): exit code $code, runs at host$now$asked"
    case $code in
        0 | 4) assert_equal "where it runs after exit code $code" "$to" "$now" ;;
        1) assert_equal "where it runs after exit code $code ($(on "$from" cat /tmp/try.err))" "$from" "$now" ;;
        5 | 137) ;;
        *) fail "exit code $code: $(on "$from" cat /tmp/try.err)" ;;
    esac
    guest_alive "host$now" $guest
}

mkdir -p "$LAB/teleport"
pair_hosts
set_store directory
install_gate
gate_digests off
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop
go_on_by_itself
kill_at_gate 1 '[t]eleportd --session' 1
kill_at_gate 2 '^[^ ]*xl-teleport --json' 137
now=2
for ((count = 1; count <= ${FAULT_ROUNDS:-1}; count++)); do round "$now" $((3 - now)); done
gate_digests on
link_free
teleport "$now" $((3 - now)) $guest
disks_equal "$now" $((3 - now)) $guest
witness_verdict $((3 - now)) $guest
