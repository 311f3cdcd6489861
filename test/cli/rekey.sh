#!/bin/bash
# teleportctl rekey: who is told, in which order, what is done again after an end
# in the middle, and that the old key is refused once all have the new one.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
requires openssl
make_host third

# ssh to the host that its own argument names; none that $tmp/down has.
cat >bin/ssh <<EOF
#!/bin/bash
host=\${*: -2:1} host=\${host##*@} command=\${*: -1}
grep -qx "\$host" "$tmp/down" && exit 255
grep -qx "\$host" "$tmp/silent" && exec sleep infinity
[[ \$host = 127.0.0.1 ]] && host=there
eval "set -- \${command#*teleportctl }"
exec "$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/\$host/teleport.conf" "\$@"
EOF
touch down silent
PATH=$tmp/bin:$PATH

rekey() { on here rekey --handshake-seconds 0 "$@"; }
fingerprint() { openssl x509 -in "$1" -outform der | sha256sum | cut -d' ' -f1; }
# Which keys a host accepts of this one, and as whom.
keys_at() { on "$1" peers --json | jq -r '.[] | select(.name == "'"$2"'") | .keys[]' | paste -sd' '; }
host_at() { on "$1" peers --json | jq -r '.[] | select(.name == "'"$2"'") | .sha256'; }
# A seed tells whether the keys fit, both ways.
seeds() { expect_exit 0 on here seed --reconnect 0 --disk image --as "$1" 127.0.0.1; }
truncate -s 1M image

expect_exit 0 on here pair --as alpha root@third
mkdir saved
cp -a here/host.crt here/host.key saved/
old=$(fingerprint here/host.crt)
[[ $(keys_at there here) = "$old" ]] || fail 'there has other keys'
start_there
seeds before

# One cannot be reached: both keys are accepted where it was told, and the
# present one stays in use.
echo third >down
expect_exit 1 rekey
expect_text out '127.0.0.1: accepts the next key, too'
expect_text out 'third: NOT TOLD: ssh ended without a connection'
expect_text err '1 of 2 hosts do not know the next one (third)'
new=$(on here rekey --show | awk '/^next/ { print $2 }')
[[ $new =~ ^[0-9a-f]{64}$ && $new != "$old" ]] || fail "no next key: $new"
[[ $(stat -c %a here/host.key.next) = 600 ]] || fail 'others can read the next key'
[[ $(fingerprint here/host.crt) = "$old" ]] || fail 'the key is another already'
[[ $(keys_at there here) = "$old $new" ]] || fail "there: $(keys_at there here)"
[[ $(keys_at third alpha) = "$old" ]] || fail "third: $(keys_at third alpha)"
expect_exit 0 on there peers
expect_text out "has the key          $new"
seeds between

# Nor is one waited for that takes the connection and says nothing.
echo third | tee silent >down.was
: >down
expect_exit 1 timeout 60 "$TELEPORT_BUILD/tools/teleportctl/teleportctl" \
  --config here/teleport.conf rekey --handshake-seconds 0 --ssh-seconds 1
expect_text out '127.0.0.1: accepts the next key, too'
expect_text out 'third: NOT TOLD: ssh has not ended within 1 s'
expect_text err '1 of 2 hosts do not know the next one (third)'
: >silent
mv down.was down

# Who is paired meanwhile gets both.
make_host fourth
expect_exit 0 on here pair --as alpha root@fourth
[[ $(keys_at fourth alpha) = "$old $new" ]] || fail "fourth: $(keys_at fourth alpha)"

# The second run completes it with the same next key.
: >down
expect_exit 0 rekey
expect_text out "this host's key is now"
[[ $(fingerprint here/host.crt) = "$new" ]] || fail 'the key is not the next one'
for host in 'there here' 'third alpha' 'fourth alpha'; do
  # shellcheck disable=SC2086 # two words
  [[ $(keys_at $host) = "$new" && $(host_at $host) = "$old" ]] || fail "$host: $(keys_at $host)"
done
[[ ! -e here/host.key.next && ! -e here/host.crt.past ]] || fail 'something is left over'
[[ $(stat -c %a here/host.key) = 600 ]] || fail 'others can read the key'
on here rekey --show >out
[[ $(awk '{ print $1 $2 }' out) = inuse ]] || fail "$(cat out)"
seeds after

# The old key, stolen or of a backup, is refused, and is no name of this host's.
mkdir now
cp -a here/host.crt here/host.key now/
cp -a saved/. here/
expect_exit 1 on here seed --reconnect 0 --disk image --as refused 127.0.0.1
expect_text err "it does not know this host's key"
expect_exit 1 on here pair --as beta root@127.0.0.1
expect_text err "the key $old is, or was, that of here"
cp -a now/. here/

# A host that nobody can log in to from here, but the other way round: it pairs
# with this one, knows both, and is tried with the new key.
echo 127.0.0.1 >down
expect_exit 1 rekey
expect_text err '(127.0.0.1)'
newer=$(on here rekey --show | awk '/^next/ { print $2 }')
pair_back() { expect_exit 0 on there pair --as 127.0.0.1 root@here; }
pair_back
[[ $(keys_at there here) = "$new $newer" ]] || fail "there: $(keys_at there here)"
expect_exit 1 rekey
expect_text out '127.0.0.1: accepts the next key, tried with it'
expect_text err 'The old one is accepted by 127.0.0.1 still'
[[ $(fingerprint here/host.crt) = "$newer" ]] || fail 'the key is not the next one'
[[ $(keys_at third alpha) = "$newer" && $(keys_at there here) = "$new $newer" ]] ||
  fail "$(keys_at third alpha), $(keys_at there here)"
seeds newer
pair_back
[[ $(keys_at there here) = "$newer" && $(host_at there here) = "$old" ]] ||
  fail "there: $(keys_at there here)"
: >down
expect_exit 0 rekey
[[ $(fingerprint here/host.crt) = "$newer" ]] || fail 'that was to be the end of it'

# --now does not wait; who missed it refuses this host, and learns it later by a
# key of the past, through another renewal, too.
echo third >down
expect_exit 1 rekey --now
expect_text out 'third refuse this host, and accept its old key'
expect_exit 1 rekey --anew --now
newest=$(fingerprint here/host.crt)
[[ $(keys_at there here) = "$newest" && $(keys_at third alpha) = "$newer" ]] ||
  fail "$(keys_at there here), $(keys_at third alpha)"
seeds newest
: >down
expect_exit 0 rekey
[[ $(keys_at third alpha) = "$newest" && $(host_at third alpha) = "$old" ]] ||
  fail "third: $(keys_at third alpha)"

# An end in the middle of the switch: each state that a loss of power can leave.
echo third >down
expect_exit 1 rekey
: >down
mkdir before
cp -a here there third fourth before/
for step in past key certificate; do
  for host in there third fourth; do
    cp -a "before/$host/peers/." "$host/peers/"
  done
  rm -f here/host.*
  cp -a before/here/host.* here/
  cp here/host.crt here/host.crt.past
  [[ $step = past ]] || cp here/host.key.next here/host.key
  [[ $step != certificate ]] || openssl x509 -in here/host.key.next -out here/host.crt
  seeds "during-$step"
  expect_exit 0 rekey
  [[ ! -e here/host.key.next && ! -e here/host.crt.past ]] || fail "$step: left over"
  now=$(fingerprint here/host.crt)
  [[ $now != "$newest" ]] || fail "$step: the key is the old one"
  [[ $(keys_at there here) = "$now" && $(keys_at third alpha) != *"$newest"* ]] ||
    fail "$step: $(keys_at there here), $(keys_at third alpha)"
  seeds "after-$step"
done

# --ssh says how a host is reached; a word that is none is refused.
expect_exit 1 rekey --ssh third
expect_text err "'third' is not NAME=DESTINATION"
echo 127.0.0.1 >down
expect_exit 0 rekey --ssh 127.0.0.1=root@there
expect_text out '127.0.0.1: accepts the next key, too'

# What comes by accept-key must be of a host that is paired.
openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -keyout x.key -out x.crt 2>/dev/null
expect_exit 1 on there accept-key <x.crt
expect_text err 'none of the keys of the host that renews its own is paired'
expect_exit 1 on there accept-key </dev/null
