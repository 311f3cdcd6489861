# shellcheck shell=bash
# teleport-evacuate. The events of the last one are in $LAB/evacuation, what it said else beside it.

# evacuate HOST CODE OPTION...: to its end, which must be this exit code.
evacuate() {
    local host=$1 expected=$2 code=0 began
    began=$(now_ms)
    shift 2
    : > "$LAB/evacuation"
    on "$host" "teleport-evacuate --json --retry-pause 5 $*" > "$LAB/evacuation" 2> "$LAB/evacuation.errors" || code=$?
    say "evacuation ($*): exit code $code, $(tail -n 1 "$LAB/evacuation") $(cat "$LAB/evacuation.errors")"
    assert_equal "the exit code of teleport-evacuate $*" "$expected" "$code"
    say "measured: teleport-evacuate $*: $(seconds_since "$began") s, $(events 'select(.event == "moved").report.link.sent' |
        awk '{ n++; sum += $1 } END { printf "%d moved, %.1f MB sent", n, sum / 1e6 }')"
}

# events FILTER: of the last evacuation. fate GUEST: what became of it.
events() { jq -r "$1" "$LAB/evacuation"; }
fate() { events "select(.event == \"over\") | .guests[] | select(.guest == \"$1\") | .fate"; }

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
