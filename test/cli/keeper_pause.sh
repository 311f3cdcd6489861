#!/bin/bash
# teleportd's keeper: what is paused is not scanned, also after a restart, and
# is when it is resumed; a scan that waits makes room for another disk's. What is
# renamed stays known.
. "$(dirname "$0")/functions.sh"
requires jq
[[ $EUID -eq 0 ]] || skip 'needs root'

teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
teleportd=$TELEPORT_BUILD/tools/teleportd/teleportd
[[ -x $teleportctl && -x $teleportd ]] || skip 'the programs are not built'
config=$tmp/teleport.conf
mkdir images state run
cat >"$config" <<END
[index]
path = "$tmp/index"
folders = ["$tmp/images"]
quiet_seconds = 1
scan_rate = "8 MiB"
[state]
path = "$tmp/state"
run = "$tmp/run"
END
run() { "$teleportctl" --config "$config" index "$@"; }
keeper=
start_keeper() {
  rm -f log
  mkfifo log
  "$teleportd" --config "$config" --keeper 2>log &
  keeper=$!
  exec 3<log
}
stop_keeper() {
  [[ -n $keeper ]] || return 0
  kill "$keeper"
  wait "$keeper" || true
  keeper=
  exec 3<&-
}
cleanup_fn stop_keeper
# Waits until the keeper, or its scan, has said so; nothing that must not come
# may come before.
until_said() { # TEXT [NOT]
  local line
  while read -r -t 60 line <&3; do
    [[ -z ${2:-} || $line != *"$2"* ]] || fail "said too early: $line"
    [[ $line != *"$1"* ]] || return 0
  done
  fail "the keeper has not said: $1"
}
state_of() {
  run list --json | jq -r --arg p "$tmp/images/$1" '.[] | select(.path == $p) | .state'
}

expect_exit 0 run pause
head -c 48M /dev/urandom >images/a.img
touch -d '-10 seconds' images/a.img
start_keeper
until_said 'a.img: paused' 'scanned'
[[ $(state_of a.img) = 'not scanned' ]] || fail 'it was scanned'
stop_keeper
start_keeper
until_said 'a.img: paused' 'scanned'

# Now the scan is begun; it is paused while it runs, and another disk comes.
expect_exit 0 run resume
while ! grep -qsF -- "--scan=$tmp/images/a.img" /proc/[0-9]*/cmdline; do :; done
expect_exit 0 run pause images/a.img
head -c 2M /dev/urandom >images/b.new
touch -d '-10 seconds' images/b.new
mv images/b.new images/b.img
until_said 'b.img: scanned' 'a.img: scanned'
[[ $(state_of a.img) = 'not scanned' ]] || fail 'a paused scan came to its end'
[[ $(state_of b.img) = fresh ]] || fail 'b.img is not fresh'
expect_exit 0 run resume images/a.img
until_said 'a.img: scanned'
[[ $(state_of a.img) = fresh ]] || fail 'a.img is not fresh'

# A disk that becomes a shadow is known by its new name, and not scanned again.
id_of() { run list --json | jq -r --arg p "$tmp/images/$1" '.[] | select(.path == $p) | .id'; }
id=$(id_of a.img)
mv images/a.img images/a.img.teleport-shadow
until_said 'a.img is ' 'scanned'
[[ $(id_of a.img.teleport-shadow) = "$id" ]] || fail 'the shadow has no record'
[[ $(state_of a.img.teleport-shadow) = fresh ]] || fail 'the shadow is not fresh'
[[ -z $(id_of a.img) ]] || fail 'the old name is still listed'
