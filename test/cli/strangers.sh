#!/bin/bash
# Sixteen connections from one address that say one byte and no more, and a
# paired host's seed from the same address; an unpaired host's open session ends.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
start_there
head -c 2M /dev/urandom >web.img

cat >idle.py <<'EOF'
import socket, sys
idle = [socket.create_connection(("127.0.0.1", 8744)) for _ in range(16)]
for one in idle:
    one.send(b"\x16")
print("idle", flush=True)
sys.stdin.read()
EOF
mkfifo idle.said idle.end
python3 idle.py <idle.end >idle.said &
cleanup_fn kill $!
exec {end}>idle.end
wait_for_line idle.said idle idle.log
expect_exit 0 on here seed --reconnect 0 --disk web.img --as web1 127.0.0.1
exec {end}>&-

# A session that has said HELLO and waits; then its host is unpaired there.
cat >open.py <<'EOF'
import socket, ssl, struct, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.load_cert_chain(sys.argv[1] + ".crt", sys.argv[1] + ".key")
link = context.wrap_socket(socket.create_connection(("127.0.0.1", 8744)))
hello = b"TELEPORT" + struct.pack("<II", int(sys.argv[2]), 0)
link.sendall(struct.pack("<IHH", len(hello), 1, 0) + hello)
print("open", link.recv(8) != b"", flush=True)
while link.recv(4096):
    pass
EOF
version=$(sed -nE 's/.*protocol_version = ([0-9]+);.*/\1/p' \
  "$TELEPORT_SOURCE"/libteleport/wire/format.hpp)
mkfifo open.said
timeout 30 python3 open.py "$tmp/here/host" "$version" >open.said &
session=$!
wait_for_line open.said 'open True' open.log
expect_exit 0 on there unpair here
wait "$session" || fail "the session of a host that was unpaired goes on"
