#!/bin/bash
# teleport-evacuate: wrong usage is refused by its name with exit code 2; where
# there is no Xen nothing is done, and that is said and recorded.
. "$(dirname "$0")/functions.sh"
requires jq flock

evacuate=$TELEPORT_BUILD/tools/evacuate/teleport-evacuate
[[ -x $evacuate ]] || skip "$evacuate is not built"
config=$tmp/teleport.conf
printf '[state]\npath = "%s"\nrun = "%s"\n' "$tmp/state" "$tmp/run" >"$config"
run() { "$evacuate" --config "$config" "$@"; }

# refused TEXT ARGUMENT...
refused() {
  local text=$1
  shift
  expect_exit 2 run "$@"
  cat err out >said
  expect_text said "$text"
}
refused '--to'
refused '--to' --all
refused 'excludes --guests' --to host2 --all --guests a
refused 'is not a host' --to=-oProxyCommand=x
refused 'is not a host' --to 'host2,a b'
refused '--parallel' --to host2 --parallel 0
refused '--parallel' --to host2 --parallel many
refused 'part of the day' --to host2 --window 2-5
refused 'part of the day' --to host2 --window 02:00-02:00
refused '--at-close' --to host2 --at-close never
refused '--retry-pause' --to host2 --retry-pause -1
refused 'empty name' --to host2 --guests ''
refused 'empty name' --to host2 --except ''
refused "--to: an empty name" --to host2,,host3
refused "--to: an empty name" --to host2,
refused "--guests: an empty name" --to host2 --guests ,web1
refused "--except: an empty name" --to host2 --except web1,,web2
refused 'the record says where' --to host2 --back
refused '--ssh' --back --ssh ''
refused '--home' --back --home '-x'
refused 'bwlimit' --to host2 --bwlimit 10
refused 'bwlimit' --to host2 --bwlimit fast
refused 'host9' --to host2 -- host9
printf '[listen]\nprot = 1\n' >wrong
expect_exit 2 "$evacuate" --config wrong --to host2
expect_text err "unknown key 'listen.prot'"
expect_exit 0 run --version
expect_exit 0 run --help

if [[ -e /proc/xen/capabilities ]]; then
  skip 'this is a Xen host: the rest would move its guests'
fi
[[ ! -e state ]] || fail 'wrong usage left something behind'
expect_exit 3 run --dry-run --to host2
expect_text err 'this must be a running dom0'
[[ ! -e state/evacuation/record.jsonl ]] || fail 'a dry run was recorded'
expect_exit 3 run --json --to host2
[[ $(jq -r .event out | xargs) = 'begin error over' ]] || fail 'the events differ'
[[ $(jq -r 'select(.event == "over").exit' out) = 3 ]] || fail 'no exit code'
jq -c . state/evacuation/record.jsonl | diff - <(jq -c . out) ||
  fail 'the record is not what was said'
[[ $(stat -c %a state/evacuation) = 700 ]] || fail 'others may read the record'

# Nobody is away: nothing to bring home... but no Xen to look at either.
expect_exit 3 run --back
expect_text err 'this must be a running dom0'

# One at a time; a dry run disturbs nobody.
exec 9>run/evacuation.lock
flock 9
expect_exit 3 run --to host2
expect_text err 'another evacuation of this host is under way'
expect_exit 3 run --dry-run --to host2
expect_text err 'this must be a running dom0'
exec 9>&-

# A record that cannot be written.
rm -rf state
echo 'no folder' >state
expect_exit 3 run --to host2
expect_text err "the evacuation's record"
