# shellcheck shell=bash
# The wide area between the hosts: netem on both ends' card, so that each direction has the rate and the
# delay; management by ssh goes another way and is never touched.

# link_set RATE DELAY [LOSS]: for example link_set 100mbit 20ms 0.1%. The delay is one way.
link_set() {
    printf 'delay %s rate %s%s\n' "$2" "$1" "${3:+ loss $3}" > "$LAB/link"
    link_restore
}

# link_free: no limits.
link_free() { rm -f "$LAB/link"; link_restore; }

# link_cut: packets vanish both ways, as when a cable in the far distance breaks. No card sees it.
link_cut() {
    local host jobs=()
    for host in $LAB_HOSTS; do
        on "$host" tc qdisc replace dev wan0 root netem loss 100% limit 10000 &
        jobs+=($!)
    done
    wait_for_jobs "link_cut" "${jobs[@]}"
}

# link_restore: as it was set before the cut.
link_restore() {
    local host how jobs=()
    how=$(cat "$LAB/link" 2> /dev/null || true)
    for host in $LAB_HOSTS; do
        if [ -n "$how" ]; then
            on "$host" "tc qdisc replace dev wan0 root netem $how limit 10000"
        else
            on "$host" "tc qdisc del dev wan0 root 2> /dev/null || true"
        fi &
        jobs+=($!)
    done
    wait_for_jobs "link_restore" "${jobs[@]}"
}

# link_bytes HOST: "SENT RECEIVED", the card's own counters.
link_bytes() { on "$1" 'cd /sys/class/net/wan0/statistics; paste -d " " tx_bytes rx_bytes'; }

# wait_for_jobs WHAT PID...: background jobs of this shell, all of which must succeed.
wait_for_jobs() {
    local what=$1 job
    shift
    for job; do wait "$job" || fail "$what"; done
}
