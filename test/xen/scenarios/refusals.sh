# shellcheck shell=bash
# ready pvh
# What Xen and the stores are known to refuse is refused before anything is touched: exit code 3, a sentence that says
# what to do, no file and no domain left at the destination, and the guest runs on. Hosts that do not know each other are
# tried without Xen (make check). Then its disk is written without a pause, not by the guest alone: the guest is paused for
# the tracker's start, in vain, and goes on; and it goes on when the teleport is killed while the guest is paused.

guest=refused1

# everything HOST: what a refusal may not change
everything() { on "$1" "ls $LAB_STORE; lvs --noheadings -o lv_name 2> /dev/null; xl list | awk 'NR > 1 { print \$1 }'; losetup -nO BACK-FILE; teleportctl shadow list"; }

# refused SENTENCE [GUEST [OPTION...]]
refused() {
    local sentence=$1 name=${2:-$guest} here there code
    shift
    shift $(($# > 0))
    here=$(everything host1) there=$(everything host2)
    try_teleport host1 host2 "$name" "$@"
    assert_equal "exit code of what is refused for '$sentence'" 3 "$code"
    grep -qE -- "$sentence" "$LAB/teleport/errors" "$LAB/teleport/report" || fail "nobody said '$sentence'"
    assert_equal "host1 after the refusal" "$here" "$(everything host1)"
    assert_equal "host2 after the refusal" "$there" "$(everything host2)"
}

pair_hosts
set_store directory
guest_create host1 $guest loop --idle

refused "no guest named 'nobody'" nobody

# a guest of the same name there; it needs no disk, nor to run
host2 "printf 'name = \"$guest\"\ntype = \"pvh\"\nkernel = \"/srv/lab/golden/vmlinuz-guest\"\nmemory = 96\n' > /tmp/clash.cfg; xl create -q -p /tmp/clash.cfg"
refused "a guest named '$guest' is already at the destination"
host2 "xl destroy $guest; rm /tmp/clash.cfg"

# no store, and one that is too small
store_again() { host2 "if [ -d $LAB_STORE.away ]; then umount $LAB_STORE 2> /dev/null; rm -rf $LAB_STORE; mv $LAB_STORE.away $LAB_STORE; fi"; }
trap store_again EXIT
host2 "mv $LAB_STORE $LAB_STORE.away"
refused "the store's directory $LAB_STORE"
host2 "mkdir $LAB_STORE && mount -t tmpfs -o size=100m tmpfs $LAB_STORE"
refused "the disks need .* MiB of .*, .* MiB are free"
store_again

# the name of a domain that is no guest; the same problems are told by --dry-run
refused "Domain-0 is the host itself" Domain-0 --dry-run

# ---- a disk that is never at rest ----
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

trap 'store_again; host1 rm -f /run/lab-restless' EXIT
writer "$(guest_disks host1 $guest | cut -d' ' -f2)"

teleport_fails 1 'something else on this host writes to it' host1 host2 $guest
assert "the guest is still paused" guest_is_not p
guest_alive host1 $guest

host1 "setsid xl-teleport $guest host2 > /var/log/restless-teleport.log 2>&1 < /dev/null &"
wait_for "the pause" 60 guest_is p
host1 "pkill -9 -o -x xl-teleport"
wait_for "the guardian to end the pause" 60 guest_is_not p
host1 rm -f /run/lab-restless
witness_verdict host1 $guest
