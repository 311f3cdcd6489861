#!/bin/bash
# What troubleshooting begins with is what a program says: each sentence of the
# page stands in the sources, in one piece, whatever lines it is written in.
. "$(dirname "$0")/functions.sh"
requires python3

page=$TELEPORT_SOURCE/xl-teleport/xl-teleport-troubleshooting.7.pod
python3 - "$page" "$TELEPORT_SOURCE"/{xl-teleport,libteleport,tools} <<'END' || fail 'sentences that nobody says'
import pathlib
import re
import sys

one = r'"(?:[^"\\\n]|\\.)*"'
said = []
for folder in sys.argv[2:]:
    for path in pathlib.Path(folder).rglob("*.cpp"):
        for literals in re.findall(rf"{one}(?:\s*{one})*", path.read_text()):
            said.append("".join(text[1:-1] for text in re.findall(one, literals)))
sentences = re.findall(r"^=item B<(.*)>$", pathlib.Path(sys.argv[1]).read_text(), re.M)
nobody = [sentence for sentence in sentences if not any(sentence in text for text in said)]
print(*nobody, sep="\n")
sys.exit(not sentences or bool(nobody))
END
