#!/bin/bash
# teleportctl shadow: what is kept for guests elsewhere is shown with its age,
# what it holds and whose it is; remove and prune delete it, when it is the disk
# that was kept and nobody has or needs it.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
start_there

for guest in old new mid; do
  { head -c 2M /dev/urandom && head -c 6M /dev/zero; } >$guest.img
  expect_exit 0 on here seed --quiet --disk $guest.img 127.0.0.1
done
book() { echo "there/state/disks/$(jq -r ".[] | select(.guest == \"$1\").uuid" kept.json)_xvda.json"; }
file() { echo "$tmp/there/store/$1-xvda.teleport-shadow"; }
on there shadow list --json >kept.json
touch -d '-100 days' "$(book old)"
touch -d '-40 days -1 minute' "$(book mid)"

# What is there.
expect_exit 0 on there shadow list
[[ $(awk '{ print $1 }' out | xargs) = 'GUEST mid new old' ]] || fail "$(cat out)"
grep -q "^old  *xvda  *shadow  *8.0 MiB  *2.0 MiB  *100 d  *from here  *$(file old)$" out ||
  fail "the list says: $(cat out)"
expect_exit 0 on there shadow list --json
value 'map([.guest, .bytes, .held_bytes, .own, .host, .there, .in_use])' \
  '[["mid",8388608,2097152,false,"here",true,false],["new",8388608,2097152,false,"here",true,false],["old",8388608,2097152,false,"here",true,false]]'
value '.[2].age_seconds >= 100 * 86400' true
value '.[2].host_sha256' "$(on there peers --json | jq -c '.[0].sha256')"
expect_exit 1 on there shadow remove nobody
expect_text err "nothing is kept for a guest 'nobody'"

# stays REASON: mid is not deleted, for that reason.
stays() {
  expect_exit 1 on there shadow remove mid
  expect_text err 'teleportctl: mid xvda stays: '
  expect_text err "$1"
  [[ -e $(book mid) ]] || fail "the entry is gone although $1"
}
# A program reads it; a loop device is over it, in use or not.
exec 7<"$(file mid)"
stays 'open in another program'
exec 7<&-
loop=$(losetup --find --show --read-only "$(file mid)")
stays 'open in another program'
losetup --detach "$loop"
loop=$(losetup --find --show "$(file mid)")
exec 7<"$loop"
stays "$loop is in use"
exec 7<&-
losetup --detach "$loop"
# Another file has its name, it has its guest's, or none.
mv "$(file mid)" moved
cp moved "$(file mid)"
stays 'is another disk'
mv moved "$(file mid)"
name=$(file mid)
mv "$name" "${name%.teleport-shadow}"
stays 'the name from which its guest is started'
mv "${name%.teleport-shadow}" moved
stays 'is not there'
expect_exit 0 on there shadow list --json
value '[.[] | select(.guest == "mid") | .there, .held_bytes]' '[false,null]'
mv moved "$name"
# What a damaged entry of the journal promises is not known.
mkdir -p there/state/journal
damaged=there/state/journal/00112233445566778899aabbccddeeff.source
echo damaged >"$damaged"
stays "$(basename "$damaged")"
expect_exit 0 on there shadow prune --keep-days 0
[[ -e $(file old) ]] || fail 'prune removes what may be needed'
rm "$damaged"

# A dry run deletes nothing.
expect_exit 0 on there shadow remove --dry-run mid
expect_text out "would be removed: mid xvda, 2.0 MiB at $(file mid)"
expect_exit 0 on there shadow prune --keep-days 41 --dry-run --json
value 'map([.guest, .action])' '[["mid","kept"],["new","kept"],["old","would_remove"]]'
expect_exit 0 on there shadow list --json
value 'map(.there)' '[true,true,true]'

# By age, by space, and by name.
expect_exit 0 on there shadow prune --keep-days 41
expect_text out "removed: old xvda, 2.0 MiB at $(file old)"
expect_text out '2.0 MiB of 6.0 MiB freed'
[[ ! -e $(file old) && ! -e $(book old) ]] || fail 'old is still there'
expect_exit 0 on there shadow prune --max-space 4MiB --json
value 'map(.action)' '["kept","kept"]'
expect_exit 0 on there shadow prune --max-space 3MiB --json
value 'map([.guest, .action])' '[["new","kept"],["mid","removed"]]'
[[ ! -e $(file mid) && -e $(file new) ]] || fail 'the wrong one went'
expect_exit 0 on there shadow remove new
expect_exit 0 on there shadow list
[[ ! -s out ]] || fail "there is still $(cat out)"
[[ -z $(ls there/store) ]] || fail "the store still has $(ls there/store)"
# It comes again, as new.
expect_exit 0 on here seed --json --disk new.img 127.0.0.1
value '.disks[0].kind' '"new"'
