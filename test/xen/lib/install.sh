# shellcheck shell=bash
# Our programs, into both dom0s, the way a user installs them.

# install_programs: the Debian package, built from the tree (or LAB_PACKAGE, which is built), onto each host as its
# administrator would, and the daemon started (the hosts have no systemd, which would do that).
install_programs() {
    local host packages=("${LAB_PACKAGE:-}") build=${BUILD:-build} goal jobs=()
    if [ -z "${LAB_PACKAGE:-}" ]; then
        for goal in 'all man' deb; do
            # a package that is newer than all that it could be made of is built
            [ "$goal" = deb ] && package_is_fresh "$build" && continue
            # shellcheck disable=SC2086
            make -s -j"$(nproc)" -C "$REPOSITORY" $goal > "$LAB/logs/install.log" 2>&1 9>&- ||
                fail "make $goal: $(tail -5 "$LAB/logs/install.log")"
        done
        packages=("$REPOSITORY/$build"/deb/xl-teleport_*_amd64.deb)
    fi
    for host in $LAB_HOSTS; do
        install_package "$host" "${packages[0]}" &
        jobs+=($!)
    done
    wait_for_jobs "installing" "${jobs[@]}"
}
install_package() {
    on_input "$1" 'cat > /root/xl-teleport.deb' < "$2"
    # The emulated disk is in the memory of this machine: syncing it file by file only takes time.
    on "$1" dpkg --force-unsafe-io --install /root/xl-teleport.deb > "$LAB/logs/install-host$1.log" 2>&1 ||
        fail "dpkg --install on host$1: $(tail -5 "$LAB/logs/install-host$1.log")"
    daemon_restart "$1"
}

# package_is_fresh BUILD: it is there, and nothing but tests has changed since.
package_is_fresh() {
    (
        cd "$REPOSITORY" || exit 1
        compgen -G "$1/deb/xl-teleport_*_amd64.deb" > /dev/null || exit 1
        [ -z "$(find . \( -path ./.git -o -path ./test -o -path "./$1/test" -o -path "./$1/deb" -o -path './build-*' \) -prune \
            -o -type f -newer "$(compgen -G "$1/deb/xl-teleport_*_amd64.deb" | head -n 1)" -print -quit)" ]
    )
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
