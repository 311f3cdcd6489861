#!/bin/bash
# teleportctl pair, peers and unpair: what is refused, what is replaced, and that
# ssh can ask the person at the terminal.
. "$(dirname "$0")/functions.sh"
. "$TELEPORT_SOURCE/test/cli/hosts.sh"
make_host third

key_of() { on "$1" peers --json | jq -r ".[] | select(.name == \"$2\") | .sha256"; }
# ssh to a host of this test: what it is asked to run is run there.
ssh_to() {
  cat >bin/ssh <<EOF
#!/bin/bash
printf '%s ' "\$@" >"$tmp/ssh-words"
command=\${*: -1}
eval "set -- \${command#*teleportctl }"
exec "$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/$1/teleport.conf" "\$@"
EOF
}
PATH=$tmp/bin:$PATH

# What ssh takes, it gets; the host's name is what is left of it.
ssh_to there
expect_exit 0 on here pair --as alpha -p 2222 root@fe80::1%eth0
expect_text ssh-words '-p 2222 -- root@fe80::1%eth0 '
expect_exit 0 on here pair --as alpha 'ssh://root@[::1]:2222'
expect_text ssh-words '-- ssh://root@[::1]:2222 '
expect_exit 0 on here pair --as alpha root@host2
theirs=$(key_of here host2)
ours=$(key_of there alpha)
expect_text out "$theirs"
expect_text out "$ours"
for name in host2 ::1 fe80::1%eth0; do
  [[ $(key_of here "$name") = "$theirs" ]] || fail "$name is not there"
done

# A name that is none is refused before anything is said.
for name in 'root@' '-oProxyCommand=x' 'root@a b' 'root@host:2222' 'root@[::1'; do
  rm -f ssh-words
  expect_exit 1 on here pair --as alpha -- "$name"
  [[ ! -e ssh-words ]] || fail "ssh was called with $name"
done
expect_exit 1 on here pair --as "a'b" root@host2

# A known name with another key: nothing changes here or there.
ssh_to third
expect_exit 1 on here pair --as alpha root@host2
expect_text err "THE KEY OF host2 IS NOT THE ONE"
expect_text err "$theirs"
[[ $(key_of here host2) = "$theirs" ]] || fail 'it was replaced here'
[[ -z $(key_of third alpha) ]] || fail 'it was paired there'
expect_exit 1 on here pair --as alpha root@HOST2
# Two hosts of one name: the second is refused there, and not paired here.
ssh_to there
expect_exit 1 on third pair --as alpha root@there
expect_text err "THE KEY OF alpha IS NOT THE ONE"
[[ -z $(key_of third there) ]] || fail 'it was paired here'
[[ $(key_of there alpha) = "$ours" ]] || fail 'it was replaced there'
expect_exit 0 on third pair --as third root@there
# With --replace, and what was replaced is said.
ssh_to third
expect_exit 0 on here pair --replace --as alpha root@host2
expect_text err "the key of host2 was $theirs"
[[ $(key_of here host2) != "$theirs" ]] || fail 'it was not replaced'
# A host and its clone have one key.
ssh_to here
expect_exit 1 on here pair --as clone root@clone
expect_text err 'the same key as this host'

# An ssh that says nothing is ended: where nobody can type, and once the other
# host has said its key.
silent() {
  cat >bin/ssh <<EOF
#!/bin/bash
echo \$\$ >"$tmp/ssh-pid"
$1
exec sleep 1000
EOF
}
silent ''
expect_exit 1 setsid --wait "$TELEPORT_BUILD/tools/teleportctl/teleportctl" \
  --config "$tmp/here/teleport.conf" pair --ssh-seconds 1 --as alpha root@silent
expect_text err "root@silent has not answered in time (ssh has not ended within 1 s)"
expect_text err "log in once with 'ssh root@silent'"
[[ ! -e /proc/$(<ssh-pid) ]] || fail 'ssh runs on'
silent "cat '$tmp/there/host.crt'"
expect_exit 1 on here pair --ssh-seconds 1 --as alpha root@silent
expect_text err 'ssh has not ended within 1 s: nothing was paired here'
[[ ! -e /proc/$(<ssh-pid) ]] || fail 'ssh runs on'
[[ -z $(key_of here silent) ]] || fail 'it is paired'

# One key under several names is removed under all of them.
ssh_to there
expect_exit 0 on here pair --as alpha root@10.0.0.2
expect_exit 0 on here unpair 10.0.0.2
expect_text out "::1 $theirs"
expect_exit 0 on here peers --json
value "[.[] | select(.sha256 == \"$theirs\")] | length" 0
expect_exit 1 on here unpair 10.0.0.2
expect_exit 0 on here pair --as alpha root@host3
expect_exit 0 on here unpair "${theirs:0:12}"

# A limited host: what its file says, from the options; the file is a person's
# then, and ends with the pairing.
expect_exit 0 on here pair --as alpha --limited --may teleport-here,seed-there \
  --guests 'web*,db1' --store-limit 2GiB --sessions 3 root@host9
expect_text out "Here host9 may do only what $tmp/here/peers/host9.conf says"
expect_exit 0 on here peers --json
value '.[] | select(.name == "host9") | [.role, .may, .guests, .store_limit_bytes, .sessions, .fault]' \
  '["limited",["teleport-here","seed-there"],["web*","db1"],2147483648,3,""]'
value '[.[] | select(.sha256 != "'"$theirs"'") | .role] | unique' '["ours"]'
[[ $(stat -c %a here/peers/host9.conf) = 600 ]] || fail 'others can read it'
expect_exit 0 on here peers
expect_text out 'may teleport-here, seed-there; guests web*, db1; store 0 B of 2.0 GiB; sessions 3'
[[ $(on there peers --json | jq -r '.[] | select(.name == "alpha").role') = ours ]] ||
  fail 'this host is limited there'
# Paired again, or under another name, it is no host of ours.
expect_exit 0 on here pair --as alpha root@host9
expect_exit 0 on here pair --as alpha --limited root@host10
expect_text out "peers/host9.conf says"
[[ ! -e here/peers/host10.conf ]] || fail 'a second file was made'
echo 'may = 1' >here/peers/host9.conf
expect_exit 0 on here peers
expect_text out "may do nothing: $tmp/here/peers/host9.conf line 1: 'may' must be"
expect_exit 0 on here unpair host10
[[ ! -e here/peers/host9.conf ]] || fail 'its limits are there still'
touch here/peers/nobody.conf
expect_exit 0 on here peers
expect_text err 'nobody.conf limits nobody'
rm here/peers/nobody.conf
# Nothing is nothing; the options are those of a limited host.
expect_exit 0 on here pair --as alpha --limited root@host9
expect_exit 0 on here peers --json
value '.[] | select(.name == "host9") | [.may, .guests, .store_limit_bytes, .sessions]' \
  '[[],[],0,1]'
expect_exit 0 on here unpair host9
expect_exit 2 on here pair --as alpha --may seed-here root@host9
expect_exit 2 on here pair --as alpha --limited --may seed root@host9
expect_exit 2 on here pair --as alpha --limited --store-limit much root@host9

# ssh asks at the terminal, in the foreground; Ctrl-C ends it, and nothing is
# paired.
cat >bin/ssh <<EOF
#!/bin/bash
printf 'Are you sure (yes/no)? ' >/dev/tty
read -r word </dev/tty
[[ \$word = yes ]] || exit 255
command=\${*: -1}
eval "set -- \${command#*teleportctl }"
exec "$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/there/teleport.conf" "\$@"
EOF
export TELEPORT_BUILD tmp
cat >terminal.py <<'EOF'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if b"(yes/no)? " in seen:
        os.write(terminal, b"\x03" if sys.argv[1] == "interrupt" else b"yes\n")
        sys.stdout.buffer.write(seen)
        seen = b""
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
ctl=("$TELEPORT_BUILD/tools/teleportctl/teleportctl" --config "$tmp/here/teleport.conf")
expect_exit 1 timeout 60 python3 terminal.py interrupt "${ctl[@]}" pair root@asked
expect_text out 'interrupted'
[[ -z $(key_of here asked) ]] || fail 'an interrupted pairing was done'
expect_exit 0 timeout 60 python3 terminal.py yes "${ctl[@]}" pair --as alpha root@asked
[[ $(key_of here asked) = "$theirs" ]] || fail 'it is not paired'
