#!/bin/bash
# teleportctl index: what is added is found, by name, pattern and folder; what is
# removed is not; a lost database is built again from its list of disks.
. "$(dirname "$0")/functions.sh"
requires jq python3

teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
[[ -x $teleportctl ]] || skip "$teleportctl is not built"
config=$tmp/teleport.conf
printf '[index]\npath = "%s"\n' "$tmp/index" >"$config"
run() { "$teleportctl" --config "$config" index "$@"; }
# json QUERY WANTED COMMAND...: one value of a command's JSON.
json() {
  local query=$1 wanted=$2 got
  shift 2
  expect_exit 0 run "$@" --json
  got=$(jq -c "$query" "$tmp/out")
  [[ $got = "$wanted" ]] || fail "$*: $query is $got, not $wanted"
}

mkdir images
head -c 3M /dev/urandom >images/a.img
head -c 1M images/a.img >images/b.img
head -c 1M /dev/urandom >>images/b.img
truncate -s 64M images/b.img
echo 'no image' >images/readme

# Nothing there yet.
expect_exit 1 run list
expect_text err 'no index in'
expect_exit 1 run add "$tmp/none.img"
expect_text err 'No such file'

json '[.[].path]' "[\"$tmp/images/a.img\"]" add images/a.i*
json '[.[] | {data_blocks, hole_bytes}]' '[{"data_blocks":768,"hole_bytes":0},{"data_blocks":512,"hole_bytes":65011712}]' \
  add images --threads 1 --limit 1000
json 'map(.state)' '["fresh","fresh"]' list
expect_exit 0 run list
expect_text out '0 of these are followed; no more than 30 are (index.max_followed)'
json '[.disks, .data_blocks, .distinct_blocks, .states.fresh, .damaged_values, .max_followed]' \
  '[2,1280,1024,2,0,30]' stat
expect_exit 0 run stat
expect_text out '20.0 % of the blocks'

# A disk that another process scans is waited for, and then scanned.
id=$(run list --json | jq '.[] | select(.path | endswith("b.img")) | .id')
mkfifo let_go held waits
python3 "$TELEPORT_SOURCE/test/cli/hold_scan.py" "$tmp/index/scan.lock" "$id" <let_go >held &
exec 8>let_go
read -r _ <held
run scan --json images/b.img >out 2>waits 8>&- &
scan=$!
read -r line <waits
[[ $line = *'b.img: another process scans it; waiting' ]] || fail "it said '$line'"
exec 8>&-
wait $scan || fail "the scan after the wait: $(cat out)"
[[ $(jq -c 'map(.data_blocks)' out) = '[512]' ]] || fail "$(cat out)"

# What would a teleport save?
json '[.found_blocks, .missing_blocks, .zero_blocks]' '[512,0,15872]' find images/b.img
json '[.found_blocks, .missing_blocks, .zero_blocks, .whole_extents]' '[256,256,15872,1]' \
  find --disk images/b.img
json '[.donors[].path]' "[\"$tmp/images/a.img\"]" find --disk images/b.img
expect_exit 1 run find --disk images/readme
expect_exit 2 run find
expect_exit 2 run find images/a.img --disk images/b.img

json '[.groups, .pairs, .repaired, .to_be_scanned]' '[2,1280,false,[]]' check
expect_exit 0 run check --dry-run
expect_text out 'all is well'

# A file's name may have any bytes.
odd=images/$'latin\xfc.img'
cp images/a.img "$odd"
json '.[0].path | endswith("latin\ufffd.img")' true add "$odd"
json 'map(.path | endswith("latin\ufffd.img"))' '[false,false,true]' list
json '[.to_be_scanned]' '[[]]' check
expect_exit 0 run pause "$odd"
json 'map(.paused)' '[false,false,true]' list
expect_exit 0 run resume "$odd"
expect_exit 0 run remove "$odd"
rm "$odd"

# A disk that changed, one that went away.
printf 'changed' | dd of=images/a.img bs=1 seek=5000 conv=notrunc status=none
# The clock of files ticks in milliseconds: within one tick the time is the same.
touch -d '+1 second' images/a.img
json 'map(.state)' '["changed","fresh"]' list
json 'map(.changed_groups)' '[1,0]' scan
json 'map(.state)' '["fresh","fresh"]' list
mv images/b.img kept
json 'map(.state)' '["fresh","gone"]' list
expect_exit 1 run scan images/b.img
mv kept images/b.img

expect_exit 0 run remove images/b.img
expect_text out 'no longer indexed'
expect_exit 1 run remove images/b.img
json '[.found_blocks, .missing_blocks]' '[255,257]' find images/b.img
expect_exit 1 run scan images/b.img
expect_text err "'teleportctl index add' it"

# A scan that is paused waits where it is, and goes on; others are not begun.
expect_exit 1 run pause images/readme
expect_text err 'is not indexed'
head -c 24M /dev/urandom >images/long.img
mkfifo said
"$teleportctl" --config "$config" index add images/long.img --threads 1 --limit 4 2>said &
scan=$!
stop_scan() { kill "$scan" 2>/dev/null || true; }
cleanup_fn stop_scan
exec 3<said
until "$teleportctl" --config "$config" index list 2>err | grep -q long.img; do :; done
json '[.all, .paths]' "[false,[\"$tmp/images/long.img\"]]" pause images/lo*
until [[ ${line:-} = "$tmp/images/long.img: paused;"* ]]; do
  # On a slow machine it says how far it is before.
  read -r -t 60 line <&3 || fail "the scan said: $line"
done
read_bytes() { sed -n 's/^rchar: //p' "/proc/$scan/io"; }
before=$(read_bytes)
json '.[] | select(.path | endswith("long.img")) | [.state, .paused]' '["not scanned",true]' list
json '[.paused, .all_paused]' '[1,false]' stat
expect_exit 0 run scan images/a.img images/long.img
expect_text err 'long.img: paused, not scanned'
# The scans beside it have read; the one that waits has but looked at its list.
(($(read_bytes) - before < 1048576)) || fail 'it reads although it is paused'
json '.paths' '[]' resume images/long.img
wait "$scan" || fail 'the scan that was resumed failed'
exec 3<&-
json 'map(select(.paused)) | length' 0 list
json '.[] | select(.path | endswith("long.img")) | [.state, .data_blocks]' '["fresh",6144]' list
expect_exit 0 run pause --all
expect_exit 1 run resume images/long.img
expect_text err 'all disks are paused'
json 'map(.paused)' '[true,true]' list
expect_exit 0 run resume
expect_text out 'resumed: all disks'
! grep -q 'nothing' out || fail "resume says $(cat out)"
expect_exit 0 run resume
expect_text out 'nothing was paused'
expect_exit 0 run pause images/long.img
expect_exit 0 run resume images/a.img
printf '%s\n' "$tmp/images/a.img: was not paused" "paused: $tmp/images/long.img" |
  diff - out || fail 'what is still paused is not told'
expect_exit 0 run resume images/long.img
[[ $(cat out) = "resumed: $tmp/images/long.img" ]] || fail "resume says $(cat out)"
expect_exit 0 run remove images/long.img

# The database is lost: said, and built again from the list of disks.
expect_exit 0 run add images/b.img
head -c 100000 /dev/zero | tr '\0' x >index/data.mdb
expect_exit 1 run list
expect_text err 'damaged'
expect_exit 0 run scan
expect_text err 'is set aside in'
json 'map(.state)' '["fresh","fresh"]' list
json '.pairs' 1280 check

# So it is when nobody scans yet; and what is no longer wanted can be taken out.
rm index/data.mdb index/lock.mdb
expect_exit 1 run remove images/readme
json 'map(.state)' '["lost","lost"]' list
expect_exit 0 run remove images/a.img
json 'map(.path)' "[\"$tmp/images/b.img\"]" list
json 'map(.path)' "[\"$tmp/images/b.img\"]" scan --all
