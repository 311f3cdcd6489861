#!/bin/bash
# test/run-releases: what it counts of the unit tests on other releases. The place
# of tools/package/in-release has a script that only says something.
. "$(dirname "$0")/functions.sh"
releases=$TELEPORT_SOURCE/test/run-releases

printf 'ID=debian\nVERSION_CODENAME=bookworm\n' >os-release
cat >in-release <<'END'
#!/bin/bash
echo "$@" >>asked
. ./answer
END
chmod 755 in-release
# answers LINES: what the script does; then run-releases is run.
answers() {
  rm -f asked counts
  cat >answer
  sed -i "s|^\. .*|. $tmp/answer|; s|>>.*|>>$tmp/asked|" in-release
  status=0
  XL_TELEPORT_OS_RELEASE=$tmp/os-release XL_TELEPORT_IN_RELEASE=$tmp/in-release \
    TEST_COUNTS=$tmp/counts "$releases" >said 2>&1 || status=$?
}
# says STATUS COUNTS: exit code and last line, and the file of counts.
says() {
  [[ $status = "$1" ]] || fail "exit code $status, not $1: $(cat said)"
  [[ $(tail -n 1 said) = "releases: $2" ]] || fail "not '$2': $(cat said)"
  [[ $(cat counts) = "$(sed 's/[a-z, ]\+/ /g; s/^ //; s/ $//' <<<"$2")" ]] ||
    fail "the file has other counts: $(cat counts)"
}

answers <<<"echo 'unit: 7 passed, 0 failed, 2 skipped'"
says 0 '7 passed, 0 failed, 2 skipped'
[[ $(wc -l <asked) = 1 ]] || fail "asked for more than the other release: $(cat asked)"
grep -q '^trixie .*all tests' asked || fail "asked: $(cat asked)"

answers <<<"echo 'unit: 6 passed, 1 failed, 2 skipped'; exit 1"
says 1 '6 passed, 1 failed, 2 skipped'
# It does not compile; a process of the tests ended early; the release lacks a package.
answers <<<"exit 2"
says 1 '0 passed, 1 failed, 0 skipped'
answers <<<"echo 'unit: 6 passed, 0 failed, 0 skipped'; exit 1"
says 1 '6 passed, 1 failed, 0 skipped'
answers <<<"exit 126"
says 1 '0 passed, 1 failed, 0 skipped'

# What could not be tried is no pass, and says why.
answers <<<"echo 'in-release: no mirror: none at all'; exit 125"
says 0 '0 passed, 0 failed, 1 skipped'
expect_text said 'releases: skipped: trixie: no mirror, none at all'
RELEASES_UNTIL=1 answers <<<"echo 'unit: 7 passed, 0 failed, 0 skipped'"
says 0 '0 passed, 0 failed, 1 skipped'
expect_text said 'releases: skipped: trixie: not over in time'
[[ ! -e asked ]] || fail 'it was begun with no time left'
RELEASES_UNTIL=$((EPOCHSECONDS + 32)) answers <<<"echo begun; tail -f /dev/null"
says 0 '0 passed, 0 failed, 1 skipped'
expect_text said 'releases: skipped: trixie: not over in time'

# On the newer release the older is the other one.
sed -i s/bookworm/trixie/ os-release
answers <<<"echo 'unit: 7 passed, 0 failed, 0 skipped'"
grep -q '^bookworm ' asked || fail "asked: $(cat asked)"
