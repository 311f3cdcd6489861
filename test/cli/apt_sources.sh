#!/bin/bash
# Where root file systems are fetched from: what this machine's apt says, in
# either of its formats, and what the environment says instead.
. "$(dirname "$0")/functions.sh"
requires python3 dpkg
apt_sources=$TELEPORT_SOURCE/tools/apt-sources
unset XL_TELEPORT_MIRROR XL_TELEPORT_SECURITY_MIRROR

# sources FOLDER: what it makes of that folder, for the release $wanted on a
# machine of the release $own
own=bookworm wanted=bookworm
sources() { "$apt_sources" --etc="$1" --own=$own list $wanted; }
# expect_sources FOLDER: must be what comes on standard input
expect_sources() {
  sources "$1" >found 2>err || fail "$1: $(cat err)"
  diff - found || fail "other sources than expected of $1"
}

mkdir -p lines/sources.list.d stanzas/sources.list.d nothing
cat >lines/sources.list <<'END'
# deb http://comment.example/debian bookworm main
deb-src http://a.example/debian bookworm main
deb [signed-by=/k/a.gpg arch=amd64,arm64,i386] http://a.example/debian bookworm main contrib # why
deb http://a.example/debian bookworm-backports main
deb http://flat.example/debian ./
END
echo 'deb [ trusted=yes ] https://s.example/security bookworm-security main' >lines/sources.list.d/security.list
echo 'deb http://ignored.example/debian bookworm main' >lines/sources.list.d/old.list.disabled
expect_sources lines <<'END'
Types: deb
URIs: http://a.example/debian
Suites: bookworm
Components: main
Signed-By: /k/a.gpg

Types: deb
URIs: https://s.example/security
Suites: bookworm-security
Components: main
Trusted: yes
END

printf 'http://one.example/debian\tpriority:1\n# none\nhttp://two.example/debian\n' >mirrors.list
cat >stanzas/sources.list.d/debian.sources <<END
# a comment
Types: deb deb-src
URIs: mirror+file://$PWD/mirrors.list
Suites: bookworm bookworm-updates bookworm-backports
Components: main non-free-firmware
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://other.example/node
Suites: nodistro
Components: main
END
expect_sources stanzas <<'END'
Types: deb
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: 
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
END

# Another release, of which the machine has no source: from the same places.
wanted=trixie
expect_sources lines <<'END'
Types: deb
URIs: http://a.example/debian
Suites: trixie
Components: main
Signed-By: /k/a.gpg

Types: deb
URIs: https://s.example/security
Suites: trixie-security
Components: main
Trusted: yes
END
own=sid
expect_exit 1 sources lines
expect_text err 'no source of Debian trixie'
own=bookworm wanted=bookworm

expect_exit 1 sources nothing
expect_text err 'set XL_TELEPORT_MIRROR'
XL_TELEPORT_MIRROR=http://mine.example/debian expect_sources lines <<'END'
Types: deb
URIs: http://mine.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://mine.example/debian
Suites: bookworm-updates
Components: main
END

# No archive of packages is named where something is fetched.
cd "$TELEPORT_SOURCE"
if grep -rnE '(deb|ftp|security|snapshot)[0-9a-z.-]*\.debian\.org' test tools .ci README.md HACKING.md |
  grep -v '^test/cli/apt_sources.sh:'; then
  fail 'an archive is named in the tree'
fi
