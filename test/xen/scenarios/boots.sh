# shellcheck shell=bash
# hosts bookworm-systemd bookworm-systemd
# Both sites lose their power at once, and boot as an administrator's hosts do: systemd, Debian's init scripts of Xen and
# xendomains, and the units of our package. One guest had moved; of the other, the source has just written that the
# destination may run it, and is killed that moment. The first is started where it arrived and nowhere else, with
# every write that it saw acknowledged. The second is started at most once; where no host can know, a person decides. What
# the network reaches runs without rights, and what our unit forbids its children no emulator of a guest needs.

moved=boots1 limbo=boots2

# may_boot HOST GUEST: it is started when the host boots, as an administrator sets that up.
may_boot() { on "$1" "cp /srv/lab/guests/$2.cfg /etc/xen/ && mkdir -p /etc/xen/auto && ln -s ../$2.cfg /etc/xen/auto/$2.cfg"; }
autostarts() { on "$1" 'ls /etc/xen/auto 2> /dev/null' | xargs; }
units_are_up() {
    local unit
    for unit in teleportd teleport-listen teleport-boot teleport-shutdown; do
        assert_equal "$unit on host$1" active "$(on "$1" systemctl is-active $unit)"
    done
    assert_equal "who listens on host$1" xl-teleport "$(on "$1" 'ps -o user:20= -C teleport-listen' | xargs -n 1 | sort -u)"
}
is_struck() { host1 'grep -q struck /tmp/struck'; }
runs_at() { [ "$(guest_hosts "$1")" = "$2" ]; }
# lose_power: of both hosts, and both boot.
lose_power() {
    local host
    for host in 2 1; do host_crash $host; done
    rm -f "$LAB/wan"
    for host in $LAB_HOSTS; do host_power_on "$host"; done
    for host in $LAB_HOSTS; do host_wait "$host"; done
}
# old_records HOST GUEST LAST BOOT: of the boot before: all that was acknowledged then is on its disk. Ends the guest.
old_records() {
    local device
    device=$(guest_disks "$1" "$2" | awk '{ print $2 }')
    wait_for "$2 to have booted" 300 has_booted "$1" "$2"
    on "$1" "xl shutdown $2" > /dev/null
    wait_for "$2 to shut down" 480 guest_is_gone "$1" "$2"
    on "$1" "blockdev --flushbufs $device; debugfs -R 'dump /var/lib/witness/records.old /tmp/old' $device 2> /dev/null; witness --verify /tmp/old $3 $4" >&2 ||
        fail "$2 lost a record that was acknowledged before the loss of power"
}
has_booted() { on "$1" "grep -aq 'witness: ack 3 ' /var/log/xen/console/guest-$2.log"; }

pair_hosts
set_store lvm
gate_digests off
for host in $LAB_HOSTS; do
    for unit in teleportd teleport-boot teleport-shutdown; do assert_equal "$unit on host$host" enabled "$(on "$host" systemctl is-enabled $unit)"; done
    units_are_up "$host"
done
guest_create host1 $moved lv --idle --type hvm --memory 128
guest_create host1 $limbo lv --idle
may_boot 1 $moved
may_boot 1 $limbo

teleport host1 host2 $moved
assert_equal 'what host1 starts' $limbo.cfg "$(autostarts 1)"
assert_equal 'what host2 starts' $moved.cfg "$(autostarts 2)"

guest_alive host2 $moved
# shellcheck disable=SC2154  # witness_state sets them
{
    witness_state $moved
    moved_last=$last moved_boot=$boot
    witness_state $limbo
    limbo_last=$last limbo_boot=$boot
}
for host in $LAB_HOSTS; do on "$host" 'rm -f /var/log/xen/console/guest-*; sync'; done
host1 'rm -f /tmp/struck; setsid /usr/local/lib/lab/strike source go 0 teleport > /tmp/struck 2>&1 < /dev/null &'
host1 "setsid xl-teleport --json $limbo host2 > /tmp/try.json 2> /tmp/try.err < /dev/null &"
wait_for 'the permission to be written' 600 is_struck
lose_power

for host in $LAB_HOSTS; do
    units_are_up "$host"
    say "measured: host$host after its boot: $(on "$host" 'xl list | tail -n +3; teleportctl teleports' | xargs)"
done
wait_for "$moved to run where it had arrived" 120 runs_at $moved 2
# The hosts reach each other again: teleportd has asked by itself, if there was anything to be known.
found=$(guest_hosts $limbo)
if [ -z "$found" ]; then
    say "measured: $limbo runs nowhere; $(host1 "xl teleport --recover $limbo 2>&1; echo exit code \$?" | xargs)"
    found=$(guest_hosts $limbo)
fi
if [ -z "$found" ]; then
    say "measured: at host2: $(host2 "xl teleport --recover $limbo --runs-there --yes 2>&1; echo exit code \$?" | xargs)"
    say "measured: at host1: $(host1 "xl teleport --recover $limbo 2>&1; echo exit code \$?" | xargs)"
    wait_for "$limbo to be started" 120 runs_at $limbo 1
    found=1
fi
say "measured: $limbo runs at host$found"
old_records 2 $moved "$moved_last" "$moved_boot"
old_records "$found" $limbo "$limbo_last" "$limbo_boot"
