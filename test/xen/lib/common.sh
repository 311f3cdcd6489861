# shellcheck shell=bash
# What everything in the lab needs: where it lives, messages, waiting for events, processes that end.

LAB_ROOT=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
REPOSITORY=$(dirname "$(dirname "$LAB_ROOT")")
LAB_CACHE=${XL_TELEPORT_CACHE:-/var/cache/xl-teleport-lab}
export LAB_ROOT REPOSITORY LAB_CACHE

# Waits are for conditions; on a busy machine emulation takes three times as long: LAB_PATIENCE=3.
# The hosts go before other work of the machine: libxl gives a hotplug script 40 s of real time and no more.
: "${LAB_PATIENCE:=1}" "${LAB_NICE:=-10}"

say() { printf 'lab: %s\n' "$*" >&2; }

# fail MESSAGE...: ends the scenario.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    local i
    for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
        printf '    in %s (%s:%s)\n' "${FUNCNAME[i]}" "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" >&2
    done
    exit 1
}

# wait_for WHAT SECONDS COMMAND...: until the command succeeds; fails the scenario when it does not in time.
wait_for() {
    local what=$1 seconds=$(($2 * LAB_PATIENCE)) deadline pauses=(0.05 0.1 0.2 0.4) pause=0
    shift 2
    deadline=$((SECONDS + seconds))
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "waited $seconds s for: $what"
        # Most questions are a command in a host, whose one processor is wanted for what is waited for.
        sleep "${pauses[pause]:-0.8}"
        pause=$((pause + 1))
    done
}

# assert WHAT COMMAND...
assert() {
    local what=$1
    shift
    "$@" || fail "$what"
}

# assert_equal WHAT EXPECTED FOUND
assert_equal() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

# now_ms: milliseconds for measuring.
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }

# seconds_since MS: with one decimal.
seconds_since() { local d=$(($(now_ms) - $1)); printf '%d.%d' $((d / 1000)) $((d % 1000 / 100)); }

# ---- the lab's directory: one for each running lab, named by LAB ----

# lab_directory_new: makes one, and clears away what dead labs left.
lab_directory_new() {
    local directory number=0
    for directory in /tmp/xl-teleport-lab.*; do
        [ -d "$directory" ] && lab_is_stale "$directory" && lab_remove "$directory"
    done
    if [ -n "${XL_TELEPORT_LAB:-}" ]; then
        LAB=$XL_TELEPORT_LAB
        if [ -d "$LAB" ]; then
            lab_is_stale "$LAB" || fail "$LAB is in use: test/xen/down first"
            lab_remove "$LAB"
        fi
        mkdir -p "$LAB"
    else
        until LAB=/tmp/xl-teleport-lab.$number && mkdir "$LAB" 2> /dev/null; do number=$((number + 1)); done
    fi
    export LAB
    mkdir -p "$LAB"/{pids,logs}
    echo $$ > "$LAB/owner"
    [ -n "${LAB_DETACHED:-}" ] || lab_guard
}

# lab_directory_find: the one named by XL_TELEPORT_LAB, or the only one that runs.
lab_directory_find() {
    local found=() directory
    if [ -n "${XL_TELEPORT_LAB:-}" ]; then
        LAB=$XL_TELEPORT_LAB
    else
        for directory in /tmp/xl-teleport-lab.*; do
            [ -e "$directory/env" ] && ! lab_is_stale "$directory" && found+=("$directory")
        done
        [ ${#found[@]} -gt 0 ] || fail "no lab is up: start one with test/xen/up"
        [ ${#found[@]} -eq 1 ] || fail "several labs are up, set XL_TELEPORT_LAB to one of: ${found[*]}"
        LAB=${found[0]}
    fi
    export LAB
    [ -e "$LAB/env" ] || fail "$LAB is no lab that is up"
    # shellcheck disable=SC1091
    . "$LAB/env"
}

# Stale: nothing of it runs, and its logs were not kept for a reader; or its runner died.
lab_is_stale() {
    local owner file
    owner=$(cat "$1/owner" 2> /dev/null)
    [ -n "$owner" ] && [ -d "/proc/$owner" ] && return 1
    if [ -z "$owner" ]; then
        for file in "$1"/pids/*; do lab_pid_runs "$file" && return 1; done
        [ -e "$1/kept" ] && [ -n "$(find "$1" -maxdepth 0 -mmin -2880)" ] && return 1
    fi
    return 0
}

# process_start PID: when it was started, in the kernel's ticks; with its number it names a process for good. (Its
# command line does not: that is empty for a moment in each exec.) A killed process whose other threads (field 20) have
# not ended still holds its files and locks.
process_start() {
    local fields
    { read -r fields < "/proc/$1/stat"; } 2> /dev/null || return 1
    read -r -a fields <<< "${fields##*) }"
    { [ "${fields[0]}" != Z ] || [ "${fields[17]}" -gt 1 ]; } && echo "${fields[19]}"
}

# lab_pid_runs FILE: a recorded process runs, and not another one that got its number since.
lab_pid_runs() {
    local pid start
    { read -r pid start < "$1"; } 2> /dev/null && [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ]
}

# lab_kill NAME...: ends recorded processes of this lab.
lab_kill() {
    local name pid file
    for name; do
        file=$LAB/pids/$name
        if lab_pid_runs "$file"; then
            read -r pid _ < "$file"
            kill -KILL "$pid" 2> /dev/null
            while lab_pid_runs "$file"; do sleep 0.05; done
        fi
        rm -f "$file"
    done
}

lab_remove() {
    local file
    for file in "$1"/pids/*; do [ -e "$file" ] && LAB=$1 lab_kill "${file##*/}"; done
    rm -rf "$1"
}

# lab_start NAME COMMAND...: a background process of the lab, recorded, in a session of its own. Where the kernel groups
# processes by session, nice counts only within one: the session's own has to be set, and from inside of it.
lab_start() {
    local name=$1
    shift
    # shellcheck disable=SC2016
    setsid sh -c '{ echo "$0" > /proc/self/autogroup; } 2> /dev/null; exec nice -n "$0" "$@"' "$LAB_NICE" "$@" \
        > "$LAB/logs/$name.out" 2>&1 < /dev/null 8>&- 9>&- &
    echo "$! $(process_start $!)" > "$LAB/pids/$name"
    disown
}

# lab_guard: ends this lab should its runner die without a chance to do so. The runner is the lab's owner; a lab
# that is to stay up has none.
lab_guard() {
    # shellcheck disable=SC2016
    LAB_NICE=0 lab_start guard bash -c '. "$2"; LAB=${1%/}; read -r owner < "$LAB/owner"
        while [ -d "/proc/$owner" ]; do sleep 2; done
        rm -f "$LAB/pids/guard"; [ ! -e "$LAB/owner" ] || lab_remove "$LAB"' lab-guard "$LAB/" "$LAB_ROOT/lab.sh"
}
