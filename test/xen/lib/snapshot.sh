# shellcheck shell=bash
# Hosts as files: a lab that is up is written into a directory (for each host its memory, as QEMU's migration stream,
# and its disks), and hosts go on from there in seconds, as often as wanted.

# qmp HOST COMMAND [JSON ARGUMENTS]: its answer. One connection for each: QEMU serves one at a time.
qmp() { python3 "$LAB_ROOT/lib/qmp.py" "$LAB/host${1#host}/qmp" "${@:2}"; }

# lab_snapshot DIRECTORY: writes all hosts there; they have ended afterwards (lab_resume has them go on).
lab_snapshot() {
    local directory=$1 host part=$1.part jobs=()
    rm -rf "$part"
    for host in $LAB_HOSTS; do
        mkdir -p "$part/host$host"
        host_save "$host" "$part/host$host" &
        jobs+=($!)
    done
    wait_for_jobs "saving the hosts" "${jobs[@]}"
    lab_write_env
    cp "$LAB/env" "$part/env"
    mv "$part" "$directory"
}

# host_save HOST DIRECTORY. What the page cache holds is on the disk, too, and free memory need not be what it was: pages
# of zeros are not in the file, which is a third as long. Guests are paused meanwhile: QEMU 7.2 saves an emulated processor
# that runs one and does not load it again ("vCPU set in guest-mode inconsistent with migrated kernel nested state").
host_save() {
    local host=$1 directory=$2 disk
    on "$host" "$(declare -f each_guest); each_guest pause"
    on "$host" 'sync; echo 3 > /proc/sys/vm/drop_caches
        head -c "$(awk "/^MemFree:/ { print int(\$2 * 0.8) }" /proc/meminfo)K" /dev/zero > /run/zeros 2> /dev/null; rm -f /run/zeros'
    lab_kill "ssh$host"
    qmp "$host" stop > /dev/null
    qmp "$host" migrate-set-parameters '{"max-bandwidth": 100000000000}' > /dev/null
    qmp "$host" migrate "{\"uri\": \"exec:cat > '$directory/memory'\"}" > /dev/null
    wait_for "host$host's memory in $directory" 120 host_is_saved "$host"
    # closes its disks in order, which a signal would not do
    qmp "$host" quit > /dev/null
    wait_for "the end of host$host" 30 host_has_ended "$host"
    lab_kill "host$host"
    for disk in dom0.qcow2 data.qcow2 lvm.img; do cp --sparse=always --reflink=auto "$LAB/host$host/$disk" "$directory/"; done
}
# On a host. each_guest pause|unpause: what is not so already; Xen counts pauses.
each_guest() {
    xl list | awk -v act="$1" 'NR > 2 && ($5 ~ /p/) == (act == "unpause") { print $1 }' | xargs -r -n 1 xl "$1"
}
host_is_saved() {
    case $(qmp "$1" query-migrate | jq -r .status) in
        completed) ;;
        failed | cancelled) fail "host$1 cannot be saved: $(qmp "$1" query-migrate)" ;;
        *) false ;;
    esac
}
host_has_ended() { ! lab_pid_runs "$LAB/pids/host$1"; }

# lab_resume DIRECTORY [paused]: hosts as they were when they were saved there, but for the time of day; those that run end.
# Guests go on, unless they are to stay paused. The scripts in there are today's.
lab_resume() {
    local directory=$1 guests=${2:-} host disk jobs=()
    # shellcheck disable=SC1091
    . "$directory/env"
    for host in $LAB_HOSTS; do
        lab_kill "ssh$host" "host$host"
        mkdir -p "$LAB/host$host"
        rm -f "$LAB/host$host"/{qmp,mux}
        [ ! -e "$LAB/host$host/console.log" ] || mv "$LAB/host$host/console.log" "$LAB/host$host/console.log.$(date +%s%N)"
        # New files: an emulator that has not ended yet keeps its own.
        for disk in dom0 data; do
            rm -f "$LAB/host$host/$disk.qcow2"
            disk_overlay "$directory/host$host/$disk.qcow2" qcow2 "$LAB/host$host/$disk.qcow2" || fail "host$host has no disk $disk"
        done
        cp --sparse=always --reflink=auto "$directory/host$host/lvm.img" "$LAB/host$host/"
    done
    rm -f "$LAB/wan"
    for host in $LAB_HOSTS; do host_power_on "$host" -incoming "exec:cat '$directory/host$host/memory'"; done
    for host in $LAB_HOSTS; do
        host_go_on "$host" "$guests" &
        jobs+=($!)
    done
    wait_for_jobs "hosts that go on from $directory" "${jobs[@]}"
    hosts_get_scripts
    lab_write_env
}
host_go_on() {
    wait_for "host$1's memory" 60 host_is_loaded "$1"
    qmp "$1" cont > /dev/null
    host_reach "$1"
    on "$1" "date -u -s @$(date +%s) > /dev/null"
    [ "$2" = paused ] || on "$1" "$(declare -f each_guest); each_guest unpause"
}
host_is_loaded() {
    lab_pid_runs "$LAB/pids/host$1" || fail "host$1's emulator has ended: $(cat "$LAB/logs/host$1.out")"
    case $(qmp "$1" query-status | jq -r .status) in inmigrate) false ;; esac
}
