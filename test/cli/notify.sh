#!/bin/bash
# teleportd tells systemd that it is ready when it listens, or when teleport-listen
# may come to its door and the port is free; and never when the port is another's.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
requires pgrep

cat >notices.py <<'EOF'
import os, socket, sys
at = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = sys.argv[1]
at.bind("\0" + path[1:] if path.startswith("@") else path)
print("waiting", flush=True)
while True:
    for line in at.recv(4096).decode().splitlines():
        print(line, flush=True)
EOF
# notices SOCKET: from now on descriptor 4 has what is told there.
listener=
stop_listener() { [[ -z $listener ]] || kill "$listener" 2>/dev/null || :; }
cleanup_fn stop_listener
notices() {
  stop_listener
  rm -f told "$1"
  mkfifo told
  python3 notices.py "$1" >told &
  listener=$!
  exec 4<told
  next waiting
}
next() {
  local line
  read -r -t 60 line <&4 || fail "'$1' is not told"
  [[ $line = "$1" ]] || fail "'$line' is told, not '$1'"
}
daemon=
stop_daemon() { [[ -z $daemon ]] || kill "$daemon" 2>/dev/null || :; }
cleanup_fn stop_daemon
run_daemon() { # SOCKET OPTION...
  NOTIFY_SOCKET=$1 "$teleportd" --config "$tmp/there/teleport.conf" "${@:2}" 2>daemon.log &
  daemon=$!
}
end_daemon() {
  kill $daemon
  next STOPPING=1
  wait $daemon || fail "it ends with $?: $(cat daemon.log)"
}
connects() { (exec 5<>/dev/tcp/127.0.0.1/8744) 2>/dev/null; }

# With a listener of its own; an abstract socket is one, too.
for socket in "$tmp/notify" "@teleport-notify-$$"; do
  notices "$socket"
  run_daemon "$socket"
  next READY=1
  next 'STATUS=listening on 127.0.0.1 port 8744'
  connects || fail 'it is ready and does not listen'
  # What it starts is not the service.
  for child in $(pgrep -P $daemon); do
    ! tr '\0' '\n' <"/proc/$child/environ" | grep -q '^NOTIFY_SOCKET=' ||
      fail "$(cat "/proc/$child/comm") has NOTIFY_SOCKET"
  done
  end_daemon
done

# Its unit's way: teleport-listen comes when it is ready.
notices "$tmp/notify"
mkdir door
run_daemon "$tmp/notify" --door "$tmp/door/socket"
next READY=1
next 'STATUS=listening on 127.0.0.1 port 8744'
[[ -S door/socket ]] || fail 'it is ready, and there is no door'
! connects || fail "root's own process is open to the network"
teleport-listen --door "$tmp/door/socket" 2>listen.log &
cleanup_fn kill $!
next READY=1
next 'STATUS=listening on 127.0.0.1 port 8744'
connects || fail "teleport-listen does not listen: $(cat listen.log daemon.log)"
end_daemon

# The port is another's: it ends, and was never ready.
python3 -c 'import signal, socket
port = socket.create_server(("127.0.0.1", 8744))
print("taken", flush=True)
signal.pause()' >taken &
holder=$!
cleanup_fn kill $holder
until grep -qs taken taken; do :; done
run_daemon "$tmp/notify" --door "$tmp/door/socket"
! wait $daemon || fail 'it ends well without its port'
expect_text daemon.log 'Address already in use'
kill $holder
# Nobody is paired: there is nothing to listen for, and it is up.
mv there/peers/*.crt .
run_daemon "$tmp/notify"
next READY=1
next 'STATUS=no host is paired with this one: not listening'
mv ./*.crt there/peers/
next READY=1
next 'STATUS=listening on 127.0.0.1 port 8744'
end_daemon
