# shellcheck shell=bash
# test/bench/tracking.sh: what tracking costs a disk's writers: fio on a loop
# device over a tmpfs, so that no disk's own speed hides it, with and without a
# tracker in turns; for test/bench/run, which sets the variables used here.
# Needs root.

: "${tracker_bench:?}" "${folder:?}" "${memory:?}" "${runs:?}" "${results:?}"
tracking_seconds=${BENCH_TRACKING_SECONDS:-8}

# write_4k LOOP [FIO'S OPTION...]: one line of JSON.
write_4k() {
  local loop=$1
  shift
  fio --name=writes --filename="$loop" --ioengine=libaio --direct=1 \
    --rw=randwrite --bs=4k --iodepth=16 --time_based \
    --runtime="$tracking_seconds" --ramp_time=1 --output-format=json "$@" |
    jq -c '.jobs[0].write | {iops, mean_us: (.clat_ns.mean / 1000),
      p99_us: (.clat_ns.percentile["99.000000"] / 1000)}'
}
# tracked LOOP COMMAND...: the command while the writes of LOOP are tracked;
# what the tracker saw goes to $folder/tracking.seen.
tracked() {
  local loop=$1 attached
  shift
  coproc TRACKER { "$tracker_bench" "$loop"; }
  local pid=$TRACKER_PID
  read -r attached <&"${TRACKER[0]}" || return
  [[ -n $attached ]] && "$@"
  eval "exec ${TRACKER[1]}>&-"
  cat <&"${TRACKER[0]}" >"$folder/tracking.seen"
  wait "$pid"
}
# Nanoseconds that the kernel counted in our programs until now.
programs_ns() {
  bpftool prog show -j | jq 'map(select(.name | IN("on_submit", "on_bio_end",
    "on_request_end")) | .run_time_ns // 0) | add'
}
write_and_count_ns() { # LOOP
  local before
  before=$(programs_ns)
  write_4k "$1" --rate_iops=50000 --ramp_time=0 >/dev/null
  echo "$(($(programs_ns) - before))" >"$folder/tracking.ns"
}

part_tracking() {
  local file=$memory/tracked.img loop i
  truncate -s 1G "$file"
  # Every page of the tmpfs is there before anything is measured.
  dd if=/dev/zero of="$file" bs=1M count=1024 conv=notrunc status=none
  loop=$(losetup --find --show "$file")
  rm -f "$folder"/tracking.*
  for ((i = 0; i < runs; ++i)); do
    write_4k "$loop" --rate_iops=50000 >>"$folder/tracking.plain50k"
    tracked "$loop" write_4k "$loop" --rate_iops=50000 >>"$folder/tracking.tracked50k"
    write_4k "$loop" >>"$folder/tracking.plain"
    tracked "$loop" write_4k "$loop" >>"$folder/tracking.tracked"
  done
  # For itself: the kernel's counting costs as well.
  sysctl -q kernel.bpf_stats_enabled=1
  tracked "$loop" write_and_count_ns "$loop"
  sysctl -q kernel.bpf_stats_enabled=0
  report_tracking "$folder" >"$results/tracking.md"
  losetup -d "$loop"
  rm -f "$file"
}
report_tracking() {
  local rate text key
  echo '## What tracking costs the writers (4 KiB random writes, queue depth 16, loop device over a tmpfs)'
  echo
  row what 'IOPS without' 'IOPS tracked' ratio 'mean latency, ratio' 'p99 latency, ratio'
  row --- --- --- --- --- ---
  for rate in 50k ''; do
    text='as fast as it goes'
    [[ -n $rate ]] && text='50,000 a second'
    local without=$1/tracking.plain$rate with=$1/tracking.tracked$rate
    local columns=()
    for key in iops mean_us p99_us; do
      columns+=("$(ratio "$with" "$without" "$key")")
    done
    row "$text" "$(median "$without" iops | cut -d. -f1)" "$(median "$with" iops | cut -d. -f1)" "${columns[@]}"
  done
  echo
  jq -r --argjson ns "$(cat "$1/tracking.ns")" \
    '"Our programs ran \($ns / .writes | round) ns a write (\(.writes) writes, \(.missed) missed; by kernel.bpf_stats_enabled, whose own cost of some 50 ns a run is in it)."' \
    "$1/tracking.seen"
}
