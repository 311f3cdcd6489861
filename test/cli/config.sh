#!/bin/bash
# teleportctl config: what teleport.conf says comes out again, key by key and as
# a whole, with the defaults; what is wrong or cannot work here is told.
. "$(dirname "$0")/functions.sh"
requires jq

teleportctl=$TELEPORT_BUILD/tools/teleportctl/teleportctl
[[ -x $teleportctl ]] || skip "$teleportctl is not built"
shipped=$TELEPORT_SOURCE/xl-teleport/setup/teleport.conf
run() { "$teleportctl" --config "$config" config "$@"; }
# is KEY TEXT: what a script gets.
is() {
  expect_exit 0 run get "$1"
  [[ $(cat out) = "$2" ]] || fail "$1 is '$(cat out)', not '$2'"
}

# The file that is shipped says the defaults; so does one that says nothing.
config=$shipped
expect_exit 0 run show
cp out whole.conf
grep -v '^#' "$shipped" | tr -d ' \n' >known
tr -d ' \n' <whole.conf | diff known - || fail 'what is shown is not what the file says'
: >empty.conf
config=$tmp/empty.conf
expect_exit 0 run show
diff whole.conf out || fail 'the defaults are not those of the file that is shipped'
# What is shown is a configuration.
config=$tmp/whole.conf
expect_exit 0 run show --json
[[ $(jq -c '[.listen.port, .index.keep_fresh, .peers.aliases]' out) = '[8744,true,[]]' ]] ||
  fail "$(cat out)"

# Any of TOML's ways.
mkdir store
cat >odd.conf <<EOF
store = { path='$tmp/store' }
[ state ]
"path"="$tmp/a b"
run = """/run/\\
  x"""
[index]
folders = ['/srv/a',
  "/srv/\"b"]
keep_fresh = false
[link]
bwlimit = ["08:00-18:00 20Mbit", "100Mbit"]
EOF
config=$tmp/odd.conf
is state.path "$tmp/a b"
is state.run /run/x
is store.path "$tmp/store"
is index.folders $'/srv/a\n/srv/"b'
is index.keep_fresh false
is listen.port 8744
is peers.aliases ''
expect_exit 0 run get --json link.bwlimit
[[ $(cat out) = '["08:00-18:00 20Mbit","100Mbit"]' ]] || fail "$(cat out)"
expect_exit 0 run show
cp out again.conf
expect_exit 0 run show --json
cp out first.json
config=$tmp/again.conf
expect_exit 0 run show --json
diff first.json out || fail 'what is shown says something else'
expect_exit 2 run get state.pth
expect_text err "no key 'state.pth'"

# What is wrong, and what cannot work here.
echo '[state' >broken.conf
config=$tmp/broken.conf
expect_exit 2 run check
expect_text err 'broken.conf line 1'
expect_exit 2 run get state.path
config=$tmp/none.conf
expect_exit 2 run check
cat >here.conf <<EOF
[store]
path = "$tmp/store"
[peers]
dir = "$tmp/peers"
[keys]
key = "$tmp/host.key"
cert = "$tmp/host.crt"
EOF
config=$tmp/here.conf
expect_exit 0 run check
expect_text out 'here.conf: good'
printf '[hooks]\nat_gate = "%s"\n' "$tmp/no-hook" >>here.conf
echo garbage >host.key
chmod 600 host.key
rmdir store
expect_exit 1 run check
expect_text err 'store: '
expect_text err 'hooks.at_gate: '
expect_text err 'keys: '
expect_exit 1 run check --json
[[ $(jq '.faults | length' out) = 3 ]] || fail "$(cat out)"
