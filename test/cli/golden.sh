#!/bin/bash
# The golden streams, decoded by a program of their own that knows CODING.md
# alone, and judged by Xen's own checker where it is installed.
. "$(dirname "$0")/functions.sh"
requires python3 zstd

python3 "$TELEPORT_SOURCE/test/golden/stream/check.py" | tee golden.log
streams=$(find "$TELEPORT_SOURCE/test/golden/stream" -name '*.coded' | wc -l)
passed=$(sed -nE 's/^golden: ([0-9]+) passed, 0 failed, .*/\1/p' golden.log)
((streams > 0 && passed >= streams)) || fail "$passed of $streams streams passed"
