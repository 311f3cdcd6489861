#!/bin/bash
# What troubleshooting begins with is what a program says: each sentence of the
# page stands in one source file, whatever lines it is written in. What the page
# has as I<...> is a variable's place; the pieces between are looked for.
. "$(dirname "$0")/functions.sh"
requires python3

page=xl-teleport-troubleshooting.7.pod
folders=("$TELEPORT_SOURCE"/{xl-teleport,libteleport,index,tools})

cat >said.py <<'END'
"""said.py PAGE FOLDER...: names each sentence of the page that no source has."""
import pathlib
import re
import sys

LEAST = 12  # characters; shorter pieces are in any sentence
PART = re.compile(r'''(?P<text>"(?:[^"\\\n]|\\.)*")
                      |(?P<gap>//[^\n]*|/\*.*?\*/|\s+)
                      |'(?:[^'\\\n]|\\.)'|.''', re.S | re.X)


def literals(source):
    """The texts of a source, those in a row as the one that they are."""
    texts, joined = [], False
    for part in PART.finditer(source):
        if part['text']:
            text = re.sub(r'\\(["\\])', r'\1', part['text'][1:-1])
            if joined:
                texts[-1] += text
            else:
                texts.append(text)
            joined = True
        elif not part['gap']:
            joined = False
    return '\n'.join(texts)


page = pathlib.Path(sys.argv[1])
sources = [literals(path.read_text('utf-8')) for folder in sys.argv[2:]
           for path in pathlib.Path(folder).rglob('*.[ch]pp')]
faults, sentences = [], 0
for item in re.findall(r'^=item (.*?)$', page.read_text('utf-8'), re.M):
    if re.fullmatch(r'(?:[CF]<[^<>]*>(?:, )?)+', item):
        continue  # a place to look at
    told = re.fullmatch(r'B<((?:[^<>]|I<[^<>]*>)*)>', item)
    if not told:
        faults.append(f'neither a sentence B<...> nor a place C<...>: {item}')
        continue
    sentences += 1
    pieces = [piece for piece in re.split(r'I<[^<>]*>', told[1])
              if len(piece) >= LEAST]
    if not pieces:
        faults.append(f'it has no piece of {LEAST} characters: {item}')
    elif not any(all(piece in source for piece in pieces) for source in sources):
        missing = [piece for piece in pieces
                   if not any(piece in source for source in sources)]
        faults += [f"no source says '{piece}' of: {item}" for piece in missing
                   ] or [f'no one source says all of: {item}']
if sentences < 30:
    faults.append(f'{sentences} sentences are too few: this test is blind')
for fault in faults:
    print(f'{page.name}: {fault}')
sys.exit(bool(faults))
END
python3 said.py "$TELEPORT_SOURCE/xl-teleport/$page" "${folders[@]}" ||
  fail 'sentences that no program says'

# It would be seen: in the page, and in a source.
mkdir changed
cp -r "$TELEPORT_SOURCE/libteleport" changed
sed 's/writes faster than/writes quicker than/' "$TELEPORT_SOURCE/xl-teleport/$page" >"$page"
if python3 said.py "$page" "${folders[@]}" >out; then fail 'another sentence is not seen'; fi
expect_text out "$page: no source says 'the guest writes quicker than the link carries'"
sed -i 's/has no bridge/lacks the bridge/' changed/libteleport/xen/preflight.cpp
folders[1]=changed/libteleport
if python3 said.py "$TELEPORT_SOURCE/xl-teleport/$page" "${folders[@]}" >out; then
  fail 'a sentence that was reworded is not seen'
fi
expect_text out "$page: no source says 'the destination has no bridge '' of: "
[[ $(wc -l <out) = 1 ]] || fail "more than the reworded sentence: $(<out)"
