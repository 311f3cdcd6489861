# shellcheck shell=bash
# teleport-evacuate on host1. The events of the last one are in $LAB/evacuation, what it said else beside it.

# evacuate CODE OPTION...: to its end, which must be this exit code. LAB_LOCAL_TIME may be set (before_five).
evacuate() {
    local expected=$1 code=0 began
    began=$(now_ms)
    shift
    : > "$LAB/evacuation"
    host1 "${LAB_LOCAL_TIME:-} teleport-evacuate --json --retry-pause 5 $*" > "$LAB/evacuation" 2> "$LAB/evacuation.errors" || code=$?
    say "evacuation ($*): exit code $code, $(tail -n 1 "$LAB/evacuation") $(cat "$LAB/evacuation.errors")"
    assert_equal "the exit code of teleport-evacuate $*" "$expected" "$code"
    say "measured: teleport-evacuate $*: $(seconds_since "$began") s, $(events 'select(.event == "moved").report.link.sent' |
        awk '{ n++; sum += $1 } END { printf "%d moved, %.1f MB sent", n, sum / 1e6 }')"
}

# events FILTER: of the last evacuation. fate GUEST: what became of it.
events() { jq -r "$1" "$LAB/evacuation"; }
fate() { events "select(.event == \"over\") | .guests[] | select(.guest == \"$1\") | .fate"; }

# evacuation_record: what it wrote down, empty when there is none
evacuation_record() { host1 "cat /var/lib/xl-teleport/evacuation/record.jsonl 2> /dev/null || true"; }

# sends GUEST: some of its disk has been sent
sends() { grep -q "\"guest\":\"$1\",\"progress\":.*\"phase\":\"bulk\"" "$LAB/evacuation"; }

# before_five SECONDS: a time zone in which it is so long before five in the morning
before_five() {
    local ahead=$((($(host1 'date -u +%s') + 86400 - (5 * 3600 - $1)) % 86400))
    echo "TZ=LAB+$((ahead / 3600)):$((ahead / 60 % 60)):$((ahead % 60))"
}

# has_moved FROM TO GUEST: it runs there and there only, writes on, and its disks were equal at the cut-over
has_moved() {
    mkdir -p "$LAB/teleport"
    events "select(.event == \"moved\" and .guest == \"$3\").report | tojson" > "$LAB/teleport/report"
    assert_equal "the fate of $3" moved "$(fate "$3")"
    losses_are 0
    assert_equal "where $3 runs" "${2#host}" "$(guest_hosts "$3")"
    disks_equal "$1" "$2" "$3"
    guest_alive "$2" "$3"
}
