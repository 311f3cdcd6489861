#!/bin/bash
# test/bench/unlimited.sh BUILD RESULTS IMAGE: moves disks between two hosts on
# one machine with nothing in between, so that its processors and its disk are
# what limits; writes RESULTS/unlimited.md. IMAGE: a disk of ordinary files.
# The source's disk is in a tmpfs, as it would be another machine's; what is
# compared is on one disk and runs in turns.
#   BENCH_FOLDER, BENCH_MEMORY, BENCH_RUNS   as for test/bench/run
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if ((EUID != 0)); then
  echo 'bench: unlimited needs root: a network namespace, loop devices' >&2
  exit 1
fi
if [[ -z ${BENCH_UNSHARED:-} ]]; then
  BENCH_UNSHARED=1 exec unshare --net --mount bash "$0" "$@"
fi
build=$(cd "$1" && pwd)
results=$2
files=$3
runs=${BENCH_RUNS:-5}
memory=${BENCH_MEMORY:-/dev/shm/teleport-bench}
mkdir -p "$memory"
work=$(mktemp -d "${BENCH_FOLDER:-/var/tmp/teleport-bench}/unlimited.XXXXXX")
# shellcheck source-path=SCRIPTDIR
. "$here/wan_tools.sh"
# shellcheck source-path=SCRIPTDIR
. "$here/report.sh"
ip link set lo up
ip address add 10.99.0.2/24 dev lo

# Sides are of wan.sh, whose tools these serve as well.
a='' b='' server=''
serve() { # NAME SIDE COMMAND...
  "$here/wan_meter.py" "$work/$1.json" "${@:3}" >"$work/$1.log" 2>&1 </dev/null &
  server=$!
}
await_port() { # SIDE PORT
  until [[ -n $(ss -Hltn "sport = :$2") ]]; do
    kill -0 "$server"
    sleep 0.05
  done
}
end_server() {
  kill "$server"
  wait "$server" || true
  server=''
}
meter() { "$here/wan_meter.py" "$work/$1.json" "${@:3}" >"$work/$1.log" 2>&1 </dev/null; }
clean() {
  [[ -z $server ]] || end_server
  rm -rf "$work" "$memory"/{random,files}.img
}
trap clean EXIT
trap 'exit 143' TERM INT HUP

# move NAME IMAGE [DONOR...]: one line of figures.
move() {
  local name=$1 began ended
  image=$2 donors=("${@:3}") shadow=''
  target=$work/store/target.img
  rm -f "$work"/{here,there}.json
  find "$work/store" -type f -delete
  prepare_ours
  sync -f "$work"
  began=$EPOCHREALTIME
  run_ours || {
    cat "$work/here.log" >&2
    return 1
  }
  ended=$EPOCHREALTIME
  end_ours
  qemu-img compare -q -f raw -F raw "$image" "$target"
  jq -c --argjson seconds "$(awk "BEGIN { print $ended - $began }")" --slurpfile here "$work/here.json" \
    --slurpfile there "$work/there.json" \
    '{$seconds, donors: .bulk.donors, gaps: .bulk.link, sent: .link.sent, disk_bytes,
      rate: ((.bulk.donors + .bulk.link) / $seconds),
      cpu_here: $here[0].cpu_seconds, cpu_there: $there[0].cpu_seconds,
      rss_here: ($here[0].rss_kib / 1024), rss_there: ($there[0].rss_kib / 1024)}' \
    "$work/here.log" >>"$work/$name"
  tail -n 1 "$work/$name" | sed "s/^/bench: unlimited: $name: /"
}
copy() {
  local began=$EPOCHREALTIME ended
  rm -f "$work/copy.img"
  sync -f "$work"
  dd if="$work/donor.img" of="$work/copy.img" bs=1M iflag=direct oflag=direct conv=fsync status=none
  ended=$EPOCHREALTIME
  awk "BEGIN { s = $ended - $began; printf \"{\\\"seconds\\\": %.3f, \\\"rate\\\": %.0f}\n\", s, $(stat -c %s "$work/donor.img") / s }" \
    >>"$work/copy"
  rm "$work/copy.img"
}

head -c 1536M /dev/urandom >"$memory/random.img"
cp --sparse=always "$files" "$memory/files.img"
cp "$memory/random.img" "$work/donor.img"
mkdir "$work/store"
make_hosts
for ((i = 0; i < runs; ++i)); do
  copy
  move donors "$memory/random.img" "$work/donor.img"
  move random "$memory/random.img"
  move files "$memory/files.img"
done
# A disk of 1 TiB, of which little is used, needs a store that has the room.
rm "$work/donor.img" "$memory/random.img"
truncate -s 1T "$memory/files.img"
truncate -s 2T "$work/room.img"
mke2fs -q -F -E lazy_itable_init=1 -O ^has_journal "$work/room.img"
mount -o loop "$work/room.img" "$work/store"
move large "$memory/files.img"
find "$work/store" -type f -delete
umount "$work/store"

figure() { awk "BEGIN { printf \"%.$3f\", $(median "$work/$1" "$2") / ${4:-1} }"; }
line() { # TEXT NAME
  row "$1" "$(figure "$2" seconds 2)" "$(figure "$2" rate 0 1e6)" "$(figure "$2" cpu_here 1)" \
    "$(figure "$2" cpu_there 1)" "$(figure "$2" rss_here 0)" "$(figure "$2" rss_there 0)"
}
{
  echo '## With no limit on the link (one machine, both ends on its processors)'
  echo
  row what seconds 'MB/s' 'CPU s source' 'CPU s dest.' 'RSS MiB source' 'RSS MiB dest.'
  row --- ---: ---: ---: ---: ---: ---:
  row 'dd, O_DIRECT, 1 MiB, fsync' "$(figure copy seconds 2)" "$(figure copy rate 0 1e6)" '' '' '' ''
  line 'seed, all from a donor on that disk' donors
  line 'seed, all over the link, random bytes' random
  line "seed, all over the link, a disk of files" files
  line 'the same disk of files, grown to 1 TiB' large
  echo
  echo "From donors: $(ratio "$work/donors" "$work/copy" rate) x dd's speed (median of the ratios). Rates count"
  echo 'the bytes from donors and over the link, not the zeros of the disk, which are'
  echo 'read as well. Encrypted, proven, fsynced.'
} >"$results/unlimited.md"
