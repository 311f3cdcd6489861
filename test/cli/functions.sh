# shellcheck shell=bash
# test/cli/functions.sh: sourced first by every script in test/cli. Gives a
# folder of its own ($tmp, the working directory too), undone at every exit.
#
#   requires PROGRAM...        skips the test when one is missing
#   skip REASON                ends the test as skipped
#   fail TEXT                  ends it as failed
#   cleanup_fn COMMAND...      run at exit, the latest first
#   expect_exit N COMMAND...   runs it, wants exit code N; output in $tmp/out,
#                              $tmp/err
#   expect_text FILE TEXT      wants TEXT somewhere in FILE
set -euo pipefail

: "${TELEPORT_SOURCE:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${TELEPORT_BUILD:=$TELEPORT_SOURCE/build}"

fail() {
  echo "FAILED: $*"
  exit 1
}
skip() {
  echo "$*"
  exit 77
}

cleanups=()
cleanup_fn() { cleanups=("$(printf '%q ' "$@")" "${cleanups[@]}"); }
at_exit() {
  local status=$? command
  cd /
  for command in "${cleanups[@]}"; do
    eval "$command" || echo "cleaning up failed: $command"
  done
  exit "$status"
}
trap at_exit EXIT
trap 'exit 143' TERM INT

requires() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not here"
  done
}
expect_exit() {
  local want=$1 got=0
  shift
  "$@" >"$tmp/out" 2>"$tmp/err" || got=$?
  if ((got != want)); then
    cat "$tmp/out" "$tmp/err"
    fail "exit code $got, not $want: $*"
  fi
}
expect_text() {
  grep -qF -- "$2" "$1" || {
    cat "$1"
    fail "'$2' is not in $(basename "$1")"
  }
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/teleport-cli.XXXXXX")
cleanup_fn rm -rf "$tmp"
cd "$tmp"
