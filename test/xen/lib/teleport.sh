# shellcheck shell=bash
# Teleports and what is judged about them: the report, whole disks, the stream of the memory.
#
# A scenario calls pair_hosts and set_store, makes a guest, and calls teleport; after that report, disks_equal and
# streams_equal speak of that last teleport.

# Where the destination puts arriving disks, by kind of store.
LAB_STORE=/srv/lab/store LAB_STREAMS=/srv/lab/streams

# pair_hosts: each host knows the other, if that is not so already.
pair_hosts() {
    host1 'test -e /etc/xen/teleport/peers/host2.crt' && return
    host1 'teleportctl pair root@host2' >&2 || fail "the hosts cannot be paired"
}

# set_store directory|lvm|lvm-thin [streams] [hook=PATH] [index=LINE]...: configures both hosts, and has each keep
# digests of the disks at the gate, or run another program there; with "streams" also libxl's streams; with lines for
# the section [index]. What was kept for earlier guests is forgotten.
set_store() {
    local kind=$1 path=$LAB_STORE pool='' streams='' index='' hook=/usr/local/lib/lab/at-gate option host
    shift
    for option; do
        case $option in
            streams) streams=$LAB_STREAMS ;;
            hook=*) hook=${option#hook=} ;;
            index=*) index+=${option#index=}$'\n' ;;
            *) fail "set_store: what is $option?" ;;
        esac
    done
    [ "$kind" = directory ] || path=vg0
    [ "$kind" != lvm-thin ] || pool=pool
    for host in $LAB_HOSTS; do
        on "$host" "mkdir -p $LAB_STORE $LAB_STREAMS; rm -f /run/lab-gate/off $LAB_STREAMS/*
            [ $kind = directory ] || vgs vg0 > /dev/null 2>&1 || vgcreate -q vg0 /dev/vdc
            [ $kind != lvm-thin ] || lvs vg0/pool > /dev/null 2>&1 ||
                lvcreate -q -y --type thin-pool -L 3G -Zy --chunksize 64k -n pool vg0" > /dev/null 2>&1 ||
            fail "no store on host $host"
        gate_watch "$host"
        printf '%s\n' '[store]' "kind = \"$kind\"" "path = \"$path\"" "pool = \"$pool\"" \
            '[arrivals]' 'boot_files = ["/srv/lab/golden/*"]' '[index]' "$index" '[hooks]' "at_gate = \"$hook\"" '[debug]' "record_stream = \"$streams\"" |
            on_input "$host" 'cat > /etc/xen/teleport.conf'
        daemon_restart "$host"
        on "$host" "teleportctl shadow list --json | jq -r '.[].uuid' | sort -u | xargs -r -n 1 teleportctl shadow forget" > /dev/null
    done
}

# gate_watch HOST: it notes the digests of arriving disks at the gate, and how long it stood still.
gate_watch() {
    gate_hook | on_input "$1" 'mkdir -p /run/lab-gate; cat > /usr/local/lib/lab/at-gate && chmod 755 /usr/local/lib/lab/at-gate'
    standstill_watch "$1"
}

# What runs at the destination while the guest stands still: the digest of every disk, past all caches.
gate_hook() {
    cat << 'HOOK'
#!/bin/bash
set -eu
[ -e /run/lab-gate/off ] && exit 0
: > "/run/lab-gate/$TELEPORT_GUEST.new"
for disk in $TELEPORT_DISKS; do
    digest=$(dd if="${disk#*=}" bs=1M iflag=direct status=none | xxh128sum | cut -d' ' -f1)
    echo "${disk%%=*} $digest" >> "/run/lab-gate/$TELEPORT_GUEST.new"
done
mv "/run/lab-gate/$TELEPORT_GUEST.new" "/run/lab-gate/$TELEPORT_GUEST"
HOOK
}

# standstill_watch HOST: notes in there how long the host stood still, where that was for more than 3 s, as an emulated
# one does when the machine below is busy. standstill_forget: what was noted is over. stood_still: since then a host
# stood still for about as long as a peer may be silent (10 s, libteleport/net/silence_watch.hpp).
standstill_watch() {
    on_input "$1" 'cat > /usr/local/lib/lab/standstills' << 'END'
import time
last = time.monotonic()
while True:
    time.sleep(1)
    now = time.monotonic()
    if now - last > 4:
        with open("/run/lab-standstills", "a") as notes:
            print(round(now - last - 1), file=notes)
    last = now
END
    # shellcheck disable=SC2016
    on "$1" ': > /run/lab-standstills; kill -0 $(cat /run/lab-standstills.pid 2> /dev/null) 2> /dev/null ||
        { setsid python3 /usr/local/lib/lab/standstills > /dev/null 2>&1 < /dev/null & echo $! > /run/lab-standstills.pid; }'
}
standstill_forget() { local host; for host in $LAB_HOSTS; do on "$host" ': > /run/lab-standstills'; done; }
stood_still() {
    local host notes
    for host in $LAB_HOSTS; do
        notes=$(on "$host" 'cat /run/lab-standstills' | xargs)
        [ -z "$notes" ] || say "host$host stood still for seconds: $notes"
        ! awk -v RS=' ' '$1 >= 8 { found = 1 } END { exit !found }' <<< "$notes" || return 0
    done
    return 1
}

# losses_are NUMBER: the last report names as many losses of the link as the scenario caused. More are a fault of ours,
# unless a host stood still.
losses_are() {
    local found
    found=$(report .link.losses)
    [ "$found" = "$1" ] && return
    [ "$found" -gt "$1" ] || fail "the link was lost $found times, not $1"
    stood_still || fail "the link was lost $found times, not $1, and no host stood still"
}

# gate_digests on|off: reading whole disks costs seconds of downtime; off where only the guest is judged.
gate_digests() {
    local host
    for host in $LAB_HOSTS; do
        if [ "$1" = on ]; then on "$host" rm -f /run/lab-gate/off; else on "$host" touch /run/lab-gate/off; fi
    done
}

# index_donors HOST PATH...: the index knows exactly these (the hosts that scenarios go on from know /srv/lab/donors on
# host2). index_empty HOST: and none.
index_donors() {
    local host=$1
    shift
    [ "$(on "$host" "find $* -name '*.img' | sort")" != "$(on "$host" 'teleportctl index list --json' | jq -r '.[].path' | sort)" ] || return 0
    index_empty "$host"
    on "$host" "teleportctl index add $*" >&2 || fail "cannot index $* on host $host"
}
index_empty() {
    daemon_stop "$1"
    on "$1" 'rm -rf /var/lib/xl-teleport/index'
    daemon_restart "$1"
}

# try_teleport FROM TO GUEST [OPTION...]: sets code. The files of the last one: $LAB/teleport/ lines (progress and
# report), report, errors, card (bytes that FROM's card sent and received meanwhile).
try_teleport() {
    local from=${1#host} to=${2#host} guest=$3 files=$LAB/teleport before after
    shift 3
    mkdir -p "$files"
    on "$to" rm -f "/run/lab-gate/$guest"
    standstill_forget
    read -r -a before < <(link_bytes "$from")
    code=0
    on "$from" "xl teleport --json $* '$guest' host$to" > "$files/lines" 2> "$files/errors" || code=$?
    read -r -a after < <(link_bytes "$from")
    echo "$((after[0] - before[0])) $((after[1] - before[1]))" > "$files/card"
    tail -n 1 "$files/lines" > "$files/report"
    say "teleport of $guest from host$from to host$to: exit code $code, $(cat "$files/report" "$files/errors")"
}

# teleport FROM TO GUEST [OPTION...]: as above, and it must have moved without a loss of the link, and run there and
# there only.
teleport() {
    local code
    try_teleport "$@"
    [ "$code" -eq 0 ] || fail "the teleport of $3 ended with exit code $code: $(tail -n 3 "$LAB/teleport/errors")"
    assert_equal "the report's outcome" moved "$(report .outcome)"
    losses_are 0
    assert_equal "where $3 runs" "${2#host}" "$(guest_hosts "$3")"
    say "measured: downtime of $3, ms after the suspension: $(downtime_steps)"
}

# teleport_fails CODE SENTENCE FROM TO GUEST [OPTION...]: it ends with this exit code and says so (a regular
# expression), and the guest runs at FROM alone.
teleport_fails() {
    local expected=$1 sentence=$2 code
    shift 2
    try_teleport "$@"
    assert_equal "the exit code of the teleport" "$expected" "$code"
    grep -qE -- "$sentence" "$LAB/teleport/errors" "$LAB/teleport/report" ||
        fail "nobody said '$sentence': $(cat "$LAB/teleport/errors" "$LAB/teleport/report")"
    assert_equal "where $3 runs" "${1#host}" "$(guest_hosts "$3")"
}

# report FILTER: jq's answer about the last report, for example: report .bulk.donors
report() { jq -r "$1" "$LAB/teleport/report"; }

# downtime_steps: of the last report: "suspended 0, marks_taken 3, blocks_sent 10, ..."
downtime_steps() { report '[.downtime_steps[] | "\(.step) \(.seconds * 1000 | round)"] | join(", ")'; }

# shadows HOST GUEST: lines "VDEV PATH" of what is kept whole there.
shadows() {
    on "$1" 'teleportctl shadow list --json' |
        jq -r --arg guest "$2" '.[] | select(.guest == $guest and .kind == "shadow") | "\(.vdev) \(.path)"' | sort
}

# disks_equal FROM TO GUEST: the disks that stayed behind at FROM, as they are now, are byte for byte what TO had
# when it let the guest go on. One line for each disk, and as many as the report names.
disks_equal() {
    local from=$1 to=$2 guest=$3 vdev path here=''
    while read -r vdev path; do
        here+="$vdev $(disk_digest "$from" "$path")"$'\n'
    done < <(shadows "$from" "$guest")
    assert_equal "number of shadows of $guest at host${from#host}" "$(report '.disks | length')" "$(printf %s "$here" | wc -l)"
    assert_equal "the disks at the cut-over" "$(printf %s "$here")" "$(on "$to" "sort '/run/lab-gate/$guest'")"
    say "$guest: the whole disks of both hosts were equal at the cut-over: ${here//$'\n'/ }"
}

# streams_equal FROM TO: what the destination rebuilt for Xen is what libxl wrote at the source, and Xen's own
# checker accepts it. The files, as large as the guest's memory, go away.
streams_equal() {
    local from=$1 to=$2 name
    name=$(report .id)
    assert_equal "the streams' digests" "$(on "$from" "xxh128sum < $LAB_STREAMS/$name.sent")" \
        "$(on "$to" "xxh128sum < $LAB_STREAMS/$name.rebuilt")"
    on "$to" "PYTHONPATH=\$(echo /usr/lib/xen-*/lib/python) /usr/lib/xen-*/bin/verify-stream-v2 --format libxl -i $LAB_STREAMS/$name.rebuilt" > "$LAB/teleport/verify" 2>&1 ||
        fail "verify-stream-v2: $(tail -n 3 "$LAB/teleport/verify")"
    streams_remove
}
streams_remove() { local host; for host in $LAB_HOSTS; do on "$host" "rm -f $LAB_STREAMS/*"; done; }

# at_most WHAT LIMIT NUMBER, at_least WHAT LIMIT NUMBER
at_most() { [ "$3" -le "$2" ] || fail "$1: $3, more than $2"; }
at_least() { [ "$3" -ge "$2" ] || fail "$1: $3, less than $2"; }
