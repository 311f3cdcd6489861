#!/bin/bash
# The true cause is said: of a host that does not answer as teleportd does, of a
# host without Xen, of a file that cannot be read, of what is no disk.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"

xl_teleport=$TELEPORT_BUILD/xl-teleport/xl-teleport
ctl=("$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/here/teleport.conf")
head -c 1M /dev/urandom >web1.img

# What answers that is not teleportd, and what breaks off.
expect_exit 1 "${ctl[@]}" seed --disk web1.img no-such-host
expect_text err "no address is known for 'no-such-host'"
cat >others.py <<'EOF'
import signal, socket
banner = socket.create_server(("127.0.0.1", 9001))
reset = socket.create_server(("127.0.0.1", 9002))
print("ready", flush=True)
one, _ = banner.accept()
one.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
other, _ = reset.accept()
other.recv(1)
other.close()
one.recv(4096)
signal.pause()
EOF
mkfifo others
python3 others.py >others &
cleanup_fn kill $!
read -r _ <others
expect_exit 1 "${ctl[@]}" seed --disk web1.img 127.0.0.1:9001
expect_text err '127.0.0.1 port 9001 is not teleportd: what answers there has no TLS'
expect_exit 1 "${ctl[@]}" seed --disk web1.img 127.0.0.1:9002
expect_text err '127.0.0.1 port 9002 broke off the TLS handshake'

head -c 1305 /dev/zero >odd.img
expect_exit 1 "${ctl[@]}" seed --disk odd.img 127.0.0.1
expect_text err 'odd.img is no disk: it has 1305 bytes'

# A configuration that cannot be read is no empty one.
expect_exit 2 "$xl_teleport" -c "$tmp" web1 host2
expect_text err "read the configuration $tmp: Is a directory"
expect_exit 2 "$xl_teleport" -c "$tmp/none" web1 host2
expect_text err "read the configuration $tmp/none: No such file or directory"

# Who is not root is told what could not be opened.
chmod 755 "$tmp" here
chmod 644 here/teleport.conf
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
expect_exit 5 nobody "$xl_teleport" -c here/teleport.conf --recover web1
expect_text err 'Permission denied'

if [[ ! -e /dev/xen/privcmd && ! -e /proc/xen/privcmd ]]; then
  expect_exit 3 "$xl_teleport" -c here/teleport.conf web1 127.0.0.1
  [[ $(<err) = 'xl teleport: this host does not run Xen (there is no /dev/xen/privcmd): this must be a running dom0' ]] ||
    fail "more, or something else: $(<err)"
fi
