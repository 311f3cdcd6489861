#!/bin/bash
# What the tests say of themselves: a skip is no pass, what is left out is
# counted and named, and a run in which nothing ran has failed.
. "$(dirname "$0")/functions.sh"

last() { tail -n 1 "$1"; }
said() { tail -n 2 "$1" | head -n 1; }

# ---- run-all, with parts that only say something ----
mkdir -p tree/{test/xen,test/package,test/whole,test/fuzz,test/cli,tools,bin}
cp "$TELEPORT_SOURCE"/test/run-{all,part} tree/test/
cat >tree/tools/install-deps <<'END'
#!/bin/sh
END
cat >tree/bin/make <<'END'
#!/bin/sh
case "$*" in
  *fuzz-replay) echo 'fuzz: 5 passed, 0 failed' ;;
esac
END
for part in run-unit run-cli run-releases whole/run package/run xen/run; do
  echo 'eval "$'"$(tr '[:lower:]/-' '[:upper:]__' <<<"${part%/run}")"'"' >"tree/test/$part"
  sed -i '1i #!/bin/sh' "tree/test/$part"
done
chmod 755 tree/tools/* tree/bin/* tree/test/run-* tree/test/*/run
run_all() {
  (
    cd tree
    # shellcheck disable=SC2030
    export RUN_UNIT=$UNIT RUN_CLI WHOLE PACKAGE XEN PATH="$PWD/bin:$PATH" BUILD=build
    unset SAN T LEAVE_OUT TEST_COUNTS
    bash test/run-all "$@"
  ) >run.log 2>&1
}
# shellcheck disable=SC2089,SC2090
UNIT="echo 'skipped: a disk: needs LVM'; echo 'unit: 7 passed, 0 failed, 1 skipped'"
# shellcheck disable=SC2089
RUN_CLI="echo 'cli: skipped: x: not here'; echo 'cli: 3 passed, 0 failed, 1 skipped'"
# shellcheck disable=SC2089
WHOLE="echo 'known fault: it is so (a test)'; echo 'whole: 4 passed, 0 failed, 0 skipped'"
# shellcheck disable=SC2089
PACKAGE="echo 'package: skipped: all of it: no network'; echo 'package: 0 passed, 0 failed, 1 skipped'"
# shellcheck disable=SC2089
XEN="case \$* in --packages) exit ;; esac; echo 'left out: donors: LAB_MINUTES'; echo 'left out: refusals: LEAVE_OUT'; echo '2 scenarios, 0 failed, 2 not run'"
run_all || fail "it is fine, and run-all says: $(cat run.log)"
[[ $(last run.log) = '28 passed, 0 failed, 6 skipped' ]] || fail "counts: $(last run.log)"
for words in '7 unit, 3 cli, 4 whole, 2 lab scenarios, 7 sanitized, 5 fuzz corpora: all passed' \
  '1 unit (1 needs LVM)' '1 cli (1 not here)' '1 package (1 no network)' 'known faults 1 whole' \
  'left out 2 lab scenarios: donors (LAB_MINUTES), refusals (LEAVE_OUT)'; do
  [[ $(said run.log) = *"$words"* ]] || fail "not said: $words: $(said run.log)"
done
cmp -s <(tail -n 2 run.log) tree/build/test/logs/summary || fail 'the summary in its file is another'

# shellcheck disable=SC2089,SC2090
RUN_RELEASES="echo 'unit: 9 passed, 0 failed, 0 skipped'; echo 'releases: 5 passed, 0 failed, 1 skipped'"
# shellcheck disable=SC2090
export RUN_RELEASES
RELEASES_UNTIL=1 run_all || fail "it is fine, and run-all says: $(cat run.log)"
[[ $(said run.log) = *'5 fuzz corpora, 5 other releases: all passed'* ]] || fail "not said: $(said run.log)"
[[ $(last run.log) = '33 passed, 0 failed, 7 skipped' ]] || fail "counts: $(last run.log)"

fine=$UNIT
# shellcheck disable=SC2089,SC2090  # they are for another shell
for UNIT in "echo 'unit: 0 passed, 0 failed, 0 skipped'" 'true'; do
  if run_all --no-lab; then fail "nothing ran in a part, and run-all is content"; fi
  [[ $(said run.log) = *'unit (nothing ran;'* ]] || fail "not said: $(said run.log)"
done
UNIT="echo 'FAIL this one'; echo 'unit: 6 passed, 2 failed, 0 skipped'; exit 1"
if run_all --no-lab; then fail 'a failure is no failure'; fi
[[ $(last run.log) = '24 passed, 4 failed, 2 skipped' ]] || fail "counts: $(last run.log)"

# run_and_end ARGUMENT...: a part's script may end it from outside, by the number in this file.
run_and_end() {
  (
    cd tree
    # shellcheck disable=SC2030,SC2031,SC2090
    export RUN_UNIT=$UNIT RUN_CLI WHOLE PACKAGE XEN PATH="$PWD/bin:$PATH" BUILD=build
    unset LAB_MINUTES
    bash -c 'echo $$ >../run-all.pid; exec bash test/run-all "$@"' run-all "$@"
  ) >run.log 2>&1
}
# In the middle: the rest did not run, and that is no success.
said_cli=$RUN_CLI
UNIT=$fine RUN_CLI='kill $(cat ../run-all.pid); sleep 1'
if run_and_end --no-lab; then fail 'it was ended, and says that it is fine'; fi
[[ $(said run.log) = *'not run: cli, whole, package'* ]] || fail "not said: $(said run.log)"
[[ $(last run.log) = '19 passed, 1 failed, 5 skipped' ]] || fail "counts: $(last run.log)"

# While parts run beside the lab's scenarios: they did not run either, and are ended too.
RUN_CLI=$said_cli
# shellcheck disable=SC2089
XEN='case $* in --packages) touch ../lane-began; exec tail -f /dev/null ;; esac
  while ! [ -e ../lane-began ]; do sleep 0.05; done; kill $(cat ../run-all.pid)'
if run_and_end; then fail 'it was ended in the lab, and says that it is fine'; fi
[[ $(said run.log) = *'not run: lab scenarios, lab packages, sanitized programs, sanitized, fuzz corpora'* ]] || fail "not said: $(said run.log)"
[[ ! -e tree/build/test/logs/lab-packages.status ]] || fail 'what ran beside the lab was ended, and has a status'

# ---- the real parts ----
printf 'exit 77\n' >skips.sh
if bash "$TELEPORT_SOURCE/test/run-cli" "$tmp/build" "$tmp/skips.sh" >cli.log; then
  fail 'every script was skipped, and run-cli is content'
fi
if bash "$TELEPORT_SOURCE/test/run-fuzz" "$tmp/build" 0 >fuzz.log; then fail 'no fuzzer, and run-fuzz is content'; fi
if bash "$TELEPORT_SOURCE/test/run-fuzz" "$tmp/build" 0 fuzz_nothing >fuzz.log; then
  fail 'no corpus, and run-fuzz is content'
fi
# Who calls may leave out some already.
unset LEAVE_OUT LAB_MINUTES LAB_UNTIL
scenarios=$("$TELEPORT_SOURCE/test/xen/run" --list)
if LEAVE_OUT=${scenarios//$'\n'/ } "$TELEPORT_SOURCE/test/xen/run" >lab.log 2>&1; then
  fail 'all scenarios are left out, and the lab is content'
fi
[[ $(grep -c '^left out: ' lab.log) = $(wc -w <<<"$scenarios") ]] || fail "not all are named: $(cat lab.log)"

# ---- run-unit, whose processes share the tests ----
unset TEST_COUNTS # the caller's, of all these scripts
printf '%s\n' '#!/bin/sh' 'case $* in *--list*) printf "one\ntwo, and more\nthree\n"; exit ;; esac' \
  'case $ENDS in early) kill -KILL $$ ;; esac' \
  'echo "unit: $(wc -l <$2) passed, 0 failed, 0 skipped"; exit $ENDS' >share
chmod 755 share
ENDS=0 "$TELEPORT_SOURCE/test/run-unit" ./share >unit.log 2>&1 || fail "run-unit: $(cat unit.log)"
[[ $(last unit.log) = 'unit: 3 passed, 0 failed, 0 skipped' ]] || fail "the sum: $(cat unit.log)"
if ENDS=early "$TELEPORT_SOURCE/test/run-unit" ./share >unit.log 2>&1; then fail 'a killed process is no failure'; fi
[[ $(last unit.log) = *' 0 passed, '[1-9]* ]] || fail "of killed processes: $(cat unit.log)"
if ENDS=1 "$TELEPORT_SOURCE/test/run-unit" ./share >unit.log 2>&1; then fail 'an exit code of 1 is no failure'; fi
[[ $("$TELEPORT_SOURCE/test/run-unit" --names ./share '' 2 2) = 'two\, and more' ]] || fail 'the names of the second half'

tests=$TELEPORT_BUILD/test/unit-tests
[[ -x $tests ]] || skip "$tests is not built; the scripts are right"
if "$tests" '[no-such-tag]' >unit.log; then fail 'nothing ran, and unit-tests is content'; fi
[[ $(last unit.log) = 'unit: 0 passed, 0 failed, 0 skipped' ]] || fail "said: $(last unit.log)"
TEST_COUNTS=$tmp/counts "$tests" '[durable]' >unit.log || fail "$(cat unit.log)"
[[ $(cat counts) = "$(sed -nE '$s/unit: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped/\1 \2 \3/p' unit.log)" ]] ||
  fail "the counts in the file are others: $(cat counts)"
