# shellcheck shell=bash
# ready pvh
#
# At the gate, with the guest suspended, the destination's session is killed, and then the source's process: each time
# the guest goes on at host1, nothing of it stays at host2, and the next try, begun on what the last one left, comes as
# far as the next fault; the last try moves the guest, and its whole disk is compared. FAULTS='PHASE:KIND...' tries
# others: phases bulk, rounds, memory and gate; kinds link, destination and source. Kills of every process, at every
# step, are tried without Xen (make check).

hold=/run/lab-hold-gate
mkdir -p "$LAB/teleport"

# try [OPTION...]: starts a teleport in the background; its process, its progress
try() {
    host1 "rm -f /tmp/try.json /tmp/try.rc; (xl-teleport --json $* faulty host2 > /tmp/try.json 2> /tmp/try.err; echo \$? > /tmp/try.rc) > /dev/null 2>&1 &"
}
# far enough into the phase that some of it has arrived
phase_is() { host1 "tail -1 /tmp/try.json 2> /dev/null" | jq --arg p "$1" '.progress.phase == $p and .progress.done > 1048576' 2> /dev/null | grep -qx true; }
at_gate() { host2 "test -e /run/lab-at-gate"; }
tried() { host1 'test -e /tmp/try.rc'; }
there_or_ended() {
    if [ "$1" = gate ]; then at_gate || tried; else phase_is "$1" || tried; fi
}
# reach PHASE: waits until the move is there. Where a host stood still for many seconds, as emulated ones may, the
# link is lost without our doing: that is a failure before GO as well, and the next try has to come further.
reach() {
    local attempt
    for attempt in 1 2 3; do
        host2 "rm -f /run/lab-at-gate; touch $hold"
        standstill_forget
        try --reconnect 0
        wait_for "phase $1, or the command's end" 900 there_or_ended "$1"
        if ! tried; then return; fi
        say "try $attempt ended before phase $1: $(host1 cat /tmp/try.err)"
        stood_still || fail "no host stood still, and try $attempt ended before phase $1"
        after_failure 1
    done
    fail "phase $1 was not reached in 3 tries"
}
# after_failure CODE: the command has ended; the guest goes on at host1, nothing of it stays at host2
after_failure() {
    host2 "rm -f $hold"
    assert_equal "the exit code ($(host1 cat /tmp/try.err))" "$1" "$(host1 cat /tmp/try.rc)"
    guest_alive host1 faulty 120
    wait_for 'host2 to clean up' 150 nothing_at_host2
    assert_equal 'hosts it runs on' 1 "$(guest_hosts faulty)"
}
# strike KIND: the fault
strike() {
    case $1 in
        link) link_cut ;;
        destination) host2 "pkill -9 -f '[t]eleportd --session'" ;;
        source) host1 "pkill -9 -o -x xl-teleport" ;;
    esac
}
nothing_at_host2() { ! host2 "xl list" | awk 'NR > 2' | grep -q .; }

# fault KIND PHASE
fault() {
    local kind=$1 phase=$2 expected=1
    say "$kind fails, phase $phase"
    # written so fast that rounds follow each other
    [ "$phase" != rounds ] || guest_mode host1 faulty heavy
    reach "$phase"
    strike "$kind"
    wait_for 'the command to end' 120 tried
    [ "$kind" != link ] || link_restore
    [ "$phase" != rounds ] || guest_mode host1 faulty normal
    [ "$kind" != source ] || expected=137
    after_failure "$expected"
}

on_input 2 'cat > /usr/local/lib/lab/hold-gate; chmod 755 /usr/local/lib/lab/hold-gate' << 'EOF'
#!/bin/sh
# at_gate hook: tells that the gate is reached, and holds it while the scenario wants that; then digests the disks
touch /run/lab-at-gate
while [ -e /run/lab-hold-gate ]; do sleep 0.1; done
exec /usr/local/lib/lab/at-gate
EOF
pair_hosts
set_store directory
host2 "sed -i s,/at-gate,/hold-gate, /etc/xen/teleport.conf"
guest_create host1 faulty loop
link_set 40mbit 10ms
for fault in ${FAULTS:-gate:destination gate:source}; do
    fault "${fault#*:}" "${fault%:*}"
done
link_free
host2 "rm -f $hold /run/lab-gate/faulty"
standstill_forget
try
wait_for 'the last try' 900 tried
assert_equal "the exit code ($(host1 cat /tmp/try.err))" 0 "$(host1 cat /tmp/try.rc)"
host1 'tail -1 /tmp/try.json' > "$LAB/teleport/report"
losses_are 0
assert_equal 'what the tries have left was adopted' partial "$(report '.disks[0].kind')"
assert_equal 'hosts it runs on' 2 "$(guest_hosts faulty)"
disks_equal host1 host2 faulty
witness_verdict host2 faulty
