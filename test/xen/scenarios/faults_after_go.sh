# shellcheck shell=bash
# ready pvh
# Faults at random moments around the point of no return. In each round the guest is teleported to the other host, and
# when a journal has come to a state, and some milliseconds later, a process of either host is killed or the link cut.
# Then nobody helps for half a minute, as hosts are to find out by themselves; after that a person asks, as the exit code
# says. Each time: the guest runs once, where the command or the person was told, with every write that it saw
# acknowledged; no other domain, process or suspended copy stays. FAULT_ROUNDS=50 for many, FAULT_SEED=N for the same ones.

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

# begin FROM TO: a teleport in the background
begin() {
    on "$1" "rm -f /tmp/try.rc; { xl-teleport --json --ask-limit 20 --reconnect 20 $guest host$2 > /tmp/try.json 2> /tmp/try.err; echo \$? > /tmp/try.rc; } > /dev/null 2>&1 &"
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

# round FROM TO: sets now to where the guest runs after it.
round() {
    local from=$1 to=$2 place role state victims host delay code asked=''
    read -r place role state victims < <(sed -n "$((RANDOM % $(wc -l <<< "$faults") + 1))p" <<< "$faults")
    if [ "$place" = source ]; then host=$from; else host=$to; fi
    # The permission is on its way for some milliseconds, what follows takes some hundred.
    delay=$((RANDOM % (RANDOM % 3 ? 20 : 1500)))
    on "$host" "rm -f /tmp/struck; setsid /usr/local/lib/lab/strike $role $state $delay $victims > /tmp/struck 2>&1 < /dev/null &"
    wait_for 'the striker' 30 is_waiting "$host"
    begin "$from" "$to"
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

pair_hosts
set_store directory
gate_digests off
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop
now=1
for ((count = 1; count <= ${FAULT_ROUNDS:-3}; count++)); do round "$now" $((3 - now)); done
gate_digests on
link_free
teleport "$now" $((3 - now)) $guest
disks_equal "$now" $((3 - now)) $guest
witness_verdict $((3 - now)) $guest
