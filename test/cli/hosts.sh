# shellcheck shell=bash disable=SC2154 # tmp is of functions.sh
# test/cli/hosts.sh: sourced after functions.sh by scripts that need two hosts
# and no Xen: `here` and `there`, paired, on the loopback interface of a network
# namespace of their own, so that nothing on this machine is met or disturbed.
#
#   make_host NAME             another one, not paired
#   on NAME COMMAND...         runs teleportctl as there
#   start_there                teleportd at `there`, and waits until it listens
#   value QUERY WANTED         of the JSON in $tmp/out
#   wait_for_line FIFO TEXT LOG   until a program says so; the rest goes to LOG
requires jq python3 ip unshare losetup
((EUID == 0)) || skip 'needs root: loop devices, a network namespace'
if [[ -z ${CLI_IN_NAMESPACE:-} ]]; then
  unshare --net true 2>/dev/null || skip 'no network namespaces here'
  CLI_IN_NAMESPACE=1 unshare --net bash "$TELEPORT_SOURCE/test/cli/$(basename "$0")"
  exit 0
fi
ip link set lo up

teleportd=$TELEPORT_BUILD/tools/teleportd/teleportd
[[ -x $teleportd ]] || skip "$teleportd is not built"
# Which has a part of its own listen.
PATH=$PATH:$TELEPORT_BUILD/tools/listen

make_host() {
  mkdir -p "$1"/{store,peers,state,run}
  cat >"$1/teleport.conf" <<EOF
[listen]
address = "127.0.0.1"
[peers]
dir = "$tmp/$1/peers"
[keys]
cert = "$tmp/$1/host.crt"
key = "$tmp/$1/host.key"
[store]
path = "$tmp/$1/store"
[index]
path = "$tmp/$1/index"
keep_fresh = false
[state]
path = "$tmp/$1/state"
run = "$tmp/$1/run"
EOF
}
on() {
  local host=$1
  shift
  "$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/$host/teleport.conf" "$@"
}
value() {
  local got
  got=$(jq -c "$1" out) || fail "no JSON: $(cat out)"
  [[ $got = "$2" ]] || fail "$1 is $got, not $2: $(cat out)"
}
wait_for_line() {
  local line
  exec {said}<"$1"
  while read -r line <&"$said"; do
    echo "$line" >>"$3"
    if [[ $line = *"$2"* ]]; then
      cat <&"$said" >>"$3" &
      return
    fi
  done
  fail "'$2' never came: $(cat "$3")"
}

start_there() {
  mkfifo said
  "$teleportd" --config "$tmp/there/teleport.conf" 2>said &
  cleanup_fn kill $!
  wait_for_line said 'listening on' daemon.log
}

for host in here there; do
  make_host $host
done
# Pairing as it is, but for the ssh.
mkdir bin
cat >bin/ssh <<EOF
#!/bin/sh
exec "$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/there/teleport.conf" accept-pairing here
EOF
chmod 755 bin/ssh
PATH=$tmp/bin:$PATH expect_exit 0 on here pair root@127.0.0.1
