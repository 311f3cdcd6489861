#!/bin/bash
# Several TCP connections for one transfer: a seed over four of them through a
# real teleportd arrives whole, also when they all break in the middle; and
# nobody gets into a link who does not know its secret.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
start_there

# One, unless something says that it is not enough.
head -c 8M /dev/urandom >one.img
expect_exit 0 on here seed --json --disk one.img 127.0.0.1
value '[.outcome, .link.connections]' '["seeded",1]'

# Four, by the option; slow enough that all are there before it is over.
head -c 24M /dev/urandom >four.img
expect_exit 0 on here seed --json --connections 4 --bwlimit 80Mbit --disk four.img 127.0.0.1
value '[.outcome, .link.connections]' '["seeded",4]'
cmp four.img there/store/four-xvda.teleport-shadow
(($(jq .link.sent out) < 25 << 20)) || fail "slices cost too much: $(jq -c .link out)"

# By the settings, and by the option against them.
printf '[link]\nconnections = 3\n' >>here/teleport.conf
expect_exit 0 on here seed --json --bwlimit 80Mbit --disk four.img --as three 127.0.0.1
value .link.connections 3
expect_exit 0 on here seed --json --connections 1 --disk four.img --as alone 127.0.0.1
value .link.connections 1
for wrong in 0 17 many; do
  expect_exit 2 on here seed --connections $wrong --disk one.img 127.0.0.1
  expect_text err '1 to 16'
done

# They all break, and what had arrived is not sent again.
head -c 32M /dev/urandom >cut.img
mkfifo cut.said
python3 "$TELEPORT_SOURCE/test/cli/cut_link.py" 9000 8744 $((16 << 20)) again >cut.said &
wait_for_line cut.said listening cut.log
expect_exit 0 on here seed --json --bwlimit 80Mbit --disk cut.img 127.0.0.1:9000
value '[.outcome, .disks[0].kind, .link.losses]' '["seeded","partial",1]'
value '.bulk.in_place + .bulk.link' 33554432
(($(jq .bulk.in_place out) >= 12 << 20)) || fail "sent again: $(cat out)"
cmp cut.img there/store/cut-xvda.teleport-shadow

# What does not speak TLS, or names a link that is not there, harms nobody.
python3 - <<'END'
import contextlib
import socket
for said in (b"TPLANE01" + bytes(16), b"TPLANE01", b"GET / HTTP/1.0\r\n\r\n", b""):
    with socket.create_connection(("127.0.0.1", 8744)) as link:
        # it may be closed already
        with contextlib.suppress(OSError):
            link.sendall(said)
            link.shutdown(socket.SHUT_WR)
        link.settimeout(30)
        try:
            while link.recv(4096):
                pass
        except ConnectionResetError:
            pass
END
expect_exit 0 on here seed --json --disk one.img 127.0.0.1
value .outcome '"seeded"'
