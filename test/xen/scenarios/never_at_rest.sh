# shellcheck shell=bash
# ready pvh
# A disk that is written without a pause, not by the guest alone: the guest is paused for the tracker's start, in
# vain, and goes on; and it goes on when the teleport is killed while the guest is paused. When the disk comes to rest
# the guest moves, and the whole disk is equal.

guest=restless1

# writer DEVICE: keeps writes of the disk's last 256 KiB, as they are, in flight until /run/lab-restless goes
writer() {
    on_input host1 'cat > /srv/lab/restless.py' << 'END'
import mmap, os, sys, threading
disk = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
length = 1 << 18
at = os.lseek(disk, 0, os.SEEK_END) - length
data = mmap.mmap(-1, length)
os.preadv(disk, [data], at)
def write():
    while os.path.exists("/run/lab-restless"):
        os.pwritev(disk, [data], at)
for _ in range(12):
    threading.Thread(target=write).start()
END
    host1 "touch /run/lab-restless; setsid python3 /srv/lab/restless.py $1 > /var/log/restless.log 2>&1 < /dev/null &"
}
guest_is() { host1 "xl list $guest" | awk -v flag="$1" 'NR == 2 { found = index($5, flag) } END { exit !found }'; }
guest_is_not() { ! guest_is "$1"; }

trap 'host1 rm -f /run/lab-restless' EXIT
pair_hosts
set_store directory
guest_create host1 $guest loop --idle
writer "$(guest_disks host1 $guest | cut -d' ' -f2)"

teleport_fails 1 'something else on this host writes to it' host1 host2 $guest
assert "the guest is still paused" guest_is_not p
guest_alive host1 $guest

host1 "setsid xl-teleport $guest host2 > /var/log/restless-teleport.log 2>&1 < /dev/null &"
wait_for "the pause" 60 guest_is p
host1 "pkill -9 -o -x xl-teleport"
wait_for "the guardian to end the pause" 60 guest_is_not p
host1 rm -f /run/lab-restless
guest_alive host1 $guest
teleport host1 host2 $guest
disks_equal host1 host2 $guest
witness_verdict host2 $guest
