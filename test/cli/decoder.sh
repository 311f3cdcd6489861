#!/bin/bash
# The independent decoder (test/decoder), which knows PROTOCOL.md alone, follows
# sessions of real daemons, on one lane and on several, recorded by a relay that
# has both hosts' keys, and of the engines with a writing guest and a lying index;
# and it sees damage.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
decoder=$TELEPORT_SOURCE/test/decoder
export PYTHONDONTWRITEBYTECODE=1

python3 "$decoder/numbers.py" "$TELEPORT_SOURCE/libteleport/wire/format.hpp" \
  "$TELEPORT_SOURCE/libteleport/PROTOCOL.md"

# seed_through TRACE CODE IMAGE CUT [OPTION...]: a seed through the relay, which
# loses the link after CUT bytes unless that is empty
port=9100
seed_through() {
  mkfifo "$1.said"
  python3 "$decoder/relay.py" ${4:+--cut-after "$4"} $port 127.0.0.1:8744 here there "$1" \
    >"$1.said" 2>"$1.err" &
  relay=$!
  wait_for_line "$1.said" listening "$1.log"
  expect_exit "$2" on here seed --json --reconnect 0 "${@:5}" --disk "$3" 127.0.0.1:$port
  wait $relay || fail "the relay: $(cat "$1.err")"
  port=$((port + 1))
}

start_there
# Blocks that the destination has elsewhere, zeros, noise, text; a short last block.
head -c 6M /dev/urandom >donor.img
expect_exit 0 on there index add "$tmp/donor.img"
{
  dd if=donor.img bs=4096 skip=300 count=900 status=none
  head -c 3M /dev/urandom
  head -c 2M /dev/zero
  seq -f 'line %012g of a log' 1 60000
  tail -c 1M donor.img
} >disk.img
truncate -s 16778752 disk.img
seed_through cut.trace 1 disk.img 1500000
python3 "$decoder/decode.py" --image disk.img --broken cut.trace
# The session there ends by itself; until then it holds the disk.
while losetup --noheadings --output BACK-FILE | grep -qF "$tmp/there"; do :; done
seed_through again.trace 0 disk.img ''
python3 "$decoder/decode.py" --image disk.img again.trace
for block in 3 700 2600; do
  head -c 4096 /dev/urandom | dd of=disk.img bs=4096 seek=$block conv=notrunc status=none
done
dd if=/dev/zero of=disk.img bs=4096 seek=1200 count=2 conv=notrunc status=none
seed_through day.trace 0 disk.img ''
python3 "$decoder/decode.py" --image disk.img day.trace
seed_through untouched.trace 0 disk.img ''
python3 "$decoder/decode.py" --image disk.img untouched.trace
python3 "$decoder/damage.py" --image disk.img day.trace

# Several lanes; slow enough that all are there before it is over.
head -c 24M /dev/urandom >lanes.img
seed_through lanes.trace 0 lanes.img '' --connections 3 --bwlimit 80Mbit
value .link.connections 3
python3 "$decoder/decode.py" --image lanes.img lanes.trace | tee lanes.told
grep -Eq 'slices on [23] lanes' lanes.told || fail 'no slices but on one lane'
python3 "$decoder/damage.py" --image lanes.img --lanes lanes.trace

recorder=$TELEPORT_BUILD/test/programs/record-sessions
[[ -x $recorder ]] || skip "$recorder is not built; the daemons' sessions were right"
mkdir engines
"$recorder" "$tmp/engines" >engines.log 2>&1 || fail "$(cat engines.log)"
for trace in engines/*.trace; do
  disks=()
  for disk in "${trace%.trace}".[0-9]*; do disks+=(--final "$disk"); done
  python3 "$decoder/decode.py" --engine "${disks[@]}" "$trace"
done
