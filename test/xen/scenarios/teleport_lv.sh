# shellcheck shell=bash
# ready hvm
# An HVM guest that boots by grub from a logical volume in two pieces, with two processors, a screen (vnc), a serial
# line, an empty CD drive and a network card; volume groups are the stores. The index follows its disk while the guest
# writes, teleportd is restarted and its keeper is killed: it catches up without scanning again, and the teleport then
# reads nothing of the disk but what the destination lacks, by the count of the disk itself. The way back goes into the
# guest's own volume, which was set aside. Its emulator's state crosses with it: whole disks are equal at each cut-over,
# and the stream with the emulator's records is rebuilt byte for byte.

guest=hvm1

# followed HOST: the index follows a disk there. caught_up HOST: and knows what was written to it, but for the few
# extents into which the witness puts its records, even when it is idle.
index_stat() { on "$1" 'teleportctl index stat --json' | jq "$2"; }
followed() { [ "$(index_stat "$1" .followed)" -eq 1 ]; }
caught_up() { [ "$(index_stat "$1" .behind_bytes)" -le $((2 << 20)) ]; }
is_behind() { [ "$(index_stat "$1" .behind_bytes)" -ge $((8 << 20)) ]; }
scans() { on "$1" "grep -c ': scanned, ' /var/log/teleportd.log"; }

# kill_keeper HOST: that of the daemon that runs now.
kill_keeper() { on "$1" 'pkill -KILL -x -P $(cat /run/teleportd.lab.pid) teleportd-keep'; }

# read_bytes HOST DEVICE: read from the device since it is there.
read_bytes() { on "$1" "awk '{ print \$3 * 512 }' /sys/dev/block/$2/stat"; }

pair_hosts
set_store lvm streams 'index=donors = "auto"' 'index=quiet_seconds = 2'
index_donors host2 /srv/lab/donors
index_empty host1
guest_create host1 $guest lv --type hvm --boot disk --memory 160 --vif --cdrom --option vcpus=2 --option vnc=1 \
    --option 'serial="pty"'
assert_equal "pieces of the volume" 2 "$(host1 "lvs --noheadings -o seg_count vg0/$guest-xvda" | tr -d ' ')"
wait_for "the index to follow the disk of $guest" 240 followed host1
scanned=$(scans host1)

# ---- it writes, and the daemon comes and goes ----
guest_mode host1 $guest heavy
wait_for "the index to be behind" 60 is_behind host1
daemon_restart host1
wait_for "the daemon's keeper" 60 kill_keeper host1
wait_for "the index to be behind" 60 is_behind host1
daemon_stop host1
guest_alive host1 $guest
assert "the index stays behind while nobody reads" is_behind host1
daemon_restart host1
guest_mode host1 $guest idle
wait_for "the index to catch up" 120 caught_up host1
assert_equal "scans of the disk" "$scanned" "$(scans host1)"

# ---- and is not read ----
device=$(guest_disks host1 $guest | cut -d' ' -f2)
number=$(on host1 "printf '%d:%d' 0x\$(stat -Lc %t $device) 0x\$(stat -Lc %T $device)")
before=$(read_bytes host1 "$number")
teleport host1 host2 $guest
read=$(($(read_bytes host1 "$number") - before))
say "measured: $(report '"disk \(.disk_bytes), known \(.source_known_bytes), read \(.source_read_bytes), gaps \(.bulk.link), written meanwhile \(.rounds.link)"'), by the disk's count $read"
# Of the bulk what the destination lacks. Of extents that were written meanwhile, each round reads all: how many rounds
# there are is the machine's speed. The guest reads its disk too, and so do the keeper and the audit.
at_most "bytes that the source read in the bulk" $(($(report .bulk.link) + (16 << 20))) "$(report .source_read_bytes)"
at_most "bytes read of the disk, by its own count" \
    $(($(report '.source_read_bytes + .source_read_in_rounds_bytes + .disk_bytes / 2'))) "$read"
assert_equal "the target" new "$(report '.disks[0].kind')"
assert_equal "kind of the new volume" linear "$(host2 "lvs --noheadings -o segtype vg0/$guest-xvda" | tr -d ' ')"
disks_equal host1 host2 $guest
streams_equal host1 host2
guest_mode host2 $guest normal
guest_alive host2 $guest
assert 'no emulator runs on host2' host2 "pgrep -f 'qemu.* -xen-domid $(host2 "xl domid $guest") '"

# ---- and back, into its own volume ----
teleport host2 host1 $guest
assert_equal "the target on the way back" shadow "$(report '.disks[0].kind')"
at_most "gaps on the way back" $(($(report .disk_bytes) / 10)) "$(report .bulk.link)"
disks_equal host2 host1 $guest
streams_equal host2 host1
device=$(guest_disks host1 $guest | cut -d' ' -f2)
assert_equal "its volume has its name again" "$(host1 "realpath /dev/vg0/$guest-xvda")" "$(host1 "realpath $device")"
assert_equal "the path that Xen has of it" /dev/disk/by-id/dm-uuid-LVM "${device%-*}"
guest_mode host1 $guest idle
witness_verdict host1 $guest
