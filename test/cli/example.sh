#!/bin/bash
# The example of libteleport brings a disk to another end, whole, and the second
# time nothing of it; what does not fit is an error of both ends.
. "$(dirname "$0")/functions.sh"
disk_copy=$TELEPORT_BUILD/libteleport/examples/disk-copy
[[ -x $disk_copy ]] || skip "$disk_copy is not built"

{
  head -c 9M /dev/urandom
  head -c 3M /dev/zero
} >disk
mkfifo told there back
# Each end of a pipe waits for its other end to be opened: the source opens `told`
# first.
#
# copies TARGET "SOURCE'S STATUS DESTINATION'S": `sent` has what the source said,
# `out` what both had to say.
copies() {
  local source=0 destination=0
  "$disk_copy" "$1" "$tmp/index" <there >back 2>out &
  local receiver=$!
  tee sent <told >there &
  "$disk_copy" disk >told <back 2>>out || source=$?
  wait "$receiver" || destination=$?
  wait
  [[ "$source $destination" = "$2" ]] ||
    fail "exit codes $source and $destination, not $2: $(cat out)"
}

truncate -s 12M target
copies target '0 0'
cmp disk target || fail 'the copy is another disk'
copies target '0 0'
cmp disk target || fail 'the second copy is another disk'
(($(stat -c %s sent) < 4096)) || fail "$(stat -c %s sent) bytes for a disk that is there"
# One block differs: little more than that crosses.
dd if=/dev/urandom of=disk bs=4k seek=300 count=1 conv=notrunc status=none
copies target '0 0'
cmp disk target || fail 'what was changed did not come'
(($(stat -c %s sent) < 16384)) || fail "$(stat -c %s sent) bytes for a block of 4096"

truncate -s 11M small
copies small '1 1'
expect_text out 'out of order'
truncate -s 13M large
copies large '1 1'
expect_text out 'TARGET is larger than DISK'
expect_exit 1 "$disk_copy" nowhere
expect_text err 'nowhere'
expect_exit 2 "$disk_copy"

# It is short, and the headers that API.md names are there.
(($(wc -l <"$TELEPORT_SOURCE/libteleport/examples/disk-copy.cpp") < 100)) ||
  fail 'the example is longer than it says'
grep -oE '`[a-z_/]+\.hpp`' "$TELEPORT_SOURCE/libteleport/API.md" | tr -d '`' >named
[[ -s named ]] || fail 'API.md names no headers'
while read -r header; do
  [[ -f $TELEPORT_SOURCE/$header ]] || fail "API.md names $header, which is not there"
done <named
