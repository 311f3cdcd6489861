# shellcheck shell=bash
# ready pvh
# A running guest on a loop device, with a partition, a dm-crypt device and a read-only image plugged in, teleports over a slow link to a host that has other Debian guests' images, and
# back. Proves: most of what is not zero comes from the donors; the whole disk is equal at the cut-over; libxl's
# stream is rebuilt byte for byte; on the way back the shadow is adopted and only what changed crosses; the
# report's figures agree with the card's counters and with a count of the disk's blocks; what else xl says of the guest,
# and its refusal of what it does not know, is what Xen's own says. With TRIPS=20 it goes on to and fro until then: what
# our programs hold on both hosts, and their files, are what they were after the second trip.

guest=loop1
mib=$((1 << 20))

# Without our programs: bytes of a file's blocks that are zero, and of those that are in the donors too.
count_blocks() {
    on_input "$1" "python3 - '$2' /srv/lab/donors/*.img" << 'END'
import hashlib, os, sys
def blocks(path):
    file = os.open(path, os.O_RDONLY)
    size, at = os.fstat(file).st_size, 0
    while at < size:
        try:
            data = os.lseek(file, at, os.SEEK_DATA) // 4096 * 4096
        except OSError:
            data = size
        yield (data - at) // 4096, None
        while data < size:
            piece = os.pread(file, 1 << 20, data)
            for first in range(0, len(piece), 4096):
                yield 1, piece[first:first + 4096]
            data += len(piece)
            if os.lseek(file, data - 1, os.SEEK_HOLE) < data:
                break
        at = data
    os.close(file)
digest, nothing = (lambda block: hashlib.md5(block).digest()), bytes(4096)
donors = {digest(block) for path in sys.argv[2:] for _, block in blocks(path) if block}
zero = found = 0
for count, block in blocks(sys.argv[1]):
    if not block or block == nothing:
        zero += count
    elif digest(block) in donors:
        found += 1
print(zero * 4096, found * 4096)
END
}

# Where a host stood still for longer than a peer may be silent, and only there (losses_are), the link may be lost, and
# the command goes on by itself with what the first connection has left.
was_lost() { [ "$(report .link.losses)" -gt 0 ]; }
target_is() {
    if was_lost && [ "$(report '.disks[0].kind')" = partial ]; then set -- partial; fi
    assert_equal "the target" "$1" "$(report '.disks[0].kind')"
}

# The report's bytes on the link are what TLS handed to TCP; the card counts headers, ACKs and the handshake too:
# 5 % of full packets, more where little is sent.
counters_agree() {
    local what=$1 sent received
    if was_lost; then
        say "the link was lost meanwhile: what lay in it is not known, and $what the counters are not compared"
        return
    fi
    read -r sent received < "$LAB/teleport/card"
    say "measured: $what: report $(report .link.sent) sent $(report .link.received) received, card $sent and $received"
    at_most "bytes sent, by the card" $(($(report .link.sent) * 110 / 100 + mib / 4)) "$sent"
    at_least "bytes sent, by the card" "$(report .link.sent)" "$sent"
    at_least "bytes received, by the card" "$(report .link.received)" "$received"
}

# plug_in VDEV KIND MODE: a disk of 4 MiB, half of it random bytes. The guest does not write to it.
plug_in() {
    local vdev=$1 kind=$2 mode=$3
    on_input 1 "bash -es $guest $vdev $kind $mode" << 'END'
guest=$1 vdev=$2 kind=$3 mode=$4
image=/srv/lab/guests/$guest-$vdev.img
truncate -s 5M "$image"
# a DOS table: one partition of 4 MiB from the first MiB on, and the identity that the PARTUUID is made of
[ "$kind" != partition ] || python3 - "$image" << 'TABLE'
import os, struct, sys
entry = struct.pack("<B3sB3sII", 0, bytes(3), 0x83, bytes(3), 2048, 8192)
with open(sys.argv[1], "r+b") as image:
    image.seek(440)
    image.write(os.urandom(4) + bytes(2) + entry + bytes(48) + b"\x55\xaa")
TABLE
device=$(losetup -f --show -P "$image")
case $kind in
    partition) device=${device}p1 ;;
    crypt)
        key=$(head -c 64 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
        dmsetup create "$guest-$vdev" --uuid "CRYPT-PLAIN-$guest-$vdev" --table "0 8192 crypt aes-xts-plain64 $key 0 $device 0"
        device=/dev/mapper/$guest-$vdev
        head -c 4M /dev/zero > "$device"
        ;;
esac
head -c 2M /dev/urandom | dd of="$device" bs=1M oflag=direct iflag=fullblock status=none
udevadm settle -t 20
xl block-attach "$guest" "phy:$device,$vdev,$mode"
END
}

pair_hosts
set_store directory streams
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop
plug_in xvdp partition w
plug_in xvdq crypt w
plug_in xvdr loop r
# but for the time in the last column of a list
for command in "list $guest | cut -c-50" "list -l $guest" "domid $guest" "block-list $guest" "no-such-command; echo \$?"; do
    assert_equal "xl $command" "$(host1 "{ /usr/lib/xen-4.17/bin/xl $command; } 2>&1")" "$(host1 "{ xl $command; } 2>&1")"
done

# ---- there ----
link_set 100mbit 20ms
teleport host1 host2 $guest
link_free
say "measured: there: $(report '"\(.total_seconds) s, downtime \(.downtime_seconds) s, found \(.bulk.donors), gaps \(.bulk.link), written meanwhile \(.rounds.link)"')"
target_is new
disks_equal host1 host2 $guest
streams_equal host1 host2
guest_alive host2 $guest

counters_agree there
size=$(report .disk_bytes)
assert_equal "zero, in place, donors and gaps" "$size" "$(report '.bulk | .zero + .in_place + .donors + .link')"
# The disk was counted after the move, when the guest had written some: records, churn and its journal.
read -r zero found < <(count_blocks host1 "$(shadows host1 $guest | awk '$1 == "xvda" { print $2 }')")
zero=$((zero + 7 * mib)) # of the disks that were plugged in
say "measured: by the report $(report .bulk.zero) zero and $(report .bulk.donors) from donors, counted $zero and $found"
written=$((24 * mib))
at_most "zero bytes" $((zero + written)) "$(report .bulk.zero)"
at_least "zero bytes" $((zero - written)) "$(report .bulk.zero)"
at_most "bytes from donors" $((found + written)) "$(report .bulk.donors)"
# where the link was lost, what had come before it is in place
brought=.bulk.donors
if was_lost; then brought='.bulk.donors + .bulk.in_place'; fi
at_least "bytes from donors" $((found - written)) "$(report "$brought")"
at_least "share of the data that came from donors, in %" 50 $(($(report "$brought") * 100 / (size - $(report .bulk.zero))))

# ---- and back ----
link_set 100mbit 20ms
teleport host2 host1 $guest
link_free
say "measured: back: $(report '"\(.total_seconds) s, downtime \(.downtime_seconds) s, sent \(.link.sent)"')"
target_is shadow
disks_equal host2 host1 $guest
streams_equal host2 host1
counters_agree back
# memory crosses as well: the disk's part is what is left
at_most "gaps on the way back" $((size / 10)) "$(report .bulk.link)"
at_most "bytes of the disk and the memory sent back" $((size / 10 + $(report .memory.coded_bytes))) "$(report .link.sent)"
# ---- to and fro ----
# held HOST: what is there at rest; entries of the journal stay for a month.
held() {
    # shellcheck disable=SC2016
    on "$1" 'pids=$(pgrep -f "^[^ ]*(teleportd|teleport-listen|teleportctl|xl-teleport)")
        echo "processes $(wc -w <<< "$pids")"
        echo "descriptors $(for pid in $pids; do ls "/proc/$pid/fd"; done | wc -l)"
        echo "loop devices $(losetup -n -l | wc -l)"
        find /var/lib/xl-teleport /run/xl-teleport /srv/lab/store /srv/lab/guests /etc/xen -path "*/journal/*" -prune -o -type f -print | sort'
}
memory_kib() { on "$1" 'grep -h RssAnon $(pgrep -f "^[^ ]*(teleportd|teleport-listen)" | sed "s,.*,/proc/&/status,")' | awk '{ kib += $2 } END { print kib }'; }
holds_the_same() { [ "$(held "$1")" = "$2" ]; }
if [ "${TRIPS:-2}" -gt 2 ]; then
    gate_digests off
    held1=$(held host1) held2=$(held host2) kib1=$(memory_kib host1) kib2=$(memory_kib host2)
    for ((trip = 3; trip < TRIPS; trip += 2)); do
        teleport host1 host2 $guest
        teleport host2 host1 $guest
        say "measured: after trip $((trip + 1)): $(report .downtime_seconds) s of downtime, KiB $(memory_kib host1) and $(memory_kib host2), before $kib1 and $kib2"
    done
    diff <(echo "$held1") <(held host1) >&2 || true
    diff <(echo "$held2") <(held host2) >&2 || true
    wait_for "host1 to hold what it held: $held1" 60 holds_the_same host1 "$held1"
    wait_for "host2 to hold what it held: $held2" 60 holds_the_same host2 "$held2"
fi

guest_mode host1 $guest idle
witness_verdict host1 $guest
