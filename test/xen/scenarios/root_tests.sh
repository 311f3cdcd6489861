# shellcheck shell=bash
# stock
# The tracker, stores and shadows on Debian's own kernel, which has the device mapper that the building machine may
# lack: the unit tests that need root run in dom0. None of them may be skipped there.

make -s -j"$(nproc)" -C "$REPOSITORY" tests > "$LAB/logs/tests.log" 2>&1 || fail "make tests: $(tail -5 "$LAB/logs/tests.log")"
strip -o "$LAB/unit-tests" "$REPOSITORY/build/test/unit-tests"
# on_host NUMBER: half of them. Neither host's processor waits for the other's.
on_host() {
    "$REPOSITORY/test/run-unit" --names "$LAB/unit-tests" '[root]' 2 "$1" > "$LAB/root_tests.$1"
    copy_to "host$1" "$LAB/unit-tests" "$LAB/root_tests.$1" /srv/lab/
    on "$1" "modprobe -a dm_mod dm_thin_pool dm_delay; cd /srv/lab && ./unit-tests -f root_tests.$1" > "$LAB/logs/root_tests.$1.out" 2>&1
}
on_host 1 & first=$!
on_host 2 & second=$!
for host in 1 2; do
    if [ $host = 1 ]; then wait $first; else wait $second; fi ||
        fail "root tests on host $host: $(tail -n 40 "$LAB/logs/root_tests.$host.out")"
done
# "unit: N passed, N failed, N skipped": all that there are, and none skipped.
passed=0
for host in 1 2; do
    counts=$(tail -n 1 "$LAB/logs/root_tests.$host.out")
    [[ $counts =~ ^unit:\ ([0-9]+)\ passed,\ 0\ failed,\ 0\ skipped$ ]] || fail "root tests on host $host: $counts"
    passed=$((passed + BASH_REMATCH[1]))
    on $host rm -f /srv/lab/unit-tests
done
there=$(grep -rhF '[root]' "$REPOSITORY/test/root" "$REPOSITORY/test/unit" --include='*.cpp' | wc -l)
assert_equal "root tests that passed" "$there" "$passed"
say "measured: $passed root tests passed, none was skipped"
