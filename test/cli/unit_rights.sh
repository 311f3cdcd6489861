#!/bin/bash
# What systemd says of the units: the part that the network reaches is below 5,
# and has what its page and SECURITY.md say; teleportd's own does not get worse.
. "$(dirname "$0")/functions.sh"
requires systemd-analyze

# score_of UNIT: of systemd-analyze, ten times.
score_of() {
  local unit=$1
  sed -e 's|@SBINDIR@|/usr/sbin|' "$TELEPORT_SOURCE/tools/$unit.service" \
    >"$(basename "$unit").service"
  systemd-analyze security --offline=true --no-pager "$PWD/$(basename "$unit").service" \
    >said 2>&1 || :
  sed -nE 's/.*Overall exposure level for .*: ([0-9]+)\.([0-9]) .*/\1\2/p' said
}
listen=$(score_of listen/teleport-listen)
[[ $listen ]] || skip "this systemd-analyze has no --offline: $(cat said)"
((10#$listen < 50)) || fail "teleport-listen.service: $listen tenths: $(cat said)"
daemon=$(score_of teleportd/teleportd)
((10#$daemon <= 78)) || fail "teleportd.service: $daemon tenths: $(cat said)"

# What is root's starts no other way than through its door.
grep -q -- '--door /run/teleport-listen/door$' teleportd.service ||
  fail 'teleportd would start a listener of its own, in its own unit'
grep -q '^User=xl-teleport$' teleport-listen.service || fail 'no user'
adjust=$(sed -n 's/^OOMScoreAdjust=//p' teleport-listen.service)
((adjust >= 0)) || fail 'what a peer makes large is spared when memory is short'
grep -q "^u xl-teleport " "$TELEPORT_SOURCE/tools/package/xl-teleport.sysusers" ||
  fail 'nobody makes the user'
