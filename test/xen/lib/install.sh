# shellcheck shell=bash
# Our programs, into both dom0s, the way a user installs them.

# install_programs: the Debian package, built from the tree (or LAB_PACKAGE, which is built), onto each host as its
# administrator would, and the daemon started (the hosts have no systemd, which would do that).
install_programs() {
    local host packages=("${LAB_PACKAGE:-}")
    if [ -z "${LAB_PACKAGE:-}" ]; then
        make -s -C "$REPOSITORY" deb > "$LAB/logs/install.log" 2>&1 9>&- || fail "make deb: $(tail -5 "$LAB/logs/install.log")"
        packages=("$REPOSITORY/${BUILD:-build}"/deb/xl-teleport_*_amd64.deb)
    fi
    for host in $LAB_HOSTS; do
        on_input "$host" 'cat > /root/xl-teleport.deb' < "${packages[0]}"
        # The emulated disk is in the memory of this machine: syncing it file by file only takes time.
        on "$host" dpkg --force-unsafe-io --install /root/xl-teleport.deb > "$LAB/logs/install-host$host.log" 2>&1 ||
            fail "dpkg --install on host$host: $(tail -5 "$LAB/logs/install-host$host.log")"
        daemon_restart "$host"
    done
}

# daemon_restart HOST, daemon_stop HOST: teleportd; what it says is in /var/log/teleportd.log there.
# shellcheck disable=SC2016  # the variables are the other shell's
daemon_restart() {
    daemon_stop "$1"
    on "$1" 'program=$(command -v teleportd) || { echo "no teleportd installed" >&2; exit 1; }
        setsid "$program" >> /var/log/teleportd.log 2>&1 < /dev/null & echo $! > /run/teleportd.lab.pid' ||
        fail "teleportd does not start on host $1"
    wait_for "teleportd on host $1" 60 on "$1" 'kill -0 $(cat /run/teleportd.lab.pid)'
}

# shellcheck disable=SC2016
daemon_stop() {
    on "$1" 'read -r pid 2> /dev/null < /run/teleportd.lab.pid || exit 0
        kill "$pid" 2> /dev/null; for i in $(seq 100); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null; rm -f /run/teleportd.lab.pid; true'
}
