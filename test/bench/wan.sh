#!/bin/bash
# test/bench/wan.sh BUILD RESULTS: moves disks over an emulated wide-area link,
# ours beside what people use today, and writes RESULTS/wan.md and its plots.
# Two network namespaces are the hosts; between them is wan_link.cpp, whose byte
# counters are what is reported. See wan_images for the disks.
#   BENCH_QUICK=1    two pairs, one delay, no borg and casync
#   BENCH_FOLDER     on a disk, 8 GiB (default /var/tmp/teleport-bench)
#   WAN_PAIRS, WAN_TOOLS   some of them
#   WAN_MBIT         the link's rate (default 100)
#   WAN_OTHERS       "RTT LOSS [TOOL+TOOL],..." (ms, part of the packets): further
#                    runs, with one pair and fewer tools
#   WAN_PATIENCE     seconds after which a peer is ended (default 300)
#   WAN_BUFFERS=kernel   the kernel's own limits for a socket's buffers
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
results=$2
mkdir -p "$results"
folder=${BENCH_FOLDER:-/var/tmp/teleport-bench}
mbit=${WAN_MBIT:-100}
queue=$((mbit * 12500)) # bytes: 100 ms of the link
patience=${WAN_PATIENCE:-300} # seconds after which a peer is ended
if [[ -n ${BENCH_QUICK:-} ]]; then
  pairs=${WAN_PAIRS:-web untouched}
  tools=${WAN_TOOLS:-ours rsync zstd nbd}
  others=${WAN_OTHERS:-}
else
  pairs=${WAN_PAIRS:-first web db day untouched}
  tools=${WAN_TOOLS:-ours rsync zstd nbd borg casync}
  others=${WAN_OTHERS-20 0,200 0,100 0.01,100 0.001 cubic1+cubic}
fi
IFS=, read -r -a others <<<"$others"
if ((EUID != 0)); then
  echo 'bench: wan needs root: network namespaces, TUN devices' >&2
  exit 1
fi
images=$("$here/wan_images")
work=$(mktemp -d "$folder/wan.XXXXXX")
# shellcheck source-path=SCRIPTDIR
. "$here/wan_tools.sh"

a=wan-a-$$ b=wan-b-$$ # `here` and `there`, as namespaces
running=()            # pids of ours that must not outlive us
clean() {
  local pid
  for pid in "${running[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${running[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
  detach_loops
  rm -rf "$work"
}
# Whatever a killed session has left over our store.
detach_loops() {
  local device
  while read -r device; do
    losetup -d "$device"
  done < <(losetup -nO NAME,BACK-FILE | awk -v under="$work/" 'index($2, under) == 1 { print $1 }')
}
trap clean EXIT
trap 'exit 143' TERM INT HUP

link_up() {
  ip netns add "$a"
  ip netns add "$b"
  coproc LINK { exec "$build/test/bench/wan_link" "$a" "$b" "$mbit" 50 0 "$queue"; }
  running+=("$LINK_PID")
  hear_link ready
  local side address=1
  for side in "$a" "$b"; do
    ip -n "$side" link set lo up
    ip -n "$side" address add 10.99.0.$address/24 dev wan0
    ip -n "$side" link set wan0 mtu 1500 txqueuelen 1000 up
    ip netns exec "$side" sysctl -qw net.ipv4.tcp_no_metrics_save=1
    # Buffers that can fill the link at 200 ms, for everybody.
    [[ ${WAN_BUFFERS:-} = kernel ]] ||
      ip netns exec "$side" sysctl -qw net.ipv4.tcp_rmem='4096 131072 33554432' \
        net.ipv4.tcp_wmem='4096 65536 16777216'
    address=$((address + 1))
  done
}
tell_link() { echo "$*" >&"${LINK[1]}"; }
hear_link() {
  read -r -t 30 heard <&"${LINK[0]}"
  [[ -z ${1:-} || $heard = "$1" ]]
}
# shape_link RTT LOSS
shape_link() { tell_link "set $mbit $(awk "BEGIN { print $1 / 2 }") $2 $queue"; }
count_link() {
  tell_link counters
  hear_link
}
forget_link() {
  tell_link reset
  hear_link reset
}

# serve NAME SIDE COMMAND...: in the background, metered; its pid in `server`.
serve() {
  local name=$1 side=$2
  shift 2
  ip netns exec "$side" "$here/wan_meter.py" "$work/$name.json" "$@" \
    >"$work/$name.log" 2>&1 </dev/null &
  server=$!
  running+=("$server")
}
# await_port SIDE PORT: until somebody listens there.
await_port() {
  local tries
  for ((tries = 0; tries < 600; ++tries)); do
    if [[ -n $(ip netns exec "$1" ss -Hltn "sport = :$2") ]]; then
      return
    fi
    sleep 0.05
  done
  cat "$work"/*.log >&2
  return 1
}
# end_server [PID]: told to end, and waited for.
end_server() {
  kill "$server" 2>/dev/null || true
  wait_server
}
wait_server() { reap "$server" || true; }
# reap PID: waits for one of `running`, and has its status.
reap() {
  local pid left=() status=0
  wait "$1" 2>/dev/null || status=$?
  for pid in "${running[@]}"; do
    [[ $pid = "$1" ]] || left+=("$pid")
  done
  running=("${left[@]}")
  return "$status"
}
# meter NAME SIDE COMMAND...: and wait for it, at most `patience` seconds. In the
# background: a signal ends a `wait`, but must else wait for what is in front.
meter() {
  local name=$1 side=$2
  shift 2
  ip netns exec "$side" timeout "$patience" "$here/wan_meter.py" "$work/$name.json" "$@" \
    >"$work/$name.log" 2>&1 </dev/null &
  running+=($!)
  reap $!
}

# The disks of a pair: image, donors of the destination, and what is there
# already of this very guest (shadow). `basis` is the donor most like the image.
choose_pair() {
  donors=() shadow='' basis=''
  case $1 in
    first) image=$images/base.img ;;
    web) image=$images/web.img donors=("$images/base.img") basis=$images/base.img ;;
    db) image=$images/db.img donors=("$images/base.img" "$images/web.img") basis=$images/web.img ;;
    day) image=$images/day.img shadow=$images/web.img basis=$images/web.img ;;
    untouched) image=$images/web.img shadow=$images/web.img basis=$images/web.img ;;
    *) return 1 ;;
  esac
}
# The reference of the pair: bytes of zstd -3 over the blocks that nobody there has.
reference_of_pair() {
  "$build/test/bench/wan_reference" "$image" "${donors[@]}" ${shadow:+"$shadow"} | zstd -3 -c | wc -c
}

# run_one PAIR TOOL RTT LOSS: one line of figures.
run_one() {
  local pair=$1 tool=$2 began ended right=true note=''
  target=$work/store/target.img
  rm -rf "$work/store" "$work"/*.json "$work"/*.log
  mkdir -p "$work/store"
  "prepare_$tool"
  # Everybody begins with the image in memory and nothing left to write.
  cat "$image" >/dev/null
  sync -f "$work"
  forget_link
  began=$EPOCHREALTIME
  if ! "run_$tool"; then
    right=false
    note="ended after $patience s, or failed: $(tail -c 200 "$work"/here.log | tr -d '"\\\n')"
  fi
  sync "$target" 2>/dev/null || true
  ended=$EPOCHREALTIME
  "end_$tool"
  count_link
  if [[ $right = true ]] && ! cmp -s "$image" "$target"; then
    right=false note='the disk is not the same'
  fi
  jq -nc --arg pair "$pair" --arg tool "$tool" --argjson rtt "$3" --argjson loss "$4" \
    --argjson seconds "$(awk "BEGIN { print $ended - $began }")" --argjson right "$right" \
    --arg note "$note" --argjson link "$heard" \
    --slurpfile here <(cat "$work"/here*.json) --slurpfile there <(cat "$work"/there*.json) \
    '{$pair, $tool, $rtt, $loss, $seconds, out: $link.out.bytes, back: $link.back.bytes,
      cpu_here: ($here | map(.cpu_seconds) | add), cpu_there: ($there | map(.cpu_seconds) | add),
      rss_here: ($here | map(.rss_kib) | max), rss_there: ($there | map(.rss_kib) | max),
      $right, $note}' >>"$work/figures"
  tail -n 1 "$work/figures" | jq -r '"bench: wan: \(.pair) \(.tool) rtt \(.rtt) loss \(.loss): \(.out) + \(.back) bytes, \(.seconds) s, right: \(.right) \(.note)"'
  rm -rf "$work/store"
}

# self_check RTT LOSS: what the link is, measured by others than itself.
self_check() {
  local ping stream kernel
  shape_link "$1" "$2"
  ping=$(ip netns exec "$a" ping -q -c 10 -i 0.2 10.99.0.2 | sed -n 's/^rtt[^=]*= [^/]*\/\([^/]*\)\/.*/\1/p')
  forget_link
  kernel=$(ip netns exec "$b" cat /sys/class/net/wan0/statistics/rx_bytes)
  ip netns exec "$b" "$here/wan_check.py" receive 9009 >"$work/stream" &
  running+=($!)
  await_port "$b" 9009
  ip netns exec "$a" "$here/wan_check.py" send 10.99.0.2 9009 10
  wait $!
  stream=$(cat "$work/stream")
  count_link
  kernel=$(($(ip netns exec "$b" cat /sys/class/net/wan0/statistics/rx_bytes) - kernel))
  jq -nc --argjson rtt "$1" --argjson loss "$2" --argjson mbit "$mbit" --argjson ping "${ping:-null}" \
    --argjson stream "$stream" --argjson link "$heard" --argjson kernel "$kernel" \
    '{$rtt, $loss, $mbit, $ping, stream: $stream.mbit, counted: $link.out.bytes, $kernel,
      lost: ($link.out.lost / ($link.out.packets + $link.out.lost + $link.out.dropped)),
      dropped: $link.out.dropped}' >>"$work/checks"
  tail -n 1 "$work/checks" | sed 's/^/bench: wan: link: /'
}

link_up
make_hosts
self_check 100 0
for other in "${others[@]}"; do
  read -r rtt loss _ <<<"$other"
  self_check "$rtt" "$loss"
done
for pair in $pairs; do
  choose_pair "$pair"
  jq -nc --arg pair "$pair" --argjson reference "$(reference_of_pair)" --argjson bytes "$(stat -c %s "$image")" \
    --argjson data "$(($(stat -c '%b * %B' "$image")))" '{$pair, $reference, $bytes, $data}' >>"$work/pairs"
  shape_link 100 0
  for tool in $tools; do
    run_one "$pair" "$tool" 100 0
  done
done
for other in "${others[@]}"; do
  read -r rtt loss these <<<"$other"
  shape_link "$rtt" "$loss"
  choose_pair web
  these=${these//+/ }
  for tool in ${these:-${WAN_TOOLS:-ours rsync zstd}}; do
    run_one web "$tool" "$rtt" "$loss"
  done
done
"$here/wan_report.py" "$work" "$results"
