# shellcheck shell=bash
# Emulated Xen hosts: booting, reaching, crashing and stopping them.

# What TCG emulates beyond the plain model: SVM with nested pages so that Xen runs PVH guests, and the
# instructions that hashes and ciphers are fast with.
: "${LAB_CPU:=qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+rdrand}"
# One processor each: two emulated ones wait for each other whenever the machine is busy.
: "${LAB_VCPUS:=1}" "${LAB_MEMORY:=2560}" "${LAB_DOM0_MEMORY:=1024}"

# What each host is: of a release of Debian, bookworm (Xen 4.17, Linux 6.1) or trixie (4.20, 6.12), which is up in
# seconds; or bookworm-systemd, which boots as an administrator's does.
: "${LAB_HOST1:=bookworm}" "${LAB_HOST2:=bookworm}"
# host_kind HOST, host_release HOST; host_images HOST: where its disk, Xen and kernel are
host_kind() { local kind=LAB_HOST${1#host}; echo "${!kind}"; }
host_release() { local kind; kind=$(host_kind "$1"); echo "${kind%-systemd}"; }
host_images() { "$LAB_ROOT/images/build" --host "$(host_kind "$1")"; }

# lab_new: a lab without hosts.
lab_new() {
    LAB_HOSTS='1 2'
    LAB_IMAGES=$("$LAB_ROOT/images/build" "$LAB_HOST1" "$LAB_HOST2") || fail "no images"
    lab_directory_new
    install -m 600 "$LAB_IMAGES/id" "$LAB/id"
}

# hosts_get_scripts: what scenarios call in there.
hosts_get_scripts() {
    local host
    for host in $LAB_HOSTS; do
        tar -C "$LAB_ROOT" -cf - dom0 |
            on_input "$host" 'rm -rf /usr/local/lib/lab; tar -C /usr/local/lib -xf - --no-same-owner && mv /usr/local/lib/dom0 /usr/local/lib/lab'
    done
}

# lab_boot: the hosts from their images.
lab_boot() {
    local host
    for host in $LAB_HOSTS; do
        lab_kill "ssh$host" "host$host"
        rm -rf "$LAB/host$host"
        mkdir "$LAB/host$host"
        disk_overlay "$(host_images "$host")/dom0.img" raw "$LAB/host$host/dom0.qcow2"
        disk_overlay "$LAB_IMAGES/data.img" raw "$LAB/host$host/data.qcow2"
        truncate -s 8G "$LAB/host$host/lvm.img"
    done
    rm -f "$LAB/wan"
    for host in $LAB_HOSTS; do host_power_on "$host"; done
    for host in $LAB_HOSTS; do host_wait "$host"; done
}

# disk_overlay IMAGE FORMAT OVERLAY
disk_overlay() { qemu-img create -q -f qcow2 -F "$2" -b "$1" "$3"; }

lab_write_env() {
    {
        echo "LAB_IMAGES='$LAB_IMAGES' LAB_HOSTS='$LAB_HOSTS'"
        echo "LAB_HOST1='$LAB_HOST1' LAB_HOST2='$LAB_HOST2'"
        echo "LAB_VCPUS='$LAB_VCPUS' LAB_MEMORY='$LAB_MEMORY' LAB_DOM0_MEMORY='$LAB_DOM0_MEMORY' LAB_CPU='$LAB_CPU'"
    } > "$LAB/env"
}

# host_power_on HOST [OPTION...]: starts the emulator; its disks keep what an earlier life wrote. Its devices interrupt by level
# (vectors=0): once the message of one was lost between QEMU and Xen, and its disk stood still for good with all that
# was asked of it done (x-query-virtio-queue-status: used-idx equal to avail-idx, 48 writes in flight in dom0).
host_power_on() {
    local host=$1 directory=$LAB/host$1 port attempt wan boot
    boot=$(host_images "$1")
    shift
    local quick="mitigations=off cryptomgr.notests audit=0 apparmor=0 init_on_alloc=0 random.trust_cpu=on"
    if [ "$host" = 1 ]; then wan=server=on; else wan=server=off; fi
    [ "$host" = 1 ] || wait_for "host1's end of the wide area" 20 test -S "$LAB/wan"
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$(free_port)
        lab_start "host$host" qemu-system-x86_64 -name "xen-host$host" -nodefaults -no-user-config -display none -no-reboot \
            -accel tcg,thread=multi -cpu "$LAB_CPU" -smp "$LAB_VCPUS" -m "$LAB_MEMORY" \
            -kernel "$boot/xen" \
            -append "console=com1 com1=115200,8n1 dom0_mem=${LAB_DOM0_MEMORY}M,max:${LAB_DOM0_MEMORY}M spec-ctrl=no loglvl=info guest_loglvl=info" \
            -initrd "$boot/vmlinux-dom0 console=hvc0 root=/dev/vda quiet $quick lab.host=$host,$boot/initrd-dom0" \
            -global virtio-blk-pci.vectors=0 -global virtio-net-pci.vectors=0 \
            -drive "file=$directory/dom0.qcow2,if=virtio,cache=unsafe,discard=unmap" \
            -drive "file=$directory/data.qcow2,if=virtio,cache=unsafe,discard=unmap" \
            -drive "file=$directory/lvm.img,format=raw,if=virtio,cache=unsafe,discard=unmap" \
            -netdev "user,id=mgmt,hostfwd=tcp:127.0.0.1:$port-:22" \
            -device "virtio-net-pci,netdev=mgmt,mac=52:54:00:77:00:0$host,romfile=" \
            -netdev "stream,id=wan,$wan,addr.type=unix,addr.path=$LAB/wan" \
            -device "virtio-net-pci,netdev=wan,mac=52:54:00:77:01:0$host,romfile=" \
            -chardev "file,id=console,path=$directory/console.log,append=on" -serial chardev:console \
            -qmp "unix:$directory/qmp,server=on,wait=off" "$@"
        wait_for "the emulator of host$host" 20 host_started_or_gone "$host"
        if [ -S "$directory/qmp" ] && lab_pid_runs "$LAB/pids/host$host"; then
            echo "$port" > "$directory/port"
            ssh_config "$host" "$port"
            return
        fi
        say "host$host did not start, try $attempt: $(tail -1 "$LAB/logs/host$host.out")"
    done
    fail "the emulator of host$host does not start"
}

host_started_or_gone() { [ -S "$LAB/host$1/qmp" ] || ! lab_pid_runs "$LAB/pids/host$1"; }

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo $port; return; }
    done
}

ssh_config() {
    cat > "$LAB/host$1/ssh" << EOF
Host host$1
    HostName 127.0.0.1
    Port $2
    User root
    IdentityFile $LAB/id
    IdentitiesOnly yes
    UserKnownHostsFile $LAB_IMAGES/known_hosts
    ControlPath $LAB/host$1/mux
    ServerAliveInterval 20
    ServerAliveCountMax 10
    LogLevel ERROR
    ConnectTimeout 30
EOF
}

# host_wait HOST: until dom0 answers and all of its services run.
host_wait() {
    local host=$1
    wait_for "host$host's start (see $LAB/host$host/console.log)" 180 host_is_up "$host"
    host_reach "$host"
}

# host_reach HOST: until it answers by ssh.
host_reach() {
    local host=$1
    lab_start "ssh$host" ssh -F "$LAB/host$host/ssh" -M -N "host$host"
    wait_for "ssh to host$host" 60 ssh_master_is_up "$host"
}

host_is_up() {
    lab_pid_runs "$LAB/pids/host$1" || fail "host$1's emulator has ended: $(cat "$LAB/logs/host$1.out")"
    grep -aq "lab: host$1 is up" "$LAB/host$1/console.log" 2> /dev/null
}

ssh_master_is_up() {
    lab_pid_runs "$LAB/pids/ssh$1" || lab_start "ssh$1" ssh -F "$LAB/host$1/ssh" -M -N "host$1"
    ssh -F "$LAB/host$1/ssh" -O check "host$1" 2> /dev/null
}

# on HOST COMMAND...: runs it in that dom0, by ssh's rules (one string for the shell there).
# HOST is 1, 2, host1 or host2. on_input hands over standard input too.
on() { local host=${1#host}; shift; ssh -F "$LAB/host$host/ssh" -n "host$host" "$@"; }
on_input() { local host=${1#host}; shift; ssh -F "$LAB/host$host/ssh" "host$host" "$@"; }
host1() { on 1 "$@"; }
host2() { on 2 "$@"; }

# copy_to HOST FROM... TO, copy_from HOST FROM TO
copy_to() { local host=${1#host}; shift; scp -q -F "$LAB/host$host/ssh" -r "${@:1:$#-1}" "host$host:${*: -1}"; }
copy_from() { local host=${1#host}; scp -q -F "$LAB/host$host/ssh" -r "host$host:$2" "$3"; }

# host_crash HOST: as if its power cord was pulled. host_boot HOST: on again, with the disks as they are.
# Crash host2 freely; host1 holds the wide area's end, so both have to be booted again after its crash.
host_crash() {
    local host=${1#host}
    lab_kill "ssh$host" "host$host"
    rm -f "$LAB/host$host/qmp" "$LAB/host$host/mux"
    mv "$LAB/host$host/console.log" "$LAB/host$host/console.log.$(date +%s%N)"
}
host_boot() { host_power_on "${1#host}" && host_wait "${1#host}"; }

# lab_down: everything ends; the logs stay when LAB_KEEP is set.
lab_down() {
    local file
    [ -n "${LAB:-}" ] && [ -d "$LAB" ] || return 0
    for file in "$LAB"/pids/*; do [ -e "$file" ] && lab_kill "${file##*/}"; done
    if [ -n "${LAB_KEEP:-}" ]; then
        rm -f "$LAB"/host*/*.{qcow2,img} "$LAB/env" "$LAB/owner"
        touch "$LAB/kept"
    else
        rm -rf "$LAB"
    fi
}

# dom0_weight WEIGHT: dom0's part of each host's one processor (a guest's is 256), which it has for itself on a real host.
dom0_weight() {
    local host
    for host in $LAB_HOSTS; do on "$host" xl sched-credit2 -d Domain-0 -w "$1"; done
}
