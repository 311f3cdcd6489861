#!/bin/bash
# teleportctl seed --disk: an image crosses to a real teleportd, on this machine
# without Xen, and is kept there as a shadow; a second seed moves what changed;
# a seed that was cut goes on.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
make_host stranger

head -c 24M /dev/urandom >web.img
seq -f 'line %012g of a log' 1 150000 >>web.img
truncate -s 40M web.img

# Nobody there; and no guest without Xen.
expect_exit 1 on here seed --disk web.img 127.0.0.1
expect_text err 'refused'
[[ -e /proc/xen/capabilities ]] || expect_exit 1 on here seed web1 127.0.0.1
expect_exit 2 on here seed --disk web.img web1 127.0.0.1
expect_exit 2 on here seed 127.0.0.1

start_there

# To an unknown host nothing is told, from one nothing is taken.
expect_exit 1 on stranger seed --disk web.img 127.0.0.1
expect_text err 'teleportctl pair'

expect_exit 0 on here seed --json --disk web.img --as web1 127.0.0.1
value '[.outcome, .disks[0].kind, .disk_bytes]' '["seeded","new",41943040]'
value '[.bulk.in_place, .bulk.donors, .followed]' '[0,0,false]'
shadow=$tmp/there/store/web1-xvda.teleport-shadow
cmp web.img "$shadow"
(($(stat -c %b "$shadow") <= $(stat -c %b web.img) + 16)) || fail 'zeros were written'
expect_exit 0 on there shadow list --json
value '[.[] | [.guest, .vdev, .kind, .path]]' "[[\"web1\",\"xvda\",\"shadow\",\"$shadow\"]]"
losetup --noheadings --output BACK-FILE >loops
! grep -qF "$tmp" loops || fail "a loop device was left: $(cat loops)"

# The same again, and then with three blocks changed, one of them zeroed.
expect_exit 0 on here seed --json --disk web.img --as web1 127.0.0.1
value '[.disks[0].kind, .bulk.link, .bulk.in_place + .bulk.zero]' '["shadow",0,41943040]'
(($(jq .link.sent out) < 16384)) || fail "an untouched image cost $(jq -c .link out)"
for block in 7 4000; do
  head -c 4096 /dev/urandom | dd of=web.img bs=4096 seek=$block conv=notrunc status=none
done
dd if=/dev/zero of=web.img bs=4096 seek=100 count=1 conv=notrunc status=none
expect_exit 0 on here seed --json --disk web.img --as web1 127.0.0.1
value '[.disks[0].kind, .bulk.link]' '["shadow",8192]'
cmp web.img "$shadow"
expect_exit 0 on there shadow list --json
value length 1

# The link breaks in the middle; what came over it is not sent again.
head -c 32M /dev/urandom >data.img
mkfifo cut.said
python3 "$TELEPORT_SOURCE/test/cli/cut_link.py" 9000 8744 $((20 << 20)) >cut.said &
wait_for_line cut.said listening cut.log
expect_exit 1 on here seed --json --reconnect 0 --disk data.img 127.0.0.1:9000
value .outcome '"failed"'
expect_text err 'serves the next attempt'
# The session there ends by itself; until then it holds the disk, and says so.
until report=$(on here seed --json --disk data.img 127.0.0.1 2>err); do
  grep -q 'under way' err || fail "$(cat err)"
done
echo "$report" >out
value '[.outcome, .disks[0].kind, .bulk.in_place + .bulk.link]' '["seeded","partial",33554432]'
# All but what was under way when it broke: one extent, and what TLS adds.
(($(jq .bulk.in_place out) >= 18 << 20)) || fail "sent again: $(cat out)"
cmp data.img "$tmp/there/store/data-xvda.teleport-shadow"

# Left to itself a seed looks for a link that it has lost, and goes on.
head -c 32M /dev/urandom >again.img
mkfifo again.said
python3 "$TELEPORT_SOURCE/test/cli/cut_link.py" 9001 8744 $((20 << 20)) again >again.said &
wait_for_line again.said listening again.log
expect_exit 0 on here seed --json --disk again.img 127.0.0.1:9001
value '[.outcome, .disks[0].kind, .link.losses]' '["seeded","partial",1]'
value '.bulk.in_place + .bulk.link' 33554432
(($(jq .bulk.in_place out) >= 18 << 20)) || fail "sent again: $(cat out)"
(($(jq .link.sent out) < 34 << 20)) || fail "sent again: $(cat out)"
cmp again.img "$tmp/there/store/again-xvda.teleport-shadow"

# What the destination's other disks hold is not sent.
expect_exit 0 on there index add "$shadow"
{
  head -c 1M /dev/urandom
  dd if=web.img bs=1M skip=2 count=8 status=none
} >like.img
expect_exit 0 on here seed --disk like.img --as 6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11:xvdb 127.0.0.1
# One block in 64 crosses the link though a donor holds it: 4 of 256 of a MiB.
expect_text out 'from donors                7.9 MiB'
cmp like.img "$tmp"/there/store/*-xvdb.teleport-shadow
