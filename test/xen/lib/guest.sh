# shellcheck shell=bash
# Guests with a witness, and the verdict on them.

# guest_create HOST NAME [loop|lv|thin] [OPTION...]: those of dom0/guest-create.
# Ends when the witness has acknowledged its first records.
guest_create() {
    local host=${1#host} name=$2 other
    shift
    # consoles of an earlier guest of this name; on its own host the script removes them, but those of a ready one
    for other in ${LAB_HOSTS//$host/}; do on "$other" "rm -f /var/log/xen/console/guest-$name.log /var/log/xen/console/guest-$name--*.log"; done
    on "$host" "/usr/local/lib/lab/guest-create $(printf '%q ' "$@")" || fail "cannot create $name: $(on "$host" "tail -5 /var/log/xen/xl-$name.log")"
    wait_for "the witness of $name on host$host" 900 witness_started "$host" "$name"
}

witness_started() { on "$1" "grep -aq 'witness: ack 3 ' /var/log/xen/console/guest-$2.log"; }

# guest_destroy NAME: ends it everywhere, and removes its disks from both hosts.
guest_destroy() {
    local host
    for host in $LAB_HOSTS; do on "$host" /usr/local/lib/lab/guest-destroy "$1"; done
}

# guest_runs HOST NAME: a domain of that name is there and neither paused nor suspended nor dying.
guest_runs() {
    on "$1" "xl list '$2' 2> /dev/null" | awk 'NR == 2 { fine = $5 !~ /[psd]/ } END { exit !fine }'
}

# guest_hosts NAME: on which hosts it runs, one number for each copy, for example "1". A copy under a name that xl gives
# it for a while (NAME--incoming) counts. Two would be the end of the world, on one host as well.
guest_hosts() {
    local host found=
    for host in $LAB_HOSTS; do
        found+=$(on "$host" "xl list" | awk -v name="$1" -v host="$host" \
            'NR > 1 && ($1 == name || index($1, name "--") == 1) && $5 !~ /[psd]/ { printf "%s ", host }')
    done
    echo "${found% }"
}

# guest_mode HOST NAME normal|heavy|idle: how much the witness writes from now on.
guest_mode() { on "$1" "xenstore-write /local/domain/\$(xl domid '$2')/data/witness '$3'"; }

# guest_disks HOST NAME: lines "VDEV DEVICE" of the running guest.
guest_disks() {
    on "$1" "xl list -l '$2'" | jq -r '.[0].config.disks[] | "\(.vdev) \(.pdev_path)"'
}

# disk_digest HOST DEVICE: xxh128 of a whole disk, past the page cache.
disk_digest() { on "$1" "dd if='$2' bs=1M iflag=direct status=none | xxh128sum | cut -d' ' -f1"; }

# witness_consoles NAME: collects the guest's console logs of both hosts; prints their paths.
witness_consoles() {
    local name=$1 host directory=$LAB/logs/console-$1
    mkdir -p "$directory"
    for host in $LAB_HOSTS; do
        rm -f "$directory/host$host-"*
        # a log of this guest, not of one whose name begins alike
        on "$host" "cd /var/log/xen/console && ls guest-$name.log guest-$name--*.log 2> /dev/null | tar --warning=no-file-changed -cf - -T -" |
            tar -C "$directory" --transform "s/^/host$host-/" -xf - 2> /dev/null || true
    done
    find "$directory" -name 'host*.log' | sort
}

# witness_state NAME: sets last, up, wall, pid, boot, moves, missing, longest_gap and stopped from the consoles;
# fails the scenario when they show a reboot, a second copy of the guest, or a broken chain.
witness_state() {
    local logs line
    mapfile -t logs < <(witness_consoles "$1")
    line=$("$LAB_IMAGES/witness" --console "${logs[@]}") || fail "the witness of $1: $line (${logs[*]})"
    eval "$line"
}

# guest_alive HOST NAME [SECONDS]: the same boot of the guest goes on acknowledging on that host.
guest_alive() {
    local host=$1 name=$2 last up wall pid boot moves missing longest_gap stopped
    witness_state "$name"
    assert "$name does not run on $host" guest_runs "$host" "$name"
    wait_for "$name on $host to acknowledge more than record $last" "${3:-90}" witness_beyond "$host" "$name" $((last + 5))
    say "$name runs on $host: record $last, up $up s, longest silence $longest_gap s"
}

# witness_beyond HOST NAME NUMBER: whether that host's consoles say a record later than this.
witness_beyond() {
    local number
    number=$(on "$1" "cat /var/log/xen/console/guest-$2.log /var/log/xen/console/guest-$2--*.log 2> /dev/null | grep -ao 'witness: ack [0-9]*' | sort -n -k3 | tail -1")
    [ "${number##* }" -gt "$3" ] 2> /dev/null
}

# witness_verdict HOST NAME: the full one. Shuts the guest down, then judges consoles and disks.
witness_verdict() {
    # shellcheck disable=SC2034  # witness_state sets them all
    local host=$1 name=$2 disks device vdev last up wall pid boot moves missing longest_gap stopped
    guest_alive "$host" "$name"
    disks=$(guest_disks "$host" "$name") || fail "no disks of $name"
    on "$host" "xl shutdown '$name'" > /dev/null || fail "cannot shut $name down"
    wait_for "$name to shut down" 480 guest_is_gone "$host" "$name"
    witness_state "$name"
    assert_equal "the witness of $name took leave" 1 "$stopped"
    while read -r vdev device; do
        case $vdev in
            xvda) judge_disk "$host" "$device" /var/lib/witness ;;
            xvdb) judge_disk "$host" "$device" / ;;
        esac
    done <<< "$disks"
    say "$name: $last records acknowledged and all there, one boot, up $up s, longest silence $longest_gap s"
}

judge_disk() {
    # shellcheck disable=SC2154  # last and boot are the caller's, from witness_state
    on "$1" /usr/local/lib/lab/disk-verdict "$2" "$3" "$last" "$boot" < /dev/null >&2 || fail "the disk $2 is not right"
}

guest_is_gone() { ! on "$1" "xl domid '$2'" > /dev/null 2>&1; }
