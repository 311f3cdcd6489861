# shellcheck shell=bash
# stock
# The tracker, stores and shadows on Debian's own kernel, which has the device mapper that the building machine may
# lack: the unit tests that need root run in dom0. None of them may be skipped there.

make -s -j"$(nproc)" -C "$REPOSITORY" tests > "$LAB/logs/tests.log" 2>&1 || fail "make tests: $(tail -5 "$LAB/logs/tests.log")"
strip -o "$LAB/unit-tests" "$REPOSITORY/build/test/unit-tests"
copy_to host1 "$LAB/unit-tests" /srv/lab/
host1 "modprobe -a dm_mod dm_thin_pool dm_delay; cd /srv/lab && ./unit-tests '[root]'" > "$LAB/logs/root_tests.out" 2>&1 ||
    fail "root tests: $(tail -n 40 "$LAB/logs/root_tests.out")"
# "unit: N passed, N failed, N skipped": all that there are, and none skipped.
counts=$(tail -n 1 "$LAB/logs/root_tests.out")
there=$(grep -rhF '[root]' "$REPOSITORY/test/root" "$REPOSITORY/test/unit" --include='*.cpp' | wc -l)
assert_equal "root tests" "unit: $there passed, 0 failed, 0 skipped" "$counts"
say "measured: $counts"
host1 rm -f /srv/lab/unit-tests
