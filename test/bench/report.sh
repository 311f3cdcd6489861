# shellcheck shell=bash
# test/bench/report.sh: lines of JSON, as index-bench prints them, to tables and
# a plot; for test/bench/run.

# median FILE KEY [FACTOR]: of one key over all lines.
median() {
  jq -s --arg key "$2" --argjson factor "${3:-1}" \
    'map(.[$key] * $factor) | sort | .[length / 2 | floor]' "$1"
}
# ratio FILE FILE KEY: median of the ratios of the runs made in turns.
ratio() {
  jq -n --slurpfile a "$1" --slurpfile b "$2" --arg key "$3" \
    '[range($a | length) | $a[.][$key] / $b[.][$key]] | sort | .[length / 2 | floor] * 100 | round / 100'
}
mega() { jq -n "$1 / 1e4 | round / 100"; }
row() { printf '| %s |' "$1" && shift && printf ' %s |' "$@" && echo; }

report_scan() {
  local name
  echo "## Scan, warm (a tar of a distribution's files in a tmpfs)"
  echo
  row what 'MB/s' 'MB per CPU second' 'x SHA-256, wall' 'x SHA-256, CPU time'
  row --- --- --- --- ---
  for name in sha one two; do
    local text='SHA-256 alone, one core'
    case $name in
      one) text='scan, one core' ;;
      two) text='scan, two cores' ;;
    esac
    row "$text" "$(mega "$(median "$1/scan.$name" bytes_per_s)")" \
      "$(mega "$(median "$1/scan.$name" bytes_per_cpu_s)")" \
      "$(ratio "$1/scan.$name" "$1/scan.sha" bytes_per_s)" \
      "$(ratio "$1/scan.$name" "$1/scan.sha" bytes_per_cpu_s)"
  done
  echo
  tail -n 1 "$1/scan.two" | jq -r \
    '"Image: \(.bytes / 1048576 | round) MiB, \(.data_blocks) blocks that are not zero. Index: \(.file_bytes / 1048576 | round) MiB, \(.file_bytes / (.data_blocks * 4096) * 1e4 | round / 100) % of them; memory beside the map: \(.rss_anon_mib) MiB."'
}
report_cold() {
  echo '## Scan, cold (O_DIRECT)'
  echo
  row what seconds 'CPU seconds' 'MB/s'
  row --- --- --- ---
  row 'dd, 2 MiB, direct' "$(median "$1/cold.dd" seconds)" "$(median "$1/cold.dd" cpu_seconds)" \
    "$(jq -n "$2 / $(median "$1/cold.dd" seconds) / 1e6 | round")"
  local n
  for n in 2 4; do
    row "scan, $n threads" "$(median "$1/cold.scan$n" seconds)" "$(median "$1/cold.scan$n" cpu_seconds)" \
      "$(jq -n "$2 / $(median "$1/cold.scan$n" seconds) / 1e6 | round")"
  done
}
report_peers() {
  local name
  echo '## Beside casync and borg (the image in a tmpfs, their stores on a disk)'
  echo
  echo 'They store the chunks as well; the digests alone are what is alike.'
  echo
  row what seconds 'CPU seconds' 'MB/s'
  row --- --- --- ---
  for name in scan casync borg borg4k; do
    local text='index scan, two threads'
    case $name in
      casync) text='casync make' ;;
      borg) text='borg create, no compression' ;;
      borg4k) text='borg create, fixed 4 KiB chunks, no compression' ;;
    esac
    row "$text" "$(median "$1/peers.$name" seconds)" "$(median "$1/peers.$name" cpu_seconds)" \
      "$(jq -n "$2 / $(median "$1/peers.$name" seconds) / 1e6 | round")"
  done
}
kinds_table() { # FOLDER NAME
  local kind
  row digests 'million/s' 'million per CPU second'
  row --- --- ---
  for kind in miss hit run mixed; do
    local text='in no disk'
    case $kind in
      hit) text='isolated, all held' ;;
      run) text='runs of 256, all held' ;;
      mixed) text='pieces of 1 to 64, half of them held' ;;
    esac
    row "$text" "$(mega "$(median "$1/$2.$kind" digests_per_s)")" \
      "$(mega "$(median "$1/$2.$kind" digests_per_cpu_s)")"
  done
  echo
}
report_lookup() {
  echo '## Look-up, 25.6 million synthetic blocks, one thread'
  echo
  kinds_table "$1" lookup
  jq -r '"Index: \(.file_bytes / 1048576 | round) MiB, \(.percent) % of the data; filled with \(.blocks_per_cpu_s / 1e4 | round / 100) million blocks per CPU second; memory beside the map: \(.rss_anon_mib) MiB."' "$2"
}
report_limited() {
  echo "## The same, memory limited to a quarter of the index ($(($2 >> 20)) MiB)"
  echo
  kinds_table "$1" limited
  echo 'Each run begins with nothing in memory; as much again goes before, untimed.'
}
report_memory() {
  local name
  echo "## Memory of each process, with these blocks indexed ($(($2 >> 20)) MiB of index)"
  echo
  row process 'MiB of its own, at most' "MiB of mapped files (LMDB's page cache, programs)"
  row --- --- ---
  for name in teleportd keeper scan stat find lookup; do
    local text=teleportd
    case $name in
      keeper) text="teleportd's keeper" ;;
      scan) text="its scan of a disk that is new, into this index" ;;
      stat) text='teleportctl index stat' ;;
      find) text='teleportctl index find, of that disk' ;;
      lookup) text="look-ups as a session makes them (index-bench)" ;;
    esac
    row "$text" "$(median "$1/memory.$name" anon_mib)" "$(median "$1/memory.$name" file_mib)"
  done
  echo
  echo 'Sampled each 20 ms, RssAnon and RssFile. To be reached: 256 MiB of its own for each.'
}
report_growth() {
  echo '## Growth to 1 TiB (synthetic digests, the index in a tmpfs)'
  echo
  row 'million blocks' 'us of CPU a block' '% of the data' 'MiB beside the map' \
    'misses, M/CPU s' 'isolated hits' runs mixed
  row --- --- --- --- --- --- --- ---
  paste -d' ' "$1"/growth.{fill,miss,hit,run,mixed} | jq -rs '
    [., [range(length)]] | .[0] as $all
    | range(0; $all | length; 5) as $i | $all[$i:$i + 5]
    | [.[0].blocks / 1e6, (1e8 / .[0].blocks_per_cpu_s | round / 100), .[0].percent,
       .[0].rss_anon_mib]
      + (.[1:] | map(.digests_per_cpu_s / 1e4 | round / 100))
    | "| " + (map(tostring) | join(" | ")) + " |"'
  echo
  echo '![growth](results/growth.svg)'
}
# Cost of a block against the number of blocks: adding it, and looking it up.
plot_growth() {
  paste -d' ' "$1"/growth.{fill,miss,hit,mixed} | jq -rs '
    . as $all | range(0; length; 4) as $i | $all[$i:$i + 4]
    | [.[0].blocks / 1e6, 1e6 / .[0].blocks_per_cpu_s]
      + (.[1:] | map(1e6 / .digests_per_cpu_s)) | map(tostring) | join(" ")' |
    awk '
      { x[NR] = $1; for (s = 2; s <= 5; s++) { y[s, NR] = $s; if ($s > top) top = $s } }
      function px(v) { return 60 + v / x[NR] * 500 }
      function py(v) { return 330 - v / top * 290 }
      END {
        split("- adding|looking up, not held|looking up, isolated|looking up, mixed", name, "|")
        split("- #000|#c33|#36c|#393", color, "[ |]")
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"380\" font-family=\"sans-serif\" font-size=\"12\">"
        print "<rect width=\"760\" height=\"380\" fill=\"#fff\"/><path d=\"M60 40V330H560\" fill=\"none\" stroke=\"#000\"/>"
        printf "<text x=\"60\" y=\"25\">microseconds of CPU a block</text><text x=\"430\" y=\"365\">million blocks indexed</text>\n"
        for (i = 1; i <= NR; i++) printf "<text x=\"%d\" y=\"347\" text-anchor=\"middle\">%d</text>\n", px(x[i]), x[i]
        for (i = 0; i <= 4; i++) printf "<text x=\"55\" y=\"%d\" text-anchor=\"end\">%.2f</text>\n", py(top * i / 4) + 4, top * i / 4
        for (s = 2; s <= 5; s++) {
          printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", color[s]
          for (i = 1; i <= NR; i++) printf "%d,%.1f ", px(x[i]), py(y[s, i])
          printf "\"/>\n<text x=\"570\" y=\"%.1f\" fill=\"%s\">%s</text>\n", py(y[s, NR]) + 4, color[s], name[s - 1]
        }
        print "</svg>"
      }'
}
report_deltas() {
  echo '## What deltas would save'
  echo
  echo 'Of the blocks that the destination has nowhere: `zstd -9` with a window of'
  echo '128 MiB alone; with what the last donor has in the same places to refer to; and'
  echo 'with all blocks of all donors to refer to, which is about the best that deltas'
  echo 'against similar blocks could do. Made by `test/bench/delta_worth`.'
  echo
  row disks 'blocks to send' 'have an older one in place' 'MiB alone' 'with the older ones' \
    'with all' 'saved, in place' 'saved, at best'
  row --- ---: ---: ---: ---: ---: ---: ---:
  jq -r 'def mib: . / 10485.76 | round / 100;
    "| \(.pair) | \(.blocks) | \(.in_place) | \(.alone | mib) | \(.with_older | mib) | \(.with_all | mib) | \(
     (1 - .with_older / .alone) * 1000 | round / 10) % | \((1 - .with_all / .alone) * 1000 | round / 10) % |"' "$1"
}
report_all() {
  local part
  echo '# What the index costs, and what crosses the link'
  echo
  echo "Made by \`make bench\` (test/bench/run). Its last run, medians of $2, was on $(date +%F);"
  echo "parts that it did not make again are of earlier ones, perhaps on other machines: each"
  echo "was made when its file in results/ was last changed."
  echo "Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, Linux $(uname -r); load average at the end: $(cut -d' ' -f1-3 /proc/loadavg)."
  if [[ -n ${BENCH_NOTE:-} ]]; then
    echo
    echo "$BENCH_NOTE"
  fi
  for part in scan cold peers lookup limited tracking memory growth unlimited downtime wan deltas; do
    if [[ -s $1/$part.md ]]; then
      echo
      cat "$1/$part.md"
    fi
  done
}
