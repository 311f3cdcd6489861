# shellcheck shell=bash
# stock
# ready pvh
#
# The lab itself, with stock Xen alone: a guest is saved on host1, its disk and its memory cross the link, and
# it goes on at host2. Also: the link's rate, delay and cut are what they are said to be.

# round_trip: the average in whole milliseconds
round_trip() { host1 ping -q -c 5 -i 0.2 host2 | sed -n 's|^rtt .* = [^/]*/\([0-9]*\)[./].*|\1|p'; }

# a speed in MiB/s of what filters 64 MiB in dom0
speed() { host1 "s=\$(date +%s%N); head -c 64M /dev/zero | $1 > /dev/null; e=\$(date +%s%N); echo \$((64000000000 / (e - s)))"; }

began=$(now_ms)
guest_create host1 self loop
say "measured: guest created and acknowledging after $(seconds_since "$began") s"
say "measured: in dom0 $(speed sha256sum) MiB/s sha256sum, $(speed xxh128sum) MiB/s xxh128sum"

# ---- the link ----
unlimited=$(round_trip)
link_set 50mbit 40ms
limited=$(round_trip)
say "measured: round trip $unlimited ms free, $limited ms with 40 ms each way"
[ "$limited" -ge 79 ] || fail "the round trip is $limited ms, less than twice the delay"

# Measured between two counts of the card, when the connection's set-up and slow start are over. How much slower than
# the link it is says what the emulated processors encrypt on the machine of today, and is no fault.
link_set 4mbit 40ms
read -r before _ < <(link_bytes host1)
has_sent() { read -r sent _ < <(link_bytes host1); sent=$((sent - before)) at=$(now_ms); [ "$sent" -ge "$1" ]; }
host1 'head -c 4M /dev/urandom | ssh -o Compression=no root@host2 "cat > /dev/null"' &
copy=$!
wait_for 'the first of 4 MiB' 60 has_sent $((1 << 20))
first=$sent began=$at
wait_for 'most of 4 MiB' 60 has_sent $((3 << 20))
rate=$(((sent - first) * 8 / (at - began)))
wait $copy || fail 'the copy over the link'
has_sent 0
if [ "$sent" -lt $((4 << 20)) ] || [ "$sent" -gt $((5 << 20)) ]; then fail "the card counted $sent bytes of 4 MiB"; fi
say "measured: $rate kbit/s over a link of 4000, by the card's counter"
[ $rate -lt 4400 ] || fail "the link is faster than it was set"

link_cut
if host1 ping -q -c 2 -W 2 host2 > /dev/null; then fail "a cut link lets packets through"; fi
link_restore
wait_for "the link after the cut" 30 host1 "ping -q -c 1 -W 2 host2 > /dev/null"
link_free

# ---- a move with stock tools ----
guest_alive host1 self
began=$(now_ms)
host1 xl save self /srv/lab/self.save > /dev/null 2>&1
say "measured: saved in $(seconds_since "$began") s"
if guest_runs host1 self; then fail "it runs on after being saved"; fi
file=/srv/lab/guests/self-xvda.img
host1 "sync; dd if=$file bs=1M conv=sparse status=none | zstd -1 -q | ssh root@host2 'zstd -dcq | dd of=$file bs=1M conv=sparse,fsync iflag=fullblock status=none'"
host1 "ssh root@host2 truncate -s \$(stat -c %s $file) $file"
assert_equal "the disk of both hosts" "$(host1 "xxh128sum < $file")" "$(host2 "xxh128sum < $file")"
host1 scp -q /srv/lab/self.save root@host2:/srv/lab/
device=$(host2 losetup -f --show $file)
host1 cat /srv/lab/guests/self.cfg | sed "s|phy:[^,]*,xvda|phy:$device,xvda|" |
    on_input host2 'cat > /srv/lab/guests/self.cfg'
began=$(now_ms)
host2 xl restore /srv/lab/guests/self.cfg /srv/lab/self.save > /dev/null 2>&1
say "measured: restored in $(seconds_since "$began") s"
assert_equal "the guest's hosts" 2 "$(guest_hosts self)"

guest_mode host2 self heavy
guest_alive host2 self
guest_mode host2 self normal
witness_verdict host2 self
host1 rm -f /srv/lab/self.save
host2 rm -f /srv/lab/self.save
