#!/bin/bash
# teleportctl jobs, show, log and cancel, on both hosts of a seed and for a scan:
# what runs is seen and ended from another terminal, and what has run is told
# afterwards, for as long as the configuration says.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"

# wait_for_job HOST QUERY: until one that runs there answers QUERY with true.
wait_for_job() {
  local end=$((SECONDS + 60))
  until on "$1" jobs --json >out && jq -e "any(.[]; $2)" out >/dev/null; do
    ((SECONDS < end)) || fail "no job with $2 at $1: $(cat out)"
  done
}
# wait_for_log HOST QUERY: until the history answers QUERY with true.
wait_for_log() {
  local end=$((SECONDS + 60))
  until on "$1" log --json >out && jq -e "$2" out >/dev/null; do
    ((SECONDS < end)) || fail "$2 is not true of the log at $1: $(cat out)"
  done
}

# Nothing yet, and no id.
expect_exit 0 on here jobs
[[ ! -s out ]] || fail "jobs: $(cat out)"
expect_exit 0 on here jobs --json
value . '[]'
expect_exit 0 on here log --json
value . '[]'
expect_exit 2 on here show web1
expect_text err "is no job's id"
expect_exit 1 on here show 5f0c2d
expect_text err 'no job has the id'
expect_exit 1 on here cancel 5f0c2d
expect_exit 2 on here cancel

start_there
head -c 16M /dev/urandom >web.img

# A seed is seen at both ends, and ended from either.
for host in here there; do
  on here seed --quiet --bwlimit 200kB --disk web.img --as web1 127.0.0.1 2>seed.err &
  seed=$!
  wait_for_job here '.progress.phase == "bulk" and .progress.done > 0'
  value '[.[0] | .kind, .role, .state, .guest, .host, .revocable]' \
    '["seed","source","under_way","web1","127.0.0.1",true]'
  tr '\0' ' ' <"/proc/$(jq '.[0].pid' out)/cmdline" | grep -q 'seed --quiet' ||
    fail "the process is another one: $(cat out)"
  wait_for_job there '.progress.done > 0'
  value '[.[0] | .kind, .role, .guest, .host]' '["seed","destination","web1","here"]'
  expect_exit 0 on $host jobs
  expect_text out 'seed of web1'
  id=$(cut -c1-8 out)
  expect_exit 0 on $host show "$id"
  expect_text out 'process '
  expect_exit 0 on $host show --json "$id"
  value '[.state, .ended]' '["under_way",null]'
  expect_exit 0 on $host cancel --json "$id"
  value .cancelled true
  code=0
  wait $seed || code=$?
  ((code == 1)) || fail "a seed that was cancelled ended with $code: $(cat seed.err)"
  expect_exit 1 on $host cancel "$id"
  expect_text err 'it is over: cancelled'
  for other in here there; do
    wait_for_log $other '.[0].state == "ended"'
    expect_exit 0 on $other jobs
    [[ ! -s out ]] || fail "jobs: $(cat out)"
  done
done
expect_exit 0 on here log --json
value '[.[].outcome]' '["failed","cancelled"]'
expect_text out 'it was cancelled at the destination'
expect_exit 0 on there log --json
value '[.[].outcome]' '["cancelled","failed"]'
expect_exit 0 on here log db
[[ ! -s out ]] || fail "log of db: $(cat out)"

# One that came to its end has its report; root alone may read it.
expect_exit 0 on here seed --quiet --disk web.img --as web1 127.0.0.1
expect_exit 0 on here log --json web1
value '[.[0] | .outcome, .report.outcome]' '["seeded","seeded"]'
id=$(jq -r '.[0].id' out)
expect_exit 0 on here show "$id"
expect_text out 'kept there as shadow'
wait_for_log there '.[0].outcome == "kept"'
modes=$(find here/run/jobs here/state/history there/state/history -printf '%y%m\n' | sort -u | paste -sd' ')
[[ $modes = 'd700 f600' ]] || fail "modes are $modes"

# A process that is killed leaves no job that runs.
on here seed --quiet --bwlimit 200kB --disk web.img --as db1 127.0.0.1 2>seed.err &
seed=$!
wait_for_job there '.guest == "db1"'
wait_for_job here '.guest == "db1"'
id=$(jq -r '.[0].id' out)
kill -KILL "$(jq '.[0].pid' out)"
wait $seed || :
expect_exit 0 on here jobs
[[ ! -s out ]] || fail "jobs: $(cat out)"
expect_exit 0 on here show "$id"
expect_text out 'without a word'
expect_exit 0 on here log db1
expect_text out 'cut short'
expect_exit 1 on here cancel "$id"
expect_text err 'ended already'
wait_for_log there '.[0].guest == "db1" and .[0].state == "ended"'

# A scan is one as well.
head -c 40M /dev/urandom >disk.img
on here index add --limit 1 "$tmp/disk.img" >scan.out 2>scan.err &
scan=$!
wait_for_job here '.kind == "scan" and .progress.done > 0'
value '[.[0] | .disk, .by_teleportd]' "[\"$tmp/disk.img\",false]"
id=$(jq -r '.[0].id' out)
expect_exit 0 on here cancel "$id"
expect_text out cancelled
code=0
wait $scan || code=$?
((code == 1)) || fail "a scan that was cancelled ended with $code: $(cat scan.err)"

# The history has an end, at both ends.
for host in here there; do
  printf '[history]\nentries = 2\n' >>$host/teleport.conf
done
for name in a1 a2 a3; do
  expect_exit 0 on here seed --quiet --disk web.img --as $name 127.0.0.1
done
expect_exit 0 on here log --json
value '[.[].guest] | length' 2
wait_for_log there '[.[].guest] == ["a3", "a2"]'
touch -d '100 days ago' here/state/history/*
sed -i 's/"begun":[0-9]*/"begun":1700000000/' here/state/history/*
touch -d '100 days ago' here/state/history/*
expect_exit 0 on here seed --quiet --disk web.img --as a4 127.0.0.1
expect_exit 0 on here log --json
value '[.[].guest]' '["a4"]'
