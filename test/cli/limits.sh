#!/bin/bash
# What several transfers may send together, and one alone: no more than they were
# told, the host's part shared among them, and another limit taken at once.
# Nothing here is wanted to be fast: a busy machine only makes it slower.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
start_there
for image in one two three; do
  head -c 8M /dev/urandom >$image.img
done
# at_least SECONDS: of the JSON in $tmp/out.
at_least() {
  jq -e ".seconds >= $1" out >/dev/null || fail "faster than allowed: $(jq -c '{seconds, link}' out)"
}
# arrived NAME: bytes of it at the destination, in place so far.
arrived() {
  local file=$tmp/there/store/$1-xvda
  [[ -e $file ]] || file+=.teleport-shadow
  if [[ -e $file ]]; then stat -c '%b * %B' "$file"; else echo 0; fi
}

# Its own limit: 8 MiB at 32 Mbit/s take 2.1 s.
expect_exit 0 on here seed --json --bwlimit 32Mbit --disk one.img 127.0.0.1
at_least 1.9
cmp one.img there/store/one-xvda.teleport-shadow

# The host's limit, for two at once: each alone would take 2.1 s. Either has had
# its share when the other ends.
on here bwlimit 32Mbit
on here seed --json --disk two.img --as two 127.0.0.1 >two.out 2>two.err &
first=$!
on here seed --json --disk three.img --as three 127.0.0.1 >three.out 2>three.err &
second=$!
wait -n $first $second || fail "a seed failed: $(cat two.err three.err)"
two=$(($(arrived two))) three=$(($(arrived three)))
((two >= 4 << 20 && three >= 4 << 20)) || fail "no fair shares: $two and $three bytes"
wait $first || fail "$(cat two.err)"
wait $second || fail "$(cat three.err)"
for name in two three; do
  cp $name.out out
  cmp $name.img there/store/$name-xvda.teleport-shadow
done
# Together 16 MiB; the one that ended last has the whole time.
jq -s 'map(.seconds) | {seconds: max}' two.out three.out >out
at_least 3.8

# Another limit while it runs. At the first it would take eleven minutes.
on here bwlimit 100kbit
head -c 8M /dev/urandom >four.img
on here seed --json --disk four.img 127.0.0.1 >out 2>err &
seed=$!
until compgen -G 'there/state/*.seed' >/dev/null || compgen -G 'there/store/four-*' >/dev/null; do
  kill -0 $seed || fail "$(cat err)"
done
on here bwlimit off
wait $seed || fail "$(cat err)"
cmp four.img there/store/four-xvda.teleport-shadow
# Of what was set by hand nothing is left after `auto`.
on here bwlimit auto
expect_exit 0 on here bwlimit --json
value '[.by_hand, .bytes_per_second]' '[false,0]'

expect_exit 2 on here bwlimit fast
expect_exit 2 on here seed --bwlimit fast --disk four.img 127.0.0.1
