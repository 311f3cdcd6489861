#!/bin/bash
# tools/install-deps: which packages it wants of which release, and what it says
# where it knows none. Nothing is installed.
. "$(dirname "$0")/functions.sh"
install_deps=$TELEPORT_SOURCE/tools/install-deps

# release ID VERSION NAME: as /etc/os-release has it
release() {
  printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="%s"\n' "$@" >os-release
}
export XL_TELEPORT_OS_RELEASE=$tmp/os-release
# wants LIST PACKAGE, wants_no LIST PACKAGE
wants() { grep -qx "$2" "$1" || fail "$2 is not in the list: $(paste -sd' ' "$1")"; }
wants_no() { ! grep -qx "$2" "$1" || fail "$2 is in the list"; }

release debian 12 'Debian 12'
"$install_deps" --list >list12
wants list12 libboost1.81-dev
wants list12 libclang-rt-14-dev
wants_no list12 libboost-dev
release debian 13 'Debian 13'
"$install_deps" --list >list13
wants list13 libboost-dev
wants list13 libclang-rt-19-dev
wants_no list13 libboost1.81-dev
[[ $(comm -3 list12 list13 | wc -l) = 4 ]] ||
  fail "releases differ in more than two packages: $(comm -3 list12 list13)"

# What is named together is wanted together.
"$install_deps" --build --package --list >both
wants both catch2
wants both lintian
wants_no both qemu-system-x86

# Any other system gets a sentence and no package.
mkdir bin
printf '#!/bin/sh\nexit 1\n' >bin/dpkg-query
printf '#!/bin/sh\necho apt-get "$@" >>%s\n' "$tmp/asked" >bin/apt-get
chmod 755 bin/*
release debian 99 'Debian of the future'
expect_exit 1 env PATH="$tmp/bin:$PATH" "$install_deps" --build
expect_text err 'Debian of the future is not Debian 12 or 13'
expect_text out 'missing: bpftool'
[[ ! -e asked ]] || fail "apt was asked: $(cat asked)"
expect_exit 1 "$install_deps" --everything
expect_text err "unknown argument '--everything'"
