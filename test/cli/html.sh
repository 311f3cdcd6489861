#!/bin/bash
# make html: every man page is there, and no link is dead.
. "$(dirname "$0")/functions.sh"
requires make perl python3

expect_exit 0 env -u MAKEFLAGS make -C "$TELEPORT_SOURCE" --no-print-directory \
  HTMLDIR="$tmp/html" html
pages=("$TELEPORT_SOURCE"/{xl-teleport,xl-teleport/setup,tools/*}/*.pod)
ours=$(basename -s .pod "${pages[@]}" | sed 's/\.[0-9]$//' | paste -sd'|')
for page in "${pages[@]}"; do
  html=html/$(basename "$page" .pod).html
  [[ -s $html ]] || fail "there is no page of $page"
  # What a page says of another of ours is a link to it.
  if grep -nE "(^|[^<a-z.-])($ours)(>|)\([1-8]\)" "$page"; then
    fail "$page names a page of ours without L<>"
  fi
  { grep -oE "L<($ours)\([1-8]\)>" "$page" || :; } |
    sed -E 's/L<(.*)\((.)\)>/\1.\2/' | sort -u |
    while read -r other; do expect_text "$html" "href=\"$other.html\""; done
done

cat >links.py <<'END'
"""Reads each page strictly, and follows each of its links."""
import pathlib
import sys
import xml.etree.ElementTree as tree

folder = pathlib.Path(sys.argv[1])
pages = {path.name: tree.fromstring(path.read_text('utf-8').split('\n', 1)[1])
         for path in folder.iterdir()}
reached, faults, links = set(), [], 0
for name, page in pages.items():
    ids = [each.get('id') for each in page.iter() if each.get('id')]
    faults += [f'{name}: two places are called {one}' for one in set(ids)
               if ids.count(one) > 1]
    for each in page.iter():
        if each.tag not in ('a', 'p', 'h1', 'h2', 'dt', 'dd', 'li') and (
                each.get('href') or each.get('src')):
            faults.append(f'{name}: {each.tag} needs another file')
        link = each.get('href')
        if link is None:
            continue
        links += 1
        target, _, place = link.partition('#')
        if target and target not in pages:
            faults.append(f'{name}: {link} leads nowhere')
            continue
        if name == 'index.html':
            reached.add(target)
        there = pages[target or name]
        if place and not any(each.get('id') == place for each in there.iter()):
            faults.append(f'{name}: {link}: there is no such place')
faults += [f'{name} is not in the index'
           for name in pages if name not in reached | {'index.html'}]
if faults or links < 100:
    sys.exit('\n'.join(faults or [f'{links} links are too few']))
END
python3 links.py html || fail 'see above'
# It would be seen.
sed -i 's/href="teleportd.8.html"/href="teleportx.8.html"/' html/xl-teleport.1.html
if python3 links.py html 2>err; then fail 'a dead link is not seen'; fi
expect_text err 'xl-teleport.1.html: teleportx.8.html leads nowhere'
