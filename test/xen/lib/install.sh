# shellcheck shell=bash
# Our programs, into both dom0s, the way a user installs them.

# install_programs: "make install" into a staging tree, once for each lab, then onto each host, and the
# daemon started. Without a Makefile or its install target it says so and returns 1.
install_programs() {
    local stage=$LAB/stage host
    if ! make -n -C "$REPOSITORY" install DESTDIR="$stage" PREFIX=/usr/local > /dev/null 2>&1; then
        say "there is no 'make install' yet: only stock Xen in the hosts"
        return 1
    fi
    rm -rf "$stage"
    make -s -C "$REPOSITORY" install DESTDIR="$stage" PREFIX=/usr/local > "$LAB/logs/install.log" 2>&1 ||
        fail "make install: $(tail -5 "$LAB/logs/install.log")"
    find "$stage" -type f -perm -u+x -exec sh -c 'head -c4 "$1" | grep -q ELF && strip "$1"' _ {} \;
    for host in $LAB_HOSTS; do
        tar -C "$stage" -cf - . | on_input "$host" 'tar -C / --no-same-owner --no-overwrite-dir -xf - && ldconfig' ||
            fail "cannot install on host$host"
        daemon_restart "$host"
    done
}

# daemon_restart HOST, daemon_stop HOST: teleportd; what it says is in /var/log/teleportd.log there.
# shellcheck disable=SC2016  # the variables are the other shell's
daemon_restart() {
    daemon_stop "$1"
    on "$1" 'PATH=/usr/local/sbin:/usr/local/bin:$PATH
        program=$(command -v teleportd) || { echo "no teleportd installed" >&2; exit 1; }
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
