#!/bin/bash
# tools/package/in-release: what it says to those who ask for what it cannot do.
# That it builds in a root of another release is tried by hand: minutes, network.
. "$(dirname "$0")/functions.sh"
in_release=$TELEPORT_SOURCE/tools/package/in-release
export XL_TELEPORT_CACHE=$tmp/cache

expect_exit 0 "$in_release" --help
expect_text out 'in-release trixie make deb'
expect_exit 125 "$in_release" trixie
expect_text err 'a release and a command are wanted'
expect_exit 125 "$in_release" 13 make deb
expect_text err "'13' is no code name of a Debian release"
((EUID == 0)) || skip 'needs root'
requires mmdebstrap unshare python3
# A mirror that has nothing: on this machine, where nobody listens.
export XL_TELEPORT_MIRROR=http://127.0.0.1:9/debian
expect_exit 125 "$in_release" trixie true
expect_text err 'could not make a Debian trixie'
[[ -z $(compgen -G 'cache/rootfs-*.tar') && -z $(compgen -G 'cache/release.*') ]] ||
  fail "something is left: $(ls cache)"

# mmdebstrap breaks where too much is open: it is given nothing that the scripts
# have open.
mkdir bin
cat >bin/mmdebstrap <<'END'
#!/bin/bash
readlink /proc/$$/fd/* >"$OPENED"
exit 1
END
chmod 755 bin/mmdebstrap
export OPENED=$tmp/opened
PATH=$tmp/bin:$PATH expect_exit 125 "$in_release" trixie true
[[ -s $OPENED ]] || fail 'mmdebstrap was not called'
! grep -v "^/dev/null$\|pipe:\|/proc/\|/bin/mmdebstrap$\|release.*/log$" "$OPENED" ||
  fail 'open in mmdebstrap'
