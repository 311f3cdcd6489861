# shellcheck shell=bash
# An HVM guest that boots from its disk by grub, with two processors, a screen (vnc), a serial line, an empty CD drive
# and a network card, teleports and comes back: its emulator's state crosses with it. Proves: whole disks are equal at the
# cut-over, the stream with the emulator's records is rebuilt byte for byte, the guest goes on and reboots where it came
# home to.

guest=hvm1

pair_hosts
set_store directory streams
index_donors host2 /srv/lab/donors
guest_create host1 $guest loop --idle --type hvm --boot disk --memory 160 --vif --cdrom --option 'vcpus = 2' --option 'vnc = 1' \
    --option 'serial = "pty"'

link_set 100mbit 20ms
teleport host1 host2 $guest
link_free
disks_equal host1 host2 $guest
streams_equal host1 host2
guest_alive host2 $guest
assert 'no emulator runs on host2' host2 "pgrep -f 'qemu.* -xen-domid $(host2 "xl domid $guest") '"

link_set 100mbit 20ms
teleport host2 host1 $guest
link_free
assert_equal 'the target' shadow "$(report '.disks[0].kind')"
disks_equal host2 host1 $guest
streams_equal host2 host1
witness_verdict host1 $guest
