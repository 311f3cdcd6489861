# shellcheck shell=bash
# Our programs, into both dom0s, the way a user installs them.

# install_programs: the Debian package of each host's release, built from the tree (or LAB_PACKAGE, which is built, on
# both), onto each host as its administrator would, and the daemon started, which the package does on a host with systemd.
install_programs() {
    local host jobs=()
    for host in $LAB_HOSTS; do build_package "$(host_release "$host")"; done
    for host in $LAB_HOSTS; do
        install_package "$host" "$(package_of "$(host_release "$host")")" &
        jobs+=($!)
    done
    wait_for_jobs "installing" "${jobs[@]}"
}

# build_package RELEASE: in this machine if it is of that release, else in a root of it; none that is newer than all
# that it could be made of. Two labs may want it at once, and `run --packages` beside one.
build_package() {
    [ -z "${LAB_PACKAGE:-}" ] || return 0
    mkdir -p "$LAB_CACHE"
    flock "$LAB_CACHE/package-$1.lock" bash -c '. "$LAB_ROOT/lab.sh"; build_package_alone "$1"' build "$1" 9>&- || exit 1
}
build_package_alone() {
    local goal
    if [ "$1" = "$(own_release)" ]; then
        # shellcheck disable=SC2086
        for goal in 'all man' deb; do
            [ "$goal" = deb ] && package_is_fresh "$1" && continue
            make -s -j"$(nproc)" -C "$REPOSITORY" $goal > "$LAB/logs/install.log" 2>&1 ||
                fail "make $goal: $(tail -5 "$LAB/logs/install.log")"
        done
    elif ! package_is_fresh "$1"; then
        "$REPOSITORY/tools/package/in-release" "$1" make -s -j"$(nproc)" deb > "$LAB/logs/install-$1.log" 2>&1 ||
            fail "make deb for $1: $(tail -5 "$LAB/logs/install-$1.log")"
    fi
}
# own_release: of this machine.
# shellcheck disable=SC1091
own_release() { (. /etc/os-release && echo "$VERSION_CODENAME"); }
# build_of RELEASE: where it is built, from the tree's root on.
build_of() { if [ "$1" = "$(own_release)" ]; then echo "${BUILD:-build}"; else echo "build-$1"; fi; }
# package_of RELEASE: the file.
package_of() {
    [ -z "${LAB_PACKAGE:-}" ] || { echo "$LAB_PACKAGE"; return; }
    compgen -G "$REPOSITORY/$(build_of "$1")/deb/xl-teleport_*_amd64.deb" | head -n 1
}
install_package() {
    on_input "$1" 'cat > /root/xl-teleport.deb' < "$2"
    # The emulated disk is in the memory of this machine: syncing it file by file only takes time.
    on "$1" dpkg --force-unsafe-io --force-confold --install /root/xl-teleport.deb > "$LAB/logs/install-host$1.log" 2>&1 ||
        fail "dpkg --install on host$1: $(tail -5 "$LAB/logs/install-host$1.log")"
    daemon_restart "$1"
}

# package_is_fresh RELEASE: it is there, and nothing but tests has changed since.
package_is_fresh() {
    local package build
    package=$(package_of "$1")
    build=$(build_of "$1")
    [ -n "$package" ] || return 1
    (
        cd "$REPOSITORY" || exit 1
        [ -z "$(find . \( -path ./.git -o -path ./test -o -path "./$build/test" -o -path "./$build/deb" -o -path './build-*' \
            -o \( -path ./build ! -path "./$build" \) \) -prune -o -type f -newer "$package" -print -quit)" ]
    )
}

# daemon_restart HOST, daemon_stop HOST: teleportd; what it says is in /var/log/teleportd.log there.
# shellcheck disable=SC2016  # the variables are the other shell's
daemon_restart() {
    daemon_stop "$1"
    if has_systemd "$1"; then
        on "$1" systemctl start teleportd || fail "teleportd does not start on host $1: $(on "$1" systemctl status teleportd)"
        return
    fi
    on "$1" 'program=$(command -v teleportd) || { echo "no teleportd installed" >&2; exit 1; }
        setsid "$program" >> /var/log/teleportd.log 2>&1 < /dev/null & echo $! > /run/teleportd.lab.pid' ||
        fail "teleportd does not start on host $1"
    wait_for "teleportd on host $1" 60 on "$1" 'kill -0 $(cat /run/teleportd.lab.pid)'
}

has_systemd() { [[ $(host_kind "$1") == *-systemd ]]; }

# shellcheck disable=SC2016
daemon_stop() {
    if has_systemd "$1"; then
        on "$1" systemctl stop teleportd
        return
    fi
    on "$1" 'read -r pid 2> /dev/null < /run/teleportd.lab.pid || exit 0
        kill "$pid" 2> /dev/null; for i in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null; rm -f /run/teleportd.lab.pid; true'
}

# host_upgrade HOST RELEASE: the host is installed anew with another release of Debian and boots. As a person would do it,
# the disk with the guests stays, and our keys, peers, configuration and state are carried over; the consoles of its guests
# are, too, for the witness. Not for host1, which holds the wide area's end.
host_upgrade() {
    local host=${1#host} carried='etc/xen/teleport etc/xen/teleport.conf var/lib/xl-teleport var/log/xen/console'
    daemon_stop "$host"
    on "$host" "tar -C / -cf /srv/lab/carried.tar $carried && sync" || fail "the state of host$host cannot be carried over"
    host_crash "$host"
    eval "LAB_HOST$host=$2"
    "$LAB_ROOT/images/build" "$2" > /dev/null || fail "no images of $2"
    rm "$LAB/host$host/dom0.qcow2"
    disk_overlay "$(host_images "$host")/dom0.img" raw "$LAB/host$host/dom0.qcow2"
    host_boot "$host"
    hosts_get_scripts
    build_package "$2"
    on "$host" 'tar -C / -xf /srv/lab/carried.tar && rm /srv/lab/carried.tar'
    gate_watch "$host"
    install_package "$host" "$(package_of "$2")"
}
